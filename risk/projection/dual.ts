/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays of checked length, indexed by their own loops */
/**
 * The dual of the projection. With the rows' multipliers fixed the problem separates by name and is solved by clipping; what is
 * left is to maximise a concave function of a few multipliers, whose gradient is how far each row is from its bound.
 */
import type { ProjectionProblem } from './problem.ts';
import type { Form, Row } from './rows.ts';

export interface Dual {
  readonly n: number;
  readonly target: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** The second kink beside 0: the current weight, or 0 again where turnover is not limited. */
  readonly kink: Float64Array;
  readonly rows: readonly Row[];
}

/** What the multipliers charge each name, by form; linear and factor rows charge into the same array. */
export type Prices = Readonly<Record<Form, Float64Array>>;

/** The dual at one set of multipliers. */
export interface Point {
  readonly multipliers: Float64Array;
  readonly prices: Prices;
  /** The weights nearest to the target at these prices. */
  readonly weights: Float64Array;
  /** 1/m_i for a name free to move, 0 for one held at a bound or at a kink. */
  readonly mobility: Float64Array;
  /** Σ a·φ(w) by row. */
  readonly values: Float64Array;
  /** The dual objective: a lower bound of ½·distance² over the feasible set. */
  readonly objective: number;
}

export function dualOf(problem: ProjectionProblem, rows: readonly Row[]): Dual {
  const { n, target, lower, upper } = problem;
  return { n, target, lower, upper, kink: problem.turnover === null ? new Float64Array(n) : problem.current, rows };
}

/** The bound that a row's multiplier prices: the high end when positive, the low end when negative. */
export const boundOf = (row: Row, side: number): number => (side < 0 ? row.low : row.high);

export function pricesOf(dual: Dual, multipliers: Float64Array): Prices {
  const linear = new Float64Array(dual.n);
  const zeros = (): Float64Array => new Float64Array(dual.n);
  const prices: Prices = { linear, factor: linear, gross: zeros(), trade: zeros(), variance: zeros() };
  for (const [k, row] of dual.rows.entries()) {
    const y = multipliers[k]!;
    if (y === 0) continue;
    const into = prices[row.form];
    const a = row.coefficients;
    for (const i of row.members) into[i]! += y * a[i]!;
  }
  return prices;
}

/**
 * The weight nearest to its target at given prices, before the box: min ½m·w² − pull·w + g|w| + τ|w − c|, m = 1 + λD.
 * Three cases by the side of both kinks on which the minimiser lies; no sorting.
 */
function nearest(pull: number, m: number, g: number, tau: number, c: number): number {
  const below = Math.min(0, c);
  const above = Math.max(0, c);
  const left = (pull + g + tau) / m;
  if (left < below) return left;
  const right = (pull - g - tau) / m;
  if (right > above) return right;
  const between = (pull + (c > 0 ? tau - g : g - tau)) / m;
  return between < below ? below : between > above ? above : between;
}

function fill(dual: Dual, prices: Prices, weights: Float64Array, mobility: Float64Array): void {
  for (let i = 0; i < dual.n; i++) {
    const m = 1 + prices.variance[i]!;
    const g = prices.gross[i]!;
    const tau = prices.trade[i]!;
    const c = dual.kink[i]!;
    const low = dual.lower[i]!;
    const high = dual.upper[i]!;
    const w = nearest(dual.target[i]! - prices.linear[i]!, m, g, tau, c);
    weights[i] = w < low ? low : w > high ? high : w;
    // Clipping the unconstrained minimiser is exact in one dimension. A tie counts as free: more curvature, a safer step.
    const held = w < low || w > high || low === high || (w === 0 && g > 0) || (w === c && tau > 0);
    mobility[i] = held ? 0 : 1 / m;
  }
}

/** Evaluates the dual: O(n) for each row. */
export function evaluate(dual: Dual, multipliers: Float64Array): Point {
  const { n, rows, kink, target } = dual;
  const prices = pricesOf(dual, multipliers);
  const weights = new Float64Array(n);
  const mobility = new Float64Array(n);
  fill(dual, prices, weights, mobility);
  const seen: Prices = {
    linear: weights, factor: weights, gross: weights.map(Math.abs),
    trade: weights.map((w, i) => Math.abs(w - kink[i]!)), variance: weights.map((w) => 0.5 * w * w),
  };
  const values = new Float64Array(rows.length);
  for (const [k, row] of rows.entries()) {
    const a = row.coefficients;
    const phi = seen[row.form];
    let sum = 0;
    for (const i of row.members) sum += a[i]! * phi[i]!;
    values[k] = sum;
  }
  lift(rows, multipliers, values);
  let objective = 0;
  for (let i = 0; i < n; i++) objective += 0.5 * (weights[i]! - target[i]!) * (weights[i]! - target[i]!);
  for (const [k, row] of rows.entries()) {
    const y = multipliers[k]!;
    if (y !== 0) objective += y * (values[k]! - boundOf(row, y));
  }
  return { multipliers, prices, weights, mobility, values, objective };
}

/** Adds the factor exposures' own share, f = φ/λ, to the rows of a lift; nothing without one. */
function lift(rows: readonly Row[], multipliers: Float64Array, values: Float64Array): void {
  const last = rows.findIndex((row) => row.form === 'variance');
  if (last === -1) return;
  const lambda = multipliers[last]!;
  for (const [k, row] of rows.entries()) {
    if (row.form !== 'factor') continue;
    const exposure = multipliers[k]! / lambda;
    values[k]! -= exposure;
    values[last]! += 0.5 * exposure * exposure;
  }
}

/** −∂²objective over the rows `working`, row by row: Σ over free names of slope·slopeᵀ/m, and the lift's own terms. */
export function curvature(dual: Dual, point: Point, working: readonly number[]): Float64Array {
  const { weights, mobility, multipliers } = point;
  const ones = new Float64Array(dual.n).fill(1);
  const slopes: Prices = {
    linear: ones, factor: ones, gross: weights.map(Math.sign), trade: weights.map((w, i) => Math.sign(w - dual.kink[i]!)), variance: weights,
  };
  const size = working.length;
  const rows = working.map((k) => dual.rows[k]!);
  const directions = rows.map((row) => {
    const direction = new Float64Array(dual.n);
    for (const i of row.members) direction[i] = row.coefficients[i]! * slopes[row.form][i]!;
    return direction;
  });
  const matrix = new Float64Array(size * size);
  for (let k = 0; k < size; k++) {
    for (let l = 0; l <= k; l++) {
      const a = directions[k]!;
      const b = directions[l]!;
      const shorter = rows[k]!.members.length < rows[l]!.members.length ? rows[k]! : rows[l]!;
      let sum = 0;
      for (const i of shorter.members) sum += a[i]! * b[i]! * mobility[i]!;
      matrix[k * size + l] = matrix[l * size + k] = sum;
    }
  }
  liftCurvature(rows, working.map((k) => multipliers[k]!), matrix);
  return matrix;
}

function liftCurvature(rows: readonly Row[], multipliers: readonly number[], matrix: Float64Array): void {
  const last = rows.findIndex((row) => row.form === 'variance');
  if (last === -1) return;
  const size = rows.length;
  const lambda = multipliers[last]!;
  for (const [k, row] of rows.entries()) {
    if (row.form !== 'factor') continue;
    const exposure = multipliers[k]! / lambda;
    matrix[k * size + k]! += 1 / lambda;
    matrix[k * size + last]! -= exposure / lambda;
    matrix[last * size + k]! -= exposure / lambda;
    matrix[last * size + last]! += (exposure * exposure) / lambda;
  }
}
