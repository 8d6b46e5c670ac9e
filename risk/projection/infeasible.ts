/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays of checked length, indexed by their own loops */
/**
 * Proofs that no portfolio keeps the limits, read off multipliers that grow without end. Both hold whatever the multipliers are:
 * (a) weak duality: the dual exceeds the farthest distance inside the boxes;
 * (b) Farkas: inside the boxes the priced sum of the limits' excesses is positive everywhere.
 */
import { boundOf, pricesOf, type Dual, type Point } from './dual.ts';
import type { Binding } from './problem.ts';
import { priced } from './rows.ts';

/** Relative margin by which a proof must hold, above rounding. */
const MARGIN = 1e-9;

/**
 * The limits that conflict, if the multipliers of `point`, or their growth since `earlier`, prove it; else null. The growth drops what
 * the multipliers stood at before they began to run away. The largest share is 1 in size.
 */
export function conflictAt(dual: Dual, point: Point, earlier: Float64Array): readonly Binding[] | null {
  const { multipliers, weights } = point;
  const growth = multipliers.map((y, k) => {
    const grown = y - earlier[k]!;
    return Number.isFinite(boundOf(dual.rows[k]!, grown)) ? grown : 0;
  });
  for (const proof of [multipliers, growth]) {
    if (refutes(dual, proof, weights)) return shares(dual, fewest(dual, proof, weights));
  }
  return point.objective > (1 + MARGIN) * farthest(dual) ? shares(dual, multipliers) : null;
}

/** ½·the largest squared distance from the target inside the boxes. */
function farthest({ n, target, lower, upper }: Dual): number {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const reach = Math.max(Math.abs(lower[i]! - target[i]!), Math.abs(upper[i]! - target[i]!));
    sum += 0.5 * reach * reach;
  }
  return sum;
}

/**
 * Whether min over the boxes of Σ y·(row − bound) > 0. The sum is convex and piecewise linear by name, so a bound or a kink is least.
 * A lift enters by its tangent at `weights`: (φ, λDw)·(Bᵀv, v) ≤ |(φ, λ√D w)| for every v within the cap.
 */
function refutes(dual: Dual, multipliers: Float64Array, weights: Float64Array): boolean {
  const prices = pricesOf(dual, multipliers);
  let least = 0, size = 0, lambda = 0, cone = 0;
  const add = (term: number): void => {
    least += term;
    size += Math.abs(term);
  };
  for (const [k, row] of dual.rows.entries()) {
    const y = multipliers[k]!;
    if (row.form === 'factor') cone += y * y;
    else if (row.form === 'variance') lambda = y;
    else if (y !== 0) add(-y * boundOf(row, y));
  }
  for (let i = 0; i < dual.n; i++) {
    const pull = prices.variance[i]! * weights[i]!;
    cone += lambda * pull * weights[i]!;
    add(leastOf(dual, i, prices.linear[i]! + pull, prices.gross[i]!, prices.trade[i]!));
  }
  add(-Math.sqrt(cone));
  return least > MARGIN * size;
}

/** min over name i's box of charge·w + g|w| + τ|w − c|: tried at both bounds and at the kinks between them. */
function leastOf(dual: Dual, i: number, charge: number, g: number, tau: number): number {
  const low = dual.lower[i]!;
  const high = dual.upper[i]!;
  const c = dual.kink[i]!;
  const at = (w: number): number => charge * w + g * Math.abs(w) + tau * Math.abs(w - c);
  const inside = (w: number): number => (w < low ? low : w > high ? high : w);
  return Math.min(at(low), at(high), at(inside(0)), at(inside(c)));
}

/** Leaves out, in order, every row without which the proof still holds: what remains all takes part in the conflict. */
function fewest(dual: Dual, multipliers: Float64Array, weights: Float64Array): Float64Array {
  let kept = multipliers;
  for (const [k, row] of dual.rows.entries()) {
    if (kept[k] === 0 || row.form === 'factor') continue;
    // The parts of a lift go together.
    const fewer = kept.map((y, l) => (l === k || (row.form === 'variance' && dual.rows[l]!.form === 'factor') ? 0 : y));
    if (refutes(dual, fewer, weights)) kept = fewer;
  }
  return kept;
}

function shares(dual: Dual, multipliers: Float64Array): readonly Binding[] {
  const bindings = priced(dual.rows, multipliers);
  const most = bindings.reduce((largest, { multiplier }) => Math.max(largest, Math.abs(multiplier)), 0);
  return bindings.map((binding) => ({ ...binding, multiplier: binding.multiplier / most }));
}
