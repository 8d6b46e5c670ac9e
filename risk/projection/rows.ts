/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays of checked length, indexed by their own loops */
/**
 * Limits as rows of one form: low ≤ Σ_i a_i·φ(w_i) ≤ high, where φ depends on the row's form. The solver knows rows only;
 * boxes are no rows (they are clipped), so there are few: 10 to 40 where there are hundreds of names.
 */
import type { Binding, Limit, ProjectionProblem, Range, VolatilityCap } from './problem.ts';

/** φ: linear and factor w, gross |w|, trade |w − current|, variance ½w². */
export type Form = 'linear' | 'factor' | 'gross' | 'trade' | 'variance';

export interface Row {
  readonly limit: Limit;
  readonly index: number;
  readonly form: Form;
  /** Names whose coefficient may differ from zero, in ascending order. */
  readonly members: Int32Array;
  /** a_i by name; ≥ 0 in gross, trade and variance rows, so that every row is convex. */
  readonly coefficients: Float64Array;
  /** −∞ where only the high end limits. */
  readonly low: number;
  readonly high: number;
  /** Multiplier of the limit as it was given = multiplier of the row × scale; 0 for a row that is only part of a limit. */
  readonly scale: number;
  /** Σ a²: the row's own unit of curvature. */
  readonly size: number;
}

function row(limit: Limit, index: number, form: Form, members: Int32Array, coefficients: Float64Array, range: Range, scale: number): Row {
  let size = 0;
  for (const i of members) size += coefficients[i]! * coefficients[i]!;
  return { limit, index, form, members, coefficients, low: range.low, high: range.high, scale, size };
}

const atMost = (high: number): Range => ({ low: -Infinity, high });
const everyName = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

/** The rows of a problem but for volatility and CVaR, which come as cuts or as a lift. Their order is fixed. */
export function limitRows(problem: ProjectionProblem): readonly Row[] {
  const ones = new Float64Array(problem.n).fill(1);
  const all = everyName(problem.n);
  const rows: Row[] = [];
  if (problem.gross !== null) rows.push(row('gross', 0, 'gross', all, ones, atMost(problem.gross), 1));
  if (problem.turnover !== null) rows.push(row('turnover', 0, 'trade', all, ones, atMost(problem.turnover), 1));
  if (problem.net !== null) rows.push(row('net', 0, 'linear', all, ones, problem.net, 1));
  for (const [s, sector] of problem.sectors.entries()) {
    const members = sector.members.toSorted();
    if (sector.gross !== null) rows.push(row('sectorGross', s, 'gross', members, ones, atMost(sector.gross), 1));
    if (sector.net !== null) rows.push(row('sectorNet', s, 'linear', members, ones, sector.net, 1));
  }
  return rows;
}

/** The half-space gradient·w ≤ bound, scaled to a gradient of length 1: residuals are then distances. */
export function cutRow(limit: Limit, gradient: Float64Array, bound: number): Row {
  let squares = 0;
  for (const a of gradient) squares += a * a;
  const scale = 1 / Math.sqrt(squares);
  return row(limit, 0, 'linear', everyName(gradient.length), gradient.map((a) => a * scale), atMost(bound * scale), scale);
}

/**
 * Volatility exactly, over its cap: λ prices ½(wᵀDw + |f|²) ≤ ½ and φ the identity f = Bᵀw of the factor exposures, which the
 * dual minimises out (f = φ/λ).
 */
export function liftRows(model: VolatilityCap): readonly Row[] {
  const all = everyName(model.idiosyncratic.length);
  const factors = model.loadings.map((loading) =>
    row('volatility', 0, 'factor', all, loading.map((b) => b / model.cap), { low: 0, high: 0 }, 0));
  const variances = model.idiosyncratic.map((d) => d / (model.cap * model.cap));
  return [...factors, row('volatility', 0, 'variance', all, variances, atMost(0.5), 1 / model.cap)];
}

/** The rows' multipliers as their limits': cuts of one limit are summed, the parts of a lift and unpriced limits left out. */
export function priced(rows: readonly Row[], multipliers: Float64Array): readonly Binding[] {
  const sums = new Map<string, Binding>();
  for (const [k, { limit, index, scale }] of rows.entries()) {
    const multiplier = multipliers[k]! * scale;
    if (multiplier === 0) continue;
    const key = `${limit}:${String(index)}`;
    sums.set(key, { limit, index, multiplier: multiplier + (sums.get(key)?.multiplier ?? 0) });
  }
  return [...sums.values()];
}
