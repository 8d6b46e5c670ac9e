/** What the families of checks read. A field that may be null is a fact: a check names it in `needs` to see it. */
import type { Judged } from '../check.ts';
import type { Attribution, OrderTerms } from '../domain/order.ts';
import type { Gates } from '../gates.ts';
import type { Step } from '../measures.ts';
import type { StrategyPolicy } from '../policy.ts';
import type { QuoteSeen } from '../quote.ts';

export interface SwitchInput extends Judged {
  readonly gates: Gates;
  /** Whether all that would be traded is a proven reduction: of the account's position and of the strategy's own book. */
  readonly reduces: boolean;
}

export interface AuthorityInput extends Judged {
  /** The strategy's registration on this account; null when there is none. */
  readonly registration: StrategyPolicy | null;
  readonly attribution: Attribution | null;
  /** The token's `sub`; null for a slice, whose parent was permitted. */
  readonly subject: string | null;
}

export interface MarketInput extends Judged {
  readonly quote: QuoteSeen | null;
  /** Units a day. */
  readonly advQty: number | null;
  /** Per √year; no check computes with it, the plan that follows does. */
  readonly sigmaAnnual: number | null;
}

/** What would be traded: units and money, both ≥ 0. The notional is null without a quote. */
export interface SizeInput extends MarketInput {
  readonly tradeQty: number;
  readonly tradeNotional: number | null;
}

/**
 * The name's own limits, in money of the account's currency: the side that the trade moves to, with all of that side's open orders
 * filled. The other side is left alone: a trade cannot make it worse.
 */
export interface Reach {
  readonly nameBefore: number;
  readonly nameAfter: number;
  readonly ownBefore: number;
  readonly ownAfter: number;
  readonly equity: number;
}
export interface NameInput extends Judged {
  readonly reach: Reach | null;
  /** Governor × Kelly cap in the trade's direction, a weight of equity; `unrated` where the policy requires a forecast and there is none. */
  readonly kellyCap: number | 'unrated' | null;
}

export interface GovernorInput extends Judged {
  readonly drawdown: number | null;
  /** m(dd), in [0, 1]. */
  readonly governor: number | null;
  readonly reduces: boolean;
}

export interface Movement {
  /** By each way to look at the account that matters: a target's by its plan, a slice's by what is released, a direct order's by both. Never none: that would pass. */
  readonly steps: readonly [Step, ...Step[]];
  /** The one sector that can change; null for all of them. */
  readonly sector: string | null;
}
export interface ExposureInput extends Judged {
  /** Null without the account, without a mark of anything held, or without positive equity of a target's account. */
  readonly exposure: Movement | null;
}

export interface ClockInput extends Judged {
  readonly clockStepBackMs: number | null;
}

export interface OrderInput
  extends SwitchInput, AuthorityInput, SizeInput, NameInput, GovernorInput, ExposureInput, ClockInput {
  readonly terms: OrderTerms;
}
export interface LegInput extends SwitchInput, SizeInput, NameInput, GovernorInput {}
export interface PortfolioInput extends SwitchInput, AuthorityInput, GovernorInput, ExposureInput, ClockInput {
  /** `now − asOf`, ms; negative when it lies ahead. */
  readonly asOfAgeMs: number;
  /** What was asked for, before anything was clipped: Σ|w| of the legs and the largest |w|, of equity. */
  readonly requestedGross: number;
  readonly requestedMax: number;
}
