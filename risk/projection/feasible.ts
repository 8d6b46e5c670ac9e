/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays of checked length, indexed by their own loops */
/**
 * Whether weights keep the limits: separate plain loops that share nothing with the solver, so that they can judge it. They check
 * every target before it is solved for, and every result before it leaves.
 */
import type { Binding, CvarCap, ProjectionProblem, VolatilityCap } from './problem.ts';

/**
 * Every limit that `weights` break by more than `tolerance` (in the limit's own unit: weight, or return for volatility and CVaR),
 * with the excess as its multiplier. Empty means feasible. A number that is not finite breaks its limit.
 */
export function violations(problem: ProjectionProblem, weights: Float64Array, tolerance: number): readonly Binding[] {
  const found: Binding[] = [];
  // Written as "not within", so that NaN is a violation.
  const above = (limit: Binding['limit'], index: number, value: number, high: number): void => {
    if (!(value <= high + tolerance)) found.push({ limit, index, multiplier: value - high });
  };
  const below = (limit: Binding['limit'], index: number, value: number, low: number): void => {
    if (!(value >= low - tolerance)) found.push({ limit, index, multiplier: value - low });
  };
  let gross = 0, net = 0, turnover = 0;
  for (let i = 0; i < problem.n; i++) {
    const w = weights[i]!;
    gross += Math.abs(w);
    net += w;
    turnover += Math.abs(w - problem.current[i]!);
    above('upper', i, w, problem.upper[i]!);
    below('lower', i, w, problem.lower[i]!);
  }
  if (problem.gross !== null) above('gross', 0, gross, problem.gross);
  if (problem.turnover !== null) above('turnover', 0, turnover, problem.turnover);
  if (problem.net !== null) {
    above('net', 0, net, problem.net.high);
    below('net', 0, net, problem.net.low);
  }
  for (const [s, sector] of problem.sectors.entries()) {
    let sectorGross = 0, sectorNet = 0;
    for (const i of sector.members) {
      sectorGross += Math.abs(weights[i]!);
      sectorNet += weights[i]!;
    }
    if (sector.gross !== null) above('sectorGross', s, sectorGross, sector.gross);
    if (sector.net !== null) {
      above('sectorNet', s, sectorNet, sector.net.high);
      below('sectorNet', s, sectorNet, sector.net.low);
    }
  }
  if (problem.volatility !== null) above('volatility', 0, volatilityOf(problem.volatility, weights), problem.volatility.cap);
  if (problem.cvar !== null) above('cvar', 0, cvarOf(problem.cvar, weights), problem.cvar.cap);
  return found;
}

/** Standard deviation of the portfolio's return under the factor model, in the unit of its cap. */
export function volatilityOf(model: VolatilityCap, weights: Float64Array): number {
  let variance = 0;
  for (const loading of model.loadings) {
    let exposure = 0;
    for (let i = 0; i < weights.length; i++) exposure += loading[i]! * weights[i]!;
    variance += exposure * exposure;
  }
  for (let i = 0; i < weights.length; i++) variance += model.idiosyncratic[i]! * weights[i]! * weights[i]!;
  return Math.sqrt(variance);
}

/** Mean loss in the tail, by sorting; the scenario at the tail's edge counts by its fraction (Rockafellar and Uryasev 2002). */
export function cvarOf(model: CvarCap, weights: Float64Array): number {
  const losses = Float64Array.from(model.scenarios, (returns) => {
    let loss = 0;
    for (let i = 0; i < weights.length; i++) loss -= returns[i]! * weights[i]!;
    return loss;
  });
  losses.sort();
  const tail = (1 - model.alpha) * losses.length;
  let sum = 0;
  let room = tail;
  for (let s = losses.length - 1; s >= 0 && room > 0; s--) {
    sum += Math.min(1, room) * losses[s]!;
    room -= 1;
  }
  return sum / tail;
}
