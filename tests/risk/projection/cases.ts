import type { ProjectionProblem } from '../../../risk/projection/problem.ts';

/** Inputs of a reference case of topic `projection`. Every limit that a case does not name is absent. */
export interface ProjectionInputs {
  readonly target: readonly number[];
  readonly grossLimit?: number;
  readonly netRange?: readonly [number, number];
  readonly perName?: { readonly lower: number; readonly upper: number };
  readonly sectorNet?: readonly { readonly members: readonly number[]; readonly limit: number }[];
  readonly current?: readonly number[];
  readonly turnoverLimit?: number;
  readonly scenarios?: readonly (readonly number[])[];
  readonly tailCount?: number;
  readonly cvarLimit?: number;
}

/** Wider than any weight of a case: the solver wants finite boxes. */
const WIDE = 10;

/**
 * O-PROJ-1…4 as problems: a sector's net limit is symmetric; no current book is an empty one, which without a turnover limit has no effect;
 * the mean of the worst k of S losses is CVaR at alpha = 1 − k/S. O-PROJ-5 is a formula (proportional scaling), not a projection.
 */
export function problemOf(inputs: ProjectionInputs): ProjectionProblem {
  const n = inputs.target.length;
  return {
    n,
    target: Float64Array.from(inputs.target),
    lower: new Float64Array(n).fill(inputs.perName?.lower ?? -WIDE),
    upper: new Float64Array(n).fill(inputs.perName?.upper ?? WIDE),
    current: inputs.current === undefined ? new Float64Array(n) : Float64Array.from(inputs.current),
    gross: inputs.grossLimit ?? null,
    turnover: inputs.turnoverLimit ?? null,
    net: inputs.netRange === undefined ? null : { low: inputs.netRange[0], high: inputs.netRange[1] },
    sectors: (inputs.sectorNet ?? []).map(({ members, limit }) => ({ members: Int32Array.from(members), gross: null, net: { low: -limit, high: limit } })),
    volatility: null,
    cvar: cvarOf(inputs),
  };
}

function cvarOf({ scenarios, tailCount, cvarLimit }: ProjectionInputs): ProjectionProblem['cvar'] {
  if (scenarios === undefined || tailCount === undefined || cvarLimit === undefined) return null;
  return { cap: cvarLimit, alpha: 1 - tailCount / scenarios.length, scenarios: scenarios.map((returns) => Float64Array.from(returns)) };
}

/** What a case expects of a solution, by the names that it uses: w, gross, net, distance, and turnover or cvar where they are limited. */
export function answersOf(problem: ProjectionProblem, weights: Float64Array): Readonly<Record<string, number | readonly number[]>> {
  const sum = (value: (w: number, i: number) => number): number => weights.reduce((total, w, i) => total + value(w, i), 0);
  const losses = (problem.cvar?.scenarios ?? []).map((returns) => sum((w, i) => -w * returns[i]!)).sort((a, b) => b - a);
  const tail = Math.round((1 - (problem.cvar?.alpha ?? 0)) * losses.length);
  return {
    w: [...weights], gross: sum(Math.abs), net: sum((w) => w), distance: Math.sqrt(sum((w, i) => (w - problem.target[i]!) ** 2)),
    turnover: sum((w, i) => Math.abs(w - problem.current[i]!)), cvar: losses.slice(0, tail).reduce((total, loss) => total + loss, 0) / tail,
  };
}
