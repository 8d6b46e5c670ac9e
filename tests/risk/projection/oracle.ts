import { createRequire } from 'node:module';
import type { ProjectionProblem, Range } from '../../../risk/projection/problem.ts';

/** Goldfarb and Idnani's dual active set, ported from R: min ½xᵀDx − dᵀx, Aᵀx ≥ b, the first `equalities` as equalities; indices from 1. */
interface Quadprog {
  solveQP(D: number[][], d: number[], A: number[][], b: number[], equalities: number): { solution: number[]; message: string };
}

const quadprog = createRequire(import.meta.url)('quadprog') as Quadprog;

const ROUNDS_MAX = 1000;
/** Excess at which a limit counts as kept, in its own unit. */
const KEPT = 1e-11;

/** gradient·w ≤ bound. */
interface HalfSpace {
  readonly gradient: readonly number[];
  readonly bound: number;
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/**
 * The projection by another algorithm, which shares no line with ours: boxes and ranges solved by quadprog, every other limit by the
 * half-space that supports it where the last answer breaks it, until none is broken. Throws when quadprog finds no solution.
 */
export function oracle(problem: ProjectionProblem): number[] {
  const cuts: HalfSpace[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const weights = solve(problem, cuts);
    const broken = supports(problem, weights).filter(({ gradient, bound }) => dot(gradient, weights) > bound + KEPT);
    if (broken.length === 0) return weights;
    cuts.push(...broken);
  }
  throw new Error(`no solution after ${ROUNDS_MAX} rounds of cuts`);
}

function solve({ n, target, lower, upper, net, sectors }: ProjectionProblem, cuts: readonly HalfSpace[]): number[] {
  const equal: HalfSpace[] = [];
  const less: HalfSpace[] = [...cuts];
  const range = (members: readonly number[], { low, high }: Range): void => {
    const gradient = Array.from({ length: n }, (_, i) => (members.includes(i) ? 1 : 0));
    if (low === high) equal.push({ gradient, bound: high });
    else less.push({ gradient, bound: high }, { gradient: gradient.map((g) => -g), bound: -low });
  };
  const names = [...Array(n).keys()];
  for (const i of names) {
    const unit = names.map((j) => (i === j ? 1 : 0));
    less.push({ gradient: unit, bound: upper[i]! }, { gradient: unit.map((g) => -g), bound: -lower[i]! });
  }
  if (net !== null) range(names, net);
  for (const sector of sectors) if (sector.net !== null) range([...sector.members], sector.net);
  const rows = [...equal, ...less];
  const identity = [[0], ...names.map((i) => [0, ...names.map((j) => (i === j ? 1 : 0))])];
  const A = [[0], ...names.map((i) => [0, ...rows.map(({ gradient }) => -gradient[i]!)])];
  const { solution, message } = quadprog.solveQP(identity, [0, ...target], A, [0, ...rows.map(({ bound }) => -bound)], equal.length);
  if (message !== '') throw new Error(message);
  return solution.slice(1, n + 1);
}

/** For every convex limit the half-space that touches it in the direction of `weights`. */
function supports({ current, gross, turnover, sectors, volatility, cvar }: ProjectionProblem, weights: readonly number[]): HalfSpace[] {
  const found: HalfSpace[] = [];
  const signs = weights.map(Math.sign);
  if (gross !== null) found.push({ gradient: signs, bound: gross });
  if (turnover !== null) {
    const gradient = weights.map((w, i) => Math.sign(w - current[i]!));
    found.push({ gradient, bound: turnover + dot(gradient, [...current]) });
  }
  for (const sector of sectors) {
    if (sector.gross !== null) found.push({ gradient: signs.map((s, i) => (sector.members.includes(i) ? s : 0)), bound: sector.gross });
  }
  if (volatility !== null) {
    const gradient = weights.map((w, i) => volatility.idiosyncratic[i]! * w);
    for (const loading of volatility.loadings) {
      const exposure = dot([...loading], weights);
      for (const i of gradient.keys()) gradient[i]! += exposure * loading[i]!;
    }
    const sigma = Math.sqrt(dot(gradient, weights));
    found.push({ gradient: gradient.map((g) => g / sigma), bound: volatility.cap });
  }
  if (cvar !== null) {
    const losses = cvar.scenarios.map((returns) => ({ returns, loss: -dot([...returns], weights) })).sort((a, b) => b.loss - a.loss);
    const tail = (1 - cvar.alpha) * losses.length;
    const share = losses.map((_, rank) => Math.max(0, Math.min(1, tail - rank)) / tail);
    found.push({ gradient: weights.map((_, i) => -losses.reduce((sum, { returns }, rank) => sum + share[rank]! * returns[i]!, 0)), bound: cvar.cap });
  }
  return found;
}
