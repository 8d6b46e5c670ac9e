/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays of checked length, indexed by their own loops */
/**
 * Volatility and CVaR join the rows as they are found broken. CVaR: the tail's mean scenario is a half-space, and there are finitely
 * many tails (Kelley 1960). Volatility: first tangents, then, because hundreds may be needed, exactly by a lift.
 */
import { cvarOf, volatilityOf } from './feasible.ts';
import type { CvarCap, ProjectionProblem, VolatilityCap } from './problem.ts';
import { cutRow, liftRows, type Row } from './rows.ts';

/** Rows and the multipliers to go on from. */
export interface Model {
  readonly rows: readonly Row[];
  readonly multipliers: Float64Array;
}

/** Tangents of volatility before the lift: moderate breaches are done by then. */
const TANGENTS_MAX = 4;
/** Excess left to the solution, as a fraction of the cap (or of a thousandth, whichever is larger: a CVaR cap may be 0). */
const EXCESS = 1e-11;

/** The model that also knows what `weights` break of volatility and CVaR; null when they keep both. */
export function refine(problem: ProjectionProblem, model: Model, weights: Float64Array): Model | null {
  const { volatility, cvar } = problem;
  let next = model;
  if (volatility !== null && !isLifted(model) && exceeds(volatilityOf(volatility, weights), volatility.cap)) {
    const tangents = model.rows.filter((row) => row.limit === 'volatility').length;
    const price = priceOfVolatility(model);
    // A lift is singular without a price to start from.
    next = tangents >= TANGENTS_MAX && price > 0 ? lifted(volatility, model, weights, price) : withRow(model, tangent(volatility, weights));
  }
  if (cvar !== null && exceeds(cvarOf(cvar, weights), cvar.cap)) next = withRow(next, tailCut(cvar, weights));
  return next === model ? null : next;
}

const exceeds = (value: number, cap: number): boolean => value > cap + EXCESS * Math.max(1e-3, Math.abs(cap));
const isLifted = (model: Model): boolean => model.rows.some((row) => row.form === 'variance');

function withRow(model: Model, row: Row): Model {
  return { rows: [...model.rows, row], multipliers: Float64Array.from([...model.multipliers, 0]) };
}

/** The model without any row of volatility: from a lift whose price ran to zero the search starts afresh with tangents. */
export function withoutVolatility({ rows, multipliers }: Model): Model {
  const stays = (_: unknown, k: number): boolean => rows[k]!.limit !== 'volatility';
  return { rows: rows.filter(stays), multipliers: multipliers.filter(stays) };
}

function priceOfVolatility({ rows, multipliers }: Model): number {
  return rows.reduce((sum, row, k) => (row.limit === 'volatility' ? sum + multipliers[k]! * row.scale : sum), 0);
}

/** Exact volatility in place of its tangents, from the price that they found: λ = price × cap and φ = λBᵀw. */
function lifted(volatility: VolatilityCap, model: Model, weights: Float64Array, price: number): Model {
  const lambda = price * volatility.cap;
  const lift = liftRows(volatility);
  const start = lift.map((row) => (row.form === 'variance' ? lambda : lambda * dot(row.coefficients, weights)));
  const others = withoutVolatility(model);
  return { rows: [...others.rows, ...lift], multipliers: Float64Array.from([...others.multipliers, ...start]) };
}

/** (Σw/σ(w))·v ≤ cap: σ is convex, so its tangent lies below it. */
function tangent(volatility: VolatilityCap, weights: Float64Array): Row {
  const gradient = volatility.idiosyncratic.map((d, i) => d * weights[i]!);
  for (const loading of volatility.loadings) {
    const exposure = dot(loading, weights);
    for (let i = 0; i < gradient.length; i++) gradient[i]! += exposure * loading[i]!;
  }
  const sigma = volatilityOf(volatility, weights);
  return cutRow('volatility', gradient.map((g) => g / sigma), volatility.cap);
}

/** −(mean scenario of the tail)·v ≤ cap. Ties between scenarios break by index; the last one counts by its fraction. */
function tailCut(cvar: CvarCap, weights: Float64Array): Row {
  const losses = cvar.scenarios.map((returns) => -dot(returns, weights));
  const worst = losses.map((_, s) => s).sort((a, b) => losses[b]! - losses[a]! || a - b);
  const tail = (1 - cvar.alpha) * losses.length;
  const gradient = new Float64Array(weights.length);
  let room = tail;
  for (const s of worst) {
    if (room <= 0) break;
    const share = Math.min(1, room) / tail;
    for (let i = 0; i < gradient.length; i++) gradient[i]! -= share * cvar.scenarios[s]![i]!;
    room -= 1;
  }
  return cutRow('cvar', gradient, cvar.cap);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
