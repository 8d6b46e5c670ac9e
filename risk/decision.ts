import type { Decimal } from './domain/decimal.ts';
import type { Approved } from './domain/proof.ts';
import type { Attribution, OrderTerms } from './domain/order.ts';
import type { TargetPortfolio } from './domain/target.ts';
import type { Verdict } from './domain/verdict.ts';

/** Every check's verdict, in the order of the check list (`ORDER_CHECKS`, `LEG_CHECKS`, `PORTFOLIO_CHECKS` in risk/checks). */
export type Verdicts = readonly Verdict[];

/** What a strategy expects of a symbol: `mu` a year, `sigma` per √year. */
export interface Forecast {
  readonly mu: number | null;
  readonly sigma: number | null;
}

/** What is asked of `decideOrder`. */
export interface OrderCommand<T extends OrderTerms> {
  readonly terms: T;
  /** The token's `sub`, or null for a slice: its parent was permitted, and what the books hold for it is planned. */
  readonly subject: string | null;
  /** Of the parent of a slice or an amendment; null leaves it to the strategy's registration. */
  readonly attribution: Attribution | null;
  /** Of the leg that a slice works: it is sized by the forecast that sized its parent. Null for a direct order. */
  readonly forecast: Forecast | null;
  /** Venue that would be used: switches of its scope apply. */
  readonly venue: string;
  /** How much of `orderQty` the books already hold as reserved: all of it for a slice, the quantity before it for an amendment, else 0. */
  readonly reservedQty: Decimal;
}
export type OrderDecision<T extends OrderTerms> =
  | { readonly decision: 'accepted'; readonly approved: Approved<T>; readonly verdicts: Verdicts; readonly attribution: Attribution }
  | { readonly decision: 'denied'; readonly approved: null; readonly verdicts: Verdicts; readonly attribution: Attribution | null };

export interface TargetCommand {
  readonly target: TargetPortfolio;
  readonly subject: string;
  readonly venue: string;
}
export interface LegDecision {
  readonly symbol: string;
  /** By the portfolio's basis; null for a closing that `complete` added. */
  readonly requested: Decimal | null;
  /** Same basis: where the leg may end. */
  readonly allowed: Decimal;
  /** Signed quantity to trade, whole lots; 0 for a denied leg. */
  readonly deltaQty: Decimal;
  readonly verdicts: Verdicts;
  readonly outcome: 'accepted' | 'clipped' | 'denied';
}
export interface TargetDecision {
  readonly decision: 'accepted' | 'clipped' | 'denied';
  /** Portfolio verdicts, all of them. */
  readonly verdicts: Verdicts;
  readonly legs: readonly LegDecision[];
  /** Facts of the account that the decision rests on; null when missing. */
  readonly equity: number | null;
  readonly governor: number | null;
  readonly attribution: Attribution | null;
}
