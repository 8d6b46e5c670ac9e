/** The records that the execution room folds. Order kinds carry the child's `clOrdId` and its parent. */
import type { Side } from '../risk/domain/order.ts';
import type { DecisionJson, OrderTermsJson } from '../risk/records.ts';
import type { SymbolFactsJson } from '../risk/facts.ts';

/** One way of doing a slice, with the probability with which the policy in force would choose it, and its expected cost. */
export interface ArmChoice {
  readonly arm: string;
  readonly propensity: number;
  /** Expected cost against arrival, basis points. */
  readonly costBps: number;
}

/** The record before every send. */
export interface SliceReleased extends DecisionJson, OrderTermsJson {
  readonly clOrdId: string;
  /** Set when this replaces a working child: its `orderQty` is then the new total. */
  readonly origClOrdId: string | null;
  readonly parent: string;
  readonly venue: string;
  /** When the schedule wanted it; null for a direct order. */
  readonly due: string | null;
  /** What the schedule wanted: more than `orderQty` where not all of it fitted. Null for a direct order; older builds did not write it. */
  readonly wantedQty?: string | null;
  readonly arm: string;
  readonly arms: readonly ArmChoice[];
  /** Null for a direct order: its decision, in the same unit, holds them. */
  readonly facts: SymbolFactsJson | null;
}
/** A slice that was due and is not sent. */
export interface SliceWithheld extends DecisionJson, Omit<OfOrder, 'clOrdId'> {
  /** Denied by a check; or, when it had its record already, stopped by a switch, cancelled before it was sent, or more than its parent has left. */
  readonly why: 'denied' | 'switched' | 'canceled' | 'exceeds';
  /** The child, when it already had a record; null when none was made. */
  readonly clOrdId: string | null;
  /** The order that was denied and the facts that it was denied on; null when its own record holds them. */
  readonly judged: (OrderTermsJson & { readonly venue: string; readonly facts: SymbolFactsJson }) | null;
  readonly due: string | null;
  readonly orderQty: string;
}

/** Names a child order, wherever something is said about one. */
interface OfOrder {
  readonly clOrdId: string;
  readonly parent: string;
  readonly account: string;
  readonly strategy: string;
  readonly symbol: string;
}
interface OrderReport extends OfOrder {
  readonly venue: string;
  readonly venueAt: string;
  readonly receivedAt: string;
  /** The venue's own sequence: resumption and the dropping of repeats. */
  readonly sourceSeq: number;
}
export interface OrderFilled extends OrderReport {
  readonly side: Side;
  readonly execId: string;
  readonly lastQty: string;
  readonly lastPx: string;
  readonly cumQty: string;
  readonly leavesQty: string;
  readonly fee: string;
  readonly liquidity: 'maker' | 'taker';
  /** When the cash of a sale is settled; null when at once. */
  readonly settlesAt: string | null;
}
export type OrderAcknowledged = OrderReport;
export interface OrderEnded extends OrderReport {
  readonly cumQty: string;
}
export interface OrderReplaced extends OrderReport {
  readonly origClOrdId: string;
  readonly cumQty: string;
  readonly leavesQty: string;
}
export interface OrderRejected extends OrderReport {
  readonly reason: string;
  /** `new`: the order itself; `replace` and `cancel` leave the order as it was. */
  readonly of: 'new' | 'replace' | 'cancel';
}
/** A parent whose time is over: what is left of it is the opportunity part of its shortfall. */
export interface ParentExpired extends OfOrder {
  readonly leavesQty: string;
  /** The last mid at the end, for the opportunity part; null when there was no quote. */
  readonly endPx: string | null;
}
export interface CancelRequested extends OfOrder {
  readonly venue: string;
  readonly reason: string;
}
/** The venue did not say what became of it: exposure stays reserved until evidence comes. */
export interface OrderUnknown extends OfOrder {
  readonly venue: string;
  readonly reason: string;
}

/** A report that does not fit: about an order that the log does not know, or against what the venue had said before. */
export interface BreakFound {
  readonly venue: string;
  readonly sourceSeq: number;
  readonly clOrdId: string;
  readonly what: string;
}
export interface ExecutionRecords {
  'slice.released': SliceReleased;
  'slice.withheld': SliceWithheld;
  'cancel.requested': CancelRequested;
  'order.acknowledged': OrderAcknowledged;
  'order.filled': OrderFilled;
  'order.canceled': OrderEnded;
  'order.expired': OrderEnded;
  'order.replaced': OrderReplaced;
  'order.rejected': OrderRejected;
  'order.unknown': OrderUnknown;
  'parent.expired': ParentExpired;
  'break.found': BreakFound;
}
