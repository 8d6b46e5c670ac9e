/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays of checked length, indexed by their own loops */
/**
 * Semismooth Newton ascent on the dual (Qi and Sun 1993): piecewise quadratic, so that the last step is exact. Rows that are neither
 * priced nor violated stay out of the step.
 */
import { boundOf, curvature, type Dual, type Point } from './dual.ts';
import { conflictAt } from './infeasible.ts';
import { search } from './line-search.ts';
import type { Binding } from './problem.ts';
import { boundedStep } from './step.ts';

export type Ascent =
  | { readonly status: 'solved'; readonly point: Point; readonly steps: number }
  /** The variance row's price ran to zero: volatility does not bind, and its lift is singular there. */
  | { readonly status: 'slack'; readonly point: Point; readonly steps: number }
  | { readonly status: 'empty'; readonly conflicting: readonly Binding[] }
  | { readonly status: 'stalled'; readonly point: Point; readonly steps: number };

/**
 * The ascent ends where residual × largest multiplier, which bounds the gap, is this small: ½|w − w*|² ≤ gap, so it must lie far below
 * the accuracy wished. Large multipliers round coarsely: a residual of this × the largest one is also an end once steps no longer help.
 */
const RESIDUAL = 3e-13;
const COARSE = 5e-11;
const STEPS_MAX = 200;
/** A step may take this share of the variance row's price, which must stay positive. */
const PRICE_FALL_MAX = 0.9;
const SLACK_PRICE = 1e-5;

/** Maximises the dual from `start`. */
export function ascend(dual: Dual, start: Point): Ascent {
  const variance = dual.rows.findIndex((row) => row.form === 'variance');
  const slackPrice = variance === -1 ? -Infinity : SLACK_PRICE * start.multipliers[variance]!;
  let point = start;
  let earlier = point.multipliers;
  let damping = 0;
  let residual = Infinity;
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    const front = frontOf(dual, point);
    const scale = largest(point.multipliers);
    if (front.residual * scale <= RESIDUAL) return { status: 'solved', point, steps };
    const conflicting = conflictAt(dual, point, earlier);
    if (conflicting !== null) return { status: 'empty', conflicting };
    if (front.residual <= Math.min(COARSE, RESIDUAL * scale) && front.residual >= residual) return { status: 'solved', point, steps };
    residual = front.residual;
    if (variance !== -1 && point.multipliers[variance]! <= slackPrice) return { status: 'slack', point, steps };
    if ((steps & (steps - 1)) === 0) earlier = point.multipliers;
    const step = newtonStep(dual, point, front, damping);
    if (step === null) {
      damping = Math.max(1e-10, damping * 100);
      continue;
    }
    const found = search(dual, point, step, front.sides);
    point = found.point;
    damping = found.full ? (damping > 1e-6 ? damping / 10 : 0) : Math.max(1e-6, damping * 10);
  }
  return { status: 'stalled', point, steps: STEPS_MAX };
}

const largest = (multipliers: Float64Array): number => multipliers.reduce((most, y) => Math.max(most, Math.abs(y)), 1);

/** The rows that take part in a step, and how far each is from the bound that it prices. */
interface Front {
  readonly working: readonly number[];
  /** By row: the sign that its multiplier keeps; 0 where it is free (equalities). */
  readonly sides: Int8Array;
  readonly gradient: Float64Array;
  readonly residual: number;
}

function frontOf(dual: Dual, point: Point): Front {
  const working: number[] = [];
  const sides = new Int8Array(dual.rows.length);
  const gradient: number[] = [];
  let residual = 0;
  for (const [k, row] of dual.rows.entries()) {
    const y = point.multipliers[k]!;
    const value = point.values[k]!;
    const side = row.low === row.high ? 0 : y !== 0 ? Math.sign(y) : value > row.high ? 1 : value < row.low ? -1 : null;
    if (side === null) continue;
    const excess = value - boundOf(row, side);
    working.push(k);
    sides[k] = side;
    gradient.push(excess);
    residual = Math.max(residual, Math.abs(excess));
  }
  return { working, sides, gradient: Float64Array.from(gradient), residual };
}

/** The regularised, bounded Newton step over all rows; null where the matrix is not positive definite in doubles. */
function newtonStep(dual: Dual, point: Point, front: Front, damping: number): Float64Array | null {
  const { working, gradient } = front;
  const matrix = curvature(dual, point, working);
  // Dependent rows (net beside all sector nets) make H singular; with too small a shift their multipliers run away.
  const shift = Math.min(1e-8, Math.max(1e-14, 1e-7 * front.residual)) + damping;
  for (const [a, k] of working.entries()) matrix[a * working.length + a]! += shift * dual.rows[k]!.size;
  const floors = Float64Array.from(working, (k) =>
    dual.rows[k]!.form === 'variance' ? -PRICE_FALL_MAX * point.multipliers[k]! : -point.multipliers[k]!);
  const part = boundedStep({ matrix, gradient, sides: Int8Array.from(working, (k) => front.sides[k]!), floors });
  if (part === null) return null;
  const step = new Float64Array(dual.rows.length);
  for (const [a, k] of working.entries()) step[k] = part[a]!;
  return step;
}
