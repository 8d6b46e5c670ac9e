/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays of checked length, indexed by their own loops */
/** The projection on the feasible set: pure, deterministic (only + − × ÷ √, fixed loop order), checked before it is returned. */
import { refine, withoutVolatility, type Model } from './cuts.ts';
import { dualOf, evaluate, type Dual, type Point } from './dual.ts';
import { violations } from './feasible.ts';
import { malformed } from './malformed.ts';
import { ascend } from './newton.ts';
import type { Binding, Projection, ProjectionProblem } from './problem.ts';
import { limitRows, priced, type Row } from './rows.ts';

/** What feasible means: no limit exceeded by more than this, in its own unit. A result is therefore returned unchanged the next time. */
export const FEASIBILITY = 1e-10;
/** Largest |primal − dual| of a result, relative to the objective from 1 on: its weights lie within 1.5e-5 of the exact ones. */
const GAP_MAX = 1e-10;
const ROUNDS_MAX = 100;

/**
 * The weights nearest to `problem.target` (unweighted Euclidean distance) that keep every limit, with what binds; or the limits that
 * no portfolio inside the boxes keeps together; or 'undecided', where the caller denies. A feasible target is returned as it came.
 * Semismooth Newton on the dual, boxes by clipping, CVaR by cuts, volatility by cuts and then a lift. Never throws.
 */
export function project(problem: ProjectionProblem): Projection {
  const fault = malformed(problem);
  if (fault !== null) return { status: 'undecided', reason: fault };
  if (violations(problem, problem.target, FEASIBILITY).length === 0) {
    return { status: 'feasible', weights: problem.target.slice(), binding: [], gap: 0, steps: 0 };
  }
  const rows = limitRows(problem);
  const conflicting = crossed(problem, rows);
  return conflicting.length > 0 ? { status: 'infeasible', conflicting } : solve(problem, rows);
}

/** Bounds and ranges whose low end lies above the high one. */
function crossed({ n, lower, upper }: ProjectionProblem, rows: readonly Row[]): readonly Binding[] {
  const found: Binding[] = [];
  for (let i = 0; i < n; i++) {
    if (lower[i]! > upper[i]!) found.push({ limit: 'lower', index: i, multiplier: 1 }, { limit: 'upper', index: i, multiplier: 1 });
  }
  for (const { limit, index, low, high } of rows) if (low > high) found.push({ limit, index, multiplier: 1 });
  return found;
}

function solve(problem: ProjectionProblem, rows: readonly Row[]): Projection {
  let model: Model = { rows, multipliers: new Float64Array(rows.length) };
  let steps = 0;
  let refined = false;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const dual = dualOf(problem, model.rows);
    const ascent = ascend(dual, evaluate(dual, model.multipliers));
    if (ascent.status === 'empty') return { status: 'infeasible', conflicting: ascent.conflicting };
    steps += ascent.steps;
    const { point } = ascent;
    const reached: Model = { rows: model.rows, multipliers: point.multipliers };
    const slack = ascent.status === 'slack';
    const next = slack ? withoutVolatility(reached) : refine(problem, reached, point.weights);
    // A cut that took no step to keep is kept up to rounding: the self-check decides.
    if (next === null || (refined && ascent.steps === 0)) return checked(problem, dual, point, steps);
    if (ascent.status === 'stalled') break;
    model = next;
    refined = !slack;
  }
  return { status: 'undecided', reason: `no solution after ${steps} Newton steps` };
}

/** The self-check: every limit in separate loops, and the distance from the dual's bound. A stalled ascent may pass it. */
function checked(problem: ProjectionProblem, dual: Dual, point: Point, steps: number): Projection {
  // Adding zero turns −0 into 0, which records do not know.
  const weights = point.weights.map((w) => w + 0);
  let distance = 0;
  for (let i = 0; i < problem.n; i++) distance += 0.5 * (weights[i]! - problem.target[i]!) * (weights[i]! - problem.target[i]!);
  const gap = Math.abs(distance - point.objective);
  const broken = violations(problem, weights, FEASIBILITY);
  if (broken.length > 0) return { status: 'undecided', reason: `solution breaks ${broken[0]!.limit} by ${broken[0]!.multiplier}` };
  if (!(gap <= GAP_MAX * Math.max(1, distance))) return { status: 'undecided', reason: `solution not proved nearest: gap ${gap}` };
  return { status: 'feasible', weights, binding: [...priced(dual.rows, point.multipliers), ...boxes(dual, point)], gap, steps };
}

/** The boxes that bind, priced by the one-sided slope of the Lagrangian there. */
function boxes(dual: Dual, { weights, prices }: Point): readonly Binding[] {
  const binding: Binding[] = [];
  for (let i = 0; i < dual.n; i++) {
    const w = weights[i]!;
    const c = dual.kink[i]!;
    const smooth = w - dual.target[i]! + prices.variance[i]! * w + prices.linear[i]!;
    const g = prices.gross[i]!;
    const tau = prices.trade[i]!;
    const rightSlope = smooth + (w >= 0 ? g : -g) + (w >= c ? tau : -tau);
    const leftSlope = smooth + (w > 0 ? g : -g) + (w > c ? tau : -tau);
    if (w === dual.upper[i] && rightSlope < 0) binding.push({ limit: 'upper', index: i, multiplier: -rightSlope });
    if (w === dual.lower[i] && leftSlope > 0) binding.push({ limit: 'lower', index: i, multiplier: leftSlope });
  }
  return binding;
}
