import type { Decimal } from './decimal.ts';
import type { Attribution } from './order.ts';
import type { Ns } from './time.ts';

export type Basis = 'weight' | 'quantity' | 'notional';

/** One wished end position. `target` is read by the portfolio's basis; `mu` a year, `sigma` per √year. */
export interface Leg {
  readonly symbol: string;
  readonly target: Decimal;
  readonly mu: number | null;
  readonly sigma: number | null;
  readonly forecastDays: number | null;
}

/** A target portfolio: wished end positions of one strategy's own book, not a trade list. */
export interface TargetPortfolio {
  readonly targetId: string;
  readonly account: string;
  readonly strategy: string;
  readonly asOf: Ns;
  readonly basis: Basis;
  readonly mode: 'clip' | 'all_or_none';
  /** `complete` closes the rest of the strategy's book. */
  readonly scope: 'listed' | 'complete';
  readonly horizonSeconds: number;
  readonly attribution: Attribution | null;
  readonly legs: readonly Leg[];
}
