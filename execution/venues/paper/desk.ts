import type { ChildOrder } from '../../../risk/domain/order.ts';
import { plusMs, type Ns } from '../../../risk/domain/time.ts';
import type { Instrument } from '../../../risk/domain/instrument.ts';
import type { Market } from '../../market.ts';
import type { Timer, Timers } from '../../time.ts';
import type { VenueReport } from '../../venue.ts';
import { PaperEngine, type OpenOrder } from './engine.ts';
import type { PaperConfig } from './terms.ts';

export interface PaperDeskOptions {
  readonly config: PaperConfig;
  readonly market: Market;
  readonly timers: Timers;
  readonly instruments: ReadonlyMap<string, Instrument>;
  /** Told of every report, in order, never while a caller is inside `submit` or `cancel`. */
  readonly report: (report: VenueReport) => void;
}

type Command = { readonly due: Ns } & ({ readonly order: ChildOrder } | { readonly cancel: string });

/**
 * The engine with its surroundings: commands wait for their latency, the market is followed where orders are open, time wakes it.
 * Latency is one for all, so the waiting commands are a plain queue and one timer is armed for its head and the engine's next due.
 */
export class PaperDesk {
  readonly #options: PaperDeskOptions;
  readonly #engine: PaperEngine;
  #queue: Command[] = [];
  #reports: VenueReport[] = [];
  readonly #watched = new Set<string>();
  #timer: Timer | null = null;
  #armedFor: Ns | null = null;
  #running = false;

  constructor(options: PaperDeskOptions) {
    this.#options = options;
    this.#engine = new PaperEngine(options.config, options.instruments, (report) => { this.#reports.push(report); });
  }

  /** Once: takes over what was open and begins to follow the market. */
  start(open: readonly OpenOrder[], lastSourceSeq: number, finished: Iterable<string> = []): void {
    const { market, timers } = this.#options;
    this.#running = true;
    this.#engine.restore(open, lastSourceSeq, timers.now(), finished);
    for (const symbol of new Set(open.map(({ order }) => order.symbol))) {
      this.#look(symbol);
      this.#watch(symbol);
    }
    market.onEvent((event) => {
      if (!this.#running) return;
      this.#act(event.kind === 'quote' ? event.quote.at : event.print.at);
      this.#engine.onEvent(event);
      this.#afterwards();
    });
    this.#afterwards();
  }

  /** Nothing acts any more; what waited is forgotten. */
  stop(): void {
    this.#running = false;
    this.#timer?.cancel();
    this.#queue = [];
    for (const symbol of this.#watched) this.#options.market.unwatch(symbol);
    this.#watched.clear();
  }

  submit(order: ChildOrder, sentAt: Ns): void {
    this.#enqueue({ order, due: plusMs(sentAt, this.#options.config.latencyMs) });
  }

  cancel(clOrdId: string, sentAt: Ns): void {
    this.#enqueue({ cancel: clOrdId, due: plusMs(sentAt, this.#options.config.latencyMs) });
  }

  /** Whether an order of this id acted, or waits to act. */
  knows(clOrdId: string): boolean {
    return this.#engine.knows(clOrdId) || this.#queue.some((command) => 'order' in command && command.order.clOrdId === clOrdId);
  }

  #enqueue(command: Command): void {
    this.#queue.push(command);
    if (this.#queue.length === 1) this.#arm();
  }

  /** What was due has come, also where the clock was set back since it was asked for: a cancel must not wait for the clock to catch up. */
  #wake(due: Ns): void {
    if (!this.#running) return;
    const clock = this.#options.timers.now();
    const now = clock < due ? due : clock;
    this.#act(now);
    this.#engine.advance(now);
    this.#afterwards();
  }

  /** Commands due until `to` act, in the order they were sent. */
  #act(to: Ns): void {
    let done = 0;
    for (const command of this.#queue) {
      if (command.due > to) break;
      done++;
      if ('order' in command) {
        this.#look(command.order.symbol);
        this.#engine.submit(command.order, command.due);
        this.#watch(command.order.symbol);
      } else {
        this.#engine.cancel(command.cancel, command.due);
      }
    }
    this.#queue.splice(0, done);
  }

  /** The quote in force, also where nobody follows the symbol: one that the engine has is nothing to it. */
  #look(symbol: string): void {
    const quote = this.#options.market.quote(symbol);
    if (quote !== null) this.#engine.onEvent({ kind: 'quote', quote });
  }

  /** Only symbols with open orders are watched: prints matter to nobody else. */
  #watch(symbol: string): void {
    if (this.#watched.has(symbol) || !this.#engine.hasOpen(symbol)) return;
    this.#watched.add(symbol);
    this.#options.market.watch(symbol);
  }

  #unwatchIdle(): void {
    for (const symbol of this.#watched) {
      if (this.#engine.hasOpen(symbol)) continue;
      this.#watched.delete(symbol);
      this.#options.market.unwatch(symbol);
    }
  }

  /** Arms for what comes next and hands over what was reported: a report may send again, which only queues. */
  #afterwards(): void {
    this.#arm();
    const reports = this.#reports;
    if (reports.length === 0) return;
    this.#reports = [];
    this.#unwatchIdle();
    for (const report of reports) this.#options.report(report);
  }

  #arm(): void {
    const command = this.#queue[0]?.due ?? null;
    const engine = this.#engine.nextDue();
    const next = command === null || (engine !== null && engine < command) ? engine : command;
    if (next === this.#armedFor && this.#timer !== null) return;
    this.#timer?.cancel();
    this.#armedFor = next;
    this.#timer = next === null ? null : this.#options.timers.at(next, () => {
      this.#timer = null;
      this.#wake(next);
    });
  }
}
