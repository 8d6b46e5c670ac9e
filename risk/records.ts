/**
 * The records that the risk room folds. Bodies are JSON: decimals as strings, instants as text. Each shape has a version (`v` in the
 * envelope); an older version is read by an upcaster, never rewritten.
 */
import type { Attribution, OrderType, Side, Tif } from './domain/order.ts';
import type { Basis } from './domain/target.ts';
import type { Verdict } from './domain/verdict.ts';
import type { SymbolFactsJson } from './facts.ts';

/** The policy and the universe come in force by hash; their texts are blobs, content-addressed. */
export interface PolicyActivated {
  readonly id: string;
  readonly version: number;
  /** SHA-256 of the canonical policy, hex. */
  readonly hash: string;
  readonly universeHash: string;
}
export interface StrategyRegistered {
  readonly strategy: string;
  readonly account: string;
  readonly attribution: Attribution;
}
export interface AccountFunded {
  readonly account: string;
  readonly currency: string;
  /** Signed: a withdrawal is negative. The high-water mark moves with it, so a deposit fakes no performance. */
  readonly amount: string;
}
/** At most once a second and account: equity, its high-water mark, and the marks that changed since the last one. */
export interface AccountMarked {
  readonly account: string;
  readonly equity: string;
  readonly peak: string;
  readonly marks: Readonly<Record<string, string>>;
}

export type ScopeKind = 'firm' | 'venue' | 'account' | 'strategy' | 'trader' | 'instrument';
export interface Scope {
  readonly kind: ScopeKind;
  readonly id: string;
}
export type SwitchState = 'active' | 'reducing' | 'halted';
export interface SwitchFlipped {
  readonly requestId: string | null;
  readonly scope: Scope;
  readonly state: SwitchState;
  readonly previous: SwitchState;
  readonly cancel: 'working' | 'none';
  readonly reason: string;
  /** Counts the engagements of this switch: an approval to release binds to one of them. */
  readonly engagement: number;
  /** The approval that allowed a release; null when tightening. */
  readonly approval: string | null;
}

/** A decision as recorded: clips and denials whole, passes as observed values in the order of the check list that the policy's hash names. */
export interface DecisionJson {
  readonly decision: 'accepted' | 'clipped' | 'denied';
  readonly verdicts: readonly Verdict[];
  /** One entry per check of the list: the observed value of a pass; null when the check is in `verdicts` or off. */
  readonly observed: readonly (string | null)[];
}

export interface TargetDecided extends DecisionJson {
  readonly targetId: string;
  readonly account: string;
  readonly strategy: string;
  readonly asOf: string;
  readonly basis: Basis;
  readonly mode: 'clip' | 'all_or_none';
  readonly scope: 'listed' | 'complete';
  readonly horizonSeconds: number;
  readonly attribution: Attribution | null;
  /** SHA-256 of the canonical request, hex: equality of a repeat. */
  readonly requestHash: string;
  readonly policy: { readonly id: string; readonly version: number; readonly hash: string };
  /** How many `leg.decided` follow in the same unit: the listed legs in their order, then the closings of `complete`. */
  readonly legs: number;
  readonly source: string;
  readonly equity: string | null;
  readonly peak: string | null;
  readonly governor: number | null;
}
export interface LegDecided extends DecisionJson {
  /** Id of the parent order, `[A-Z0-9]`, or null when there is nothing to do. */
  readonly clOrdId: string | null;
  readonly targetId: string;
  readonly account: string;
  readonly strategy: string;
  readonly symbol: string;
  /** As asked, by the portfolio's basis; null for a closing that `complete` added. */
  readonly requested: string | null;
  readonly allowed: string;
  /** Signed: what is to be traded. */
  readonly deltaQty: string;
  readonly mu: number | null;
  readonly sigma: number | null;
  readonly forecastDays: number | null;
  readonly facts: SymbolFactsJson;
  /** Mid at the decision; null when there was none. */
  readonly arrivalPx: string | null;
  /** Parents of the same strategy and symbol whose unreleased remainder ends here. */
  readonly withdraws: readonly string[];
  /** Cumulative quantities that may have been released by the beginning of each slice: slices of equal time from the decision to `expireAt`. */
  readonly schedule: readonly string[];
  readonly expireAt: string | null;
}
export interface TargetWithdrawn {
  readonly targetId: string;
  readonly account: string;
  readonly strategy: string;
  readonly reason: string;
  readonly parents: readonly string[];
}
/** The economic content of an order, as it stands in a record. */
export interface OrderTermsJson {
  readonly account: string;
  readonly strategy: string;
  readonly symbol: string;
  readonly side: Side;
  readonly orderQty: string;
  readonly type: OrderType;
  readonly limitPx: string | null;
  readonly tif: Tif;
  readonly expireAt: string | null;
  readonly participation: number | null;
}
export interface OrderDecided extends DecisionJson, OrderTermsJson {
  /** The caller's. */
  readonly clOrdId: string;
  /** Ours: the parent, unique in the log. */
  readonly parent: string;
  readonly attribution: Attribution | null;
  readonly requestHash: string;
  readonly policy: { readonly id: string; readonly version: number; readonly hash: string };
  readonly source: string;
  readonly facts: SymbolFactsJson;
  readonly arrivalPx: string | null;
  /** Whether this decision is on an amendment of the order with this clOrdId. */
  readonly amends: boolean;
}

export interface RiskRecords {
  'policy.activated': PolicyActivated;
  'strategy.registered': StrategyRegistered;
  'account.funded': AccountFunded;
  'account.marked': AccountMarked;
  'switch.flipped': SwitchFlipped;
  'target.decided': TargetDecided;
  'leg.decided': LegDecided;
  'target.withdrawn': TargetWithdrawn;
  'order.decided': OrderDecided;
}
