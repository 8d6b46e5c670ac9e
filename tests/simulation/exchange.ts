/** The venue's own side: the real paper desk, which outlives every house, and the journal of all that it ever said. */
import type { Market } from '../../execution/market.ts';
import type { Timers } from '../../execution/time.ts';
import type { VenueReport } from '../../execution/venue.ts';
import { PaperDesk } from '../../execution/venues/paper/desk.ts';
import type { ChildOrder } from '../../risk/domain/order.ts';
import type { Instrument } from '../../risk/domain/instrument.ts';

export class Exchange {
  /** In the order in which they were said; `sourceSeq` is the index and one. */
  readonly reports: VenueReport[] = [];
  /** Orders by id as they arrived, each once. */
  readonly received = new Map<string, ChildOrder>();
  /** Who hears; nobody while no session is up. */
  onReport: ((report: VenueReport) => void) | null = null;
  readonly #desk: PaperDesk;
  readonly #timers: Timers;

  constructor(market: Market, timers: Timers, instruments: ReadonlyMap<string, Instrument>) {
    this.#timers = timers;
    this.#desk = new PaperDesk({
      config: { latencyMs: 1, makerFeeBps: 0, takerFeeBps: 1, repegLatencyMs: 2, seed: 1 }, market, timers, instruments,
      report: (report) => {
        this.reports.push(report);
        this.onReport?.(report);
      },
    });
    this.#desk.start([], 0);
  }

  submit(order: ChildOrder): void {
    if (!this.received.has(order.clOrdId)) this.received.set(order.clOrdId, order);
    this.#desk.submit(order, this.#timers.now());
  }

  cancel(clOrdId: string): void { this.#desk.cancel(clOrdId, this.#timers.now()); }

  absentAmong(clOrdIds: readonly string[]): readonly string[] { return clOrdIds.filter((id) => !this.received.has(id)); }

  now(): ReturnType<Timers['now']> { return this.#timers.now(); }
}
