import type { Decimal } from './domain/decimal.ts';
import type { Ns } from './domain/time.ts';
import type { PolicyInForce } from './policy.ts';
import type { Scope, SwitchState } from './records.ts';

/** What the risk room knows: a fold over the log, mutated by `risk/reducer.ts` (and, for fills and reservations, by execution's) alone. */
export interface RiskState {
  policy: PolicyInForce | null;
  readonly accounts: Map<string, Account>;
  /** By `kind:id`. A scope that never flipped is absent, and active. */
  readonly switches: Map<string, Switch>;
}

export interface Switch {
  readonly scope: Scope;
  state: SwitchState;
  since: Ns;
  by: string;
  reason: string;
  engagement: number;
}

/** One account: cash and positions by strategy, what is reserved by open orders, the high-water mark, the day's turnover. */
export interface Account {
  readonly id: string;
  readonly currency: string;
  cash: Decimal;
  /** Equity and high-water mark as of the last `account.marked`; the opening cash before the first. */
  equity: Decimal;
  peak: Decimal;
  markedAt: Ns;
  /** Proceeds of sales that are not settled yet, by whole minutes, earliest first; and their sum. */
  readonly unsettled: { readonly settlesAt: Ns; readonly amount: Decimal }[];
  unsettledSum: Decimal;
  /** By symbol, in the order of first use: sums run in this order, live and at replay. A line is never removed. */
  readonly lines: Map<string, Line>;
  /** Traded notional by minute of the epoch, at most 1,441 entries, earliest first: the rolling day of the turnover limit; and its sum. */
  readonly traded: Map<number, Decimal>;
  tradedSum: Decimal;
}

/** One symbol of one account. */
export interface Line {
  readonly symbol: string;
  /** By strategy. */
  readonly books: Map<string, Book>;
  /** The last recorded mark (mid); null before the first. */
  mark: Decimal | null;
  /** Sums over the books, kept beside them: the hot path reads these. `…N` are the same as doubles. */
  qty: Decimal;
  buyOpen: Decimal;
  sellOpen: Decimal;
  /** Of what is open: wished by targets, and no slice of it released yet. */
  buyPlanned: Decimal;
  sellPlanned: Decimal;
  qtyN: number;
  buyOpenN: number;
  sellOpenN: number;
  buyPlannedN: number;
  sellPlannedN: number;
  markN: number;
}

/** One strategy's own book in one symbol. */
export interface Book {
  qty: Decimal;
  /** Signed cost of the open position, exact: qty × average price. */
  cost: Decimal;
  realised: Decimal;
  fees: Decimal;
  /** Leaves of open orders and of unreleased parents, reserved until evidence frees them. */
  buyOpen: Decimal;
  sellOpen: Decimal;
}
