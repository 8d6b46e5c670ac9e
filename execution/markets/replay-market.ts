import type { Ns } from '../../risk/domain/time.ts';
import type { Market, MarketEvent, Quote } from '../market.ts';
import type { Timer, Timers } from '../time.ts';
import { instantOf, noCounts } from './readers.ts';
import type { ReplayCounts } from './readers.ts';
import type { ReplaySource } from './replay.ts';

/** Events read ahead by one list, so that time seldom waits for the disk. */
interface Feed {
  /** The next event; 'pending' while it is being read; 'ended' after the last, or after a failure. */
  peek(): MarketEvent | 'pending' | 'ended';
  take(): void;
  /** Resolves when `peek` has more to say than 'pending'; never rejects. */
  ready(): Promise<void>;
  failure(): unknown;
  close(): Promise<void>;
}

function feedOf(batches: AsyncGenerator<MarketEvent[], void>): Feed {
  let current: readonly MarketEvent[] = [];
  let index = 0;
  let next: readonly MarketEvent[] | 'pending' | 'ended' = 'pending';
  let failure: unknown = null;
  let reading = read();

  async function read(): Promise<void> {
    try {
      const result = await batches.next();
      next = result.done === true ? 'ended' : result.value;
    } catch (error) {
      failure = error;
      next = 'ended';
    }
  }

  return {
    peek() {
      const event = current[index];
      if (event !== undefined) return event;
      if (typeof next === 'string') return next;
      current = next;
      index = 0;
      next = 'pending';
      reading = read();
      return current[0] ?? 'ended';
    },
    take() {
      index++;
    },
    ready: () => reading,
    failure: () => failure,
    async close() {
      await reading;
      await batches.return();
    },
  };
}

export interface ReplayMarket extends Market {
  readonly counts: Readonly<ReplayCounts>;
  /** The instant of the last event, once the data has ended; from then on quotes grow stale. */
  end(): Ns | null;
}

export interface ReplayMarketOptions {
  readonly source: ReplaySource;
  /** The clock must be able to wait for the reader: `replayedTimers`. */
  readonly timers: Timers & { hold(): () => void };
  /** The data cannot be read on (a MarketFileError): it ends here. */
  readonly failed: (error: unknown) => void;
}

/**
 * A market of recorded data, read up to the present of `timers`: what happened before is state, not news, so that a restart at a
 * later instant goes on from there. Rejects with MarketFileError when the data before the present cannot be read.
 */
export async function replayMarket(options: ReplayMarketOptions): Promise<ReplayMarket> {
  const market = new Replay(options);
  await market.readToPresent();
  return market;
}

class Replay implements ReplayMarket {
  readonly source: string;
  readonly counts = noCounts();
  readonly #feed: Feed;
  readonly #timers: ReplayMarketOptions['timers'];
  readonly #failed: (error: unknown) => void;
  readonly #quotes = new Map<string, Quote>();
  readonly #watching = new Map<string, number>();
  readonly #listeners: ((event: MarketEvent) => void)[] = [];
  #last: Ns | null = null;
  #state: 'new' | 'running' | 'ended' | 'stopped' = 'new';
  #timer: Timer | null = null;
  #release = (): void => undefined;

  constructor({ source, timers, failed }: ReplayMarketOptions) {
    this.source = `replay-1:${source.format}`;
    this.#feed = feedOf(source.read(this.counts));
    this.#timers = timers;
    this.#failed = failed;
  }

  end(): Ns | null {
    return this.#state === 'ended' ? this.#last : null;
  }

  quote(symbol: string): Quote | null {
    return this.#quotes.get(symbol) ?? null;
  }

  watch(symbol: string): void {
    this.#watching.set(symbol, (this.#watching.get(symbol) ?? 0) + 1);
  }

  unwatch(symbol: string): void {
    const left = (this.#watching.get(symbol) ?? 0) - 1;
    if (left > 0) this.#watching.set(symbol, left);
    else this.#watching.delete(symbol);
  }

  onEvent(listener: (event: MarketEvent) => void): void {
    this.#listeners.push(listener);
  }

  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#goOn();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#timer?.cancel();
    this.#release();
    void this.#feed.close();
  }

  async readToPresent(): Promise<void> {
    for (let taken = this.#takeDue(); taken !== 'later' && taken !== 'ended'; taken = this.#takeDue()) {
      if (taken === 'pending') await this.#feed.ready();
    }
    const failure = this.#feed.failure();
    if (failure !== null) throw failure as Error;
  }

  /** The next event if it is due by now, taken; else why there is none. */
  #takeDue(): MarketEvent | 'pending' | 'later' | 'ended' {
    const next = this.#feed.peek();
    if (typeof next === 'string') return next;
    if (instantOf(next) > this.#timers.now()) return 'later';
    this.#feed.take();
    this.counts.delivered++;
    this.#last = instantOf(next);
    if (next.kind === 'quote') this.#quotes.set(next.quote.symbol, next.quote);
    return next;
  }

  #deliver(): void {
    for (let event = this.#takeDue(); typeof event !== 'string'; event = this.#takeDue()) {
      const symbol = event.kind === 'quote' ? event.quote.symbol : event.print.symbol;
      if (this.#watching.has(symbol)) for (const listener of this.#listeners) listener(event);
    }
    this.#goOn();
  }

  /** Asks for a turn at the next event's instant; while that is unknown, time stands. */
  #goOn(): void {
    if (this.#state !== 'running') return;
    const next = this.#feed.peek();
    if (next === 'pending') {
      const read = this.#timers.hold();
      this.#release = read;
      void this.#feed.ready().then(() => {
        this.#goOn();
        read();
      });
    } else if (next === 'ended') {
      this.#state = 'ended';
      const failure = this.#feed.failure();
      if (failure !== null) this.#failed(failure);
    } else {
      this.#timer = this.#timers.at(instantOf(next), () => {
        this.#deliver();
      });
    }
  }
}
