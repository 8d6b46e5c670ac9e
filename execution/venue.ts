import type { Decimal } from '../risk/domain/decimal.ts';
import type { ChildOrder } from '../risk/domain/order.ts';
import type { Approved, Receipt } from '../risk/domain/proof.ts';
import type { Ns } from '../risk/domain/time.ts';

/** What every report carries. */
interface ReportBase {
  readonly clOrdId: string;
  /** The venue's own sequence, gapless from 1: a reader resumes by it and drops repeats. Answers to a query (`absent`) carry 0. */
  readonly sourceSeq: number;
  readonly venueAt: Ns;
}

export type VenueReport =
  | (ReportBase & { readonly kind: 'acknowledged' })
  | (ReportBase & { readonly kind: 'replaced'; readonly origClOrdId: string; readonly cumQty: Decimal; readonly leavesQty: Decimal })
  | (ReportBase & {
      readonly kind: 'filled'; readonly execId: string; readonly lastQty: Decimal; readonly lastPx: Decimal; readonly cumQty: Decimal; readonly leavesQty: Decimal;
      /** In the account's currency; negative is a rebate. */
      readonly fee: Decimal; readonly liquidity: 'maker' | 'taker';
    })
  | (ReportBase & { readonly kind: 'canceled' | 'expired'; readonly cumQty: Decimal })
  | (ReportBase & { readonly kind: 'rejected'; readonly reason: string })
  | (ReportBase & { readonly kind: 'cancelRejected'; readonly reason: string })
  /** Answer to `reconcile`: the venue never accepted this order and, having closed every older session, never will. */
  | (ReportBase & { readonly kind: 'absent' });

export interface CancelRequest {
  readonly clOrdId: string;
  readonly symbol: string;
}

/** What the gateway learns from a venue, each in the order in which the venue said it. */
export interface VenueListener {
  report(report: VenueReport): void;
  /** The connection: while it is down nothing is sent, and what was in flight is unknown. */
  connection(state: 'up' | 'down'): void;
}

/**
 * A place that executes. `send` is the only way out of the house, and it takes the proof of the decision and the proof of the
 * record. It never throws and never answers: what became of an order arrives as a report.
 */
export interface Venue {
  readonly id: string;
  /** Connects and begins to report; `resumeAfter` is the last source sequence that is in the log. */
  start(listener: VenueListener, resumeAfter: number): Promise<void>;
  send(order: Approved<ChildOrder>, receipt: Receipt): void;
  /** Cancels never wait behind new orders, and take no receipt: they are the one exception to fail-closed. */
  cancel(request: CancelRequest): void;
  /** Asks what became of these orders: the venue repeats its reports after the resume point and answers `absent` for ids it never saw. */
  reconcile(clOrdIds: readonly string[]): void;
  stop(): Promise<void>;
}
