/**
 * The projection on the feasible set, as data: the portfolio nearest to the wished one, in unweighted Euclidean distance of
 * weights, that keeps every limit at once. Weights are fractions of the account's equity, signed (negative is short).
 */

/** A closed interval; equal ends make an equality, an infinite end no limit. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Limits on a group of names. Groups need not be disjoint. */
export interface Sector {
  /** Indices of the names, each at most once. */
  readonly members: Int32Array;
  /** Σ|w| over the members ≤ gross. */
  readonly gross: number | null;
  /** low ≤ Σw over the members ≤ high. */
  readonly net: Range | null;
}

/** √(Σ_k (loadings_k·w)² + Σ_i idiosyncratic_i·w_i²) ≤ cap: a factor model of the covariance. */
export interface VolatilityCap {
  readonly cap: number;
  /** One array a factor: each name's loading times the factor's standard deviation. */
  readonly loadings: readonly Float64Array[];
  /** Variances, ≥ 0. */
  readonly idiosyncratic: Float64Array;
}

/** Mean loss over the worst 1 − alpha of the scenarios ≤ cap; a scenario's loss is −Σ return × weight. */
export interface CvarCap {
  readonly cap: number;
  /** In [0, 1): 0.975 looks at the worst 2.5 %. The scenario at the edge of the tail counts by its fraction. */
  readonly alpha: number;
  /** One array a scenario: each name's return. */
  readonly scenarios: readonly Float64Array[];
}

export interface ProjectionProblem {
  readonly n: number;
  /** The wished weights. */
  readonly target: Float64Array;
  /** Finite boxes: name limit, Kelly bound, bans and liquidity merged by the caller. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** The book's weights now: where turnover is counted from. It may itself break limits. */
  readonly current: Float64Array;
  /** Σ|w| ≤ gross. */
  readonly gross: number | null;
  /** Σ|w − current| ≤ turnover. */
  readonly turnover: number | null;
  /** low ≤ Σw ≤ high. */
  readonly net: Range | null;
  readonly sectors: readonly Sector[];
  readonly volatility: VolatilityCap | null;
  readonly cvar: CvarCap | null;
}

export type Limit = 'gross' | 'turnover' | 'net' | 'sectorGross' | 'sectorNet' | 'volatility' | 'cvar' | 'lower' | 'upper';

/**
 * A limit that speaks. `index` is the sector's or the name's, 0 for the others. `multiplier` is
 * - in a solution: by how much ½·distance² falls per unit of room; negative where the low end of a range binds;
 * - in a conflict: the limit's share in the proof, the largest 1 in size; negative for the low end of a range;
 * - in a violation: by how much the limit is exceeded, in its own unit; negative below the low end of a range.
 */
export interface Binding {
  readonly limit: Limit;
  readonly index: number;
  readonly multiplier: number;
}

export type Projection =
  | {
      readonly status: 'feasible';
      readonly weights: Float64Array;
      readonly binding: readonly Binding[];
      /** |primal − dual| objective: the weights are within √(2·gap) of the exact answer. */
      readonly gap: number;
      /** Newton steps taken; 0 for a target that was feasible and is returned as it came. */
      readonly steps: number;
    }
  /** No portfolio inside the boxes keeps these limits together. Where bounds or a range cross: those alone. */
  | { readonly status: 'infeasible'; readonly conflicting: readonly Binding[] }
  /** Neither solved nor refuted: the caller denies. */
  | { readonly status: 'undecided'; readonly reason: string };
