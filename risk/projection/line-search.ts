/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays of checked length, indexed by their own loops */
/** The line search of the dual ascent: the slope along the step falls monotonically, so its root is bracketed. */
import { boundOf, evaluate, type Dual, type Point } from './dual.ts';

/** Slopes within this fraction of the first one are near enough to the root. */
const NEAR = 0.5;
const TRIALS_MAX = 100;
const FURTHEST = 2 ** 40;
/** Relative rounding of the objective: a fall by less is no fall. */
const ROUNDING = 1e-14;

export interface Found {
  readonly point: Point;
  /** Whether the whole step was taken. */
  readonly full: boolean;
}

/**
 * Goes along `step` from `from`. The whole step is taken if the objective did not fall and the slope at its end is not steeply
 * negative; the slope alone is no test, it has passed steps that lost much. Else false position, with a bisection whenever it
 * does not halve the bracket.
 */
export function search(dual: Dual, from: Point, step: Float64Array, sides: Int8Array): Found {
  const at = (alpha: number): Point => evaluate(dual, from.multipliers.map((y, k) => y + alpha * step[k]!));
  const first = slope(dual, from, step, sides);
  const room = dual.rows.some((row) => row.form === 'variance') ? roomOf(from, step, sides) : 1;
  // A slope that hardly fell asks for more: under a lift the steps towards emptiness are all alike and would take for ever.
  const further = (reached: Point): Point => {
    let best = reached;
    for (let alpha = 2; alpha < room && slope(dual, best, step, sides) > NEAR * first; alpha *= 2) {
      const next = at(alpha);
      if (!(next.objective >= best.objective)) break;
      best = next;
    }
    return best;
  };
  const whole = at(1);
  const last = slope(dual, whole, step, sides);
  const floor = from.objective - ROUNDING * Math.max(1, Math.abs(from.objective));
  if (whole.objective >= floor && last >= -NEAR * first) return { point: further(whole), full: true };
  let left = 0, leftSlope = first, right = 1, rightSlope = last;
  let point = from;
  let bisect = false;
  for (let trial = 0; trial < TRIALS_MAX && right - left > 0; trial++) {
    const width = right - left;
    const share = bisect || !(rightSlope < 0) ? 0.5 : leftSlope / (leftSlope - rightSlope);
    const alpha = left + width * Math.min(0.95, Math.max(0.05, share));
    point = at(alpha);
    const here = slope(dual, point, step, sides);
    if (Math.abs(here) <= NEAR * first && point.objective >= floor) break;
    if (here > 0) {
      left = alpha;
      leftSlope = here;
    } else {
      right = alpha;
      rightSlope = here;
    }
    bisect = right - left > width / 2;
  }
  return { point, full: false };
}

/** The multiple of the step at which the first multiplier would change its sign. */
function roomOf(from: Point, step: Float64Array, sides: Int8Array): number {
  let room = FURTHEST;
  for (const [k, side] of sides.entries()) {
    if (side * step[k]! < 0) room = Math.min(room, -from.multipliers[k]! / step[k]!);
  }
  return room;
}

function slope(dual: Dual, point: Point, step: Float64Array, sides: Int8Array): number {
  let sum = 0;
  for (const [k, row] of dual.rows.entries()) {
    if (step[k] !== 0) sum += step[k]! * (point.values[k]! - boundOf(row, sides[k]!));
  }
  return sum;
}
