import type { ProjectionProblem } from '../../../risk/projection/problem.ts';
import { cvarOf, volatilityOf } from '../../../risk/projection/feasible.ts';

/** A seeded stream of numbers in [0, 1) (mulberry32), so that a failing seed can be run again. */
export function stream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const free = (n: number, target: readonly number[] | Float64Array): ProjectionProblem => ({
  n, target: Float64Array.from(target), lower: new Float64Array(n).fill(-10), upper: new Float64Array(n).fill(10), current: new Float64Array(n),
  gross: null, turnover: null, net: null, sectors: [], volatility: null, cvar: null,
});

export interface Family {
  readonly name: string;
  /** Room that the limits leave around the anchor, as a fraction. */
  readonly room: number;
  /** How far the target lies outside, in sizes of a typical weight. */
  readonly ambition: number;
  /** Share of names whose current weight breaks its box. */
  readonly breach: number;
  /** Exponent of the sizes: 1 even, 4 a few names hold nearly all. */
  readonly lump: number;
}

export const families: readonly Family[] = [
  { name: 'typical', room: 0.3, ambition: 2, breach: 0, lump: 1 },
  { name: 'tight', room: 0.02, ambition: 2, breach: 0, lump: 1 },
  { name: 'near-infeasible', room: 1e-5, ambition: 3, breach: 0, lump: 1 },
  { name: 'book in breach', room: 0.1, ambition: 1.5, breach: 0.3, lump: 1 },
  { name: 'lumpy', room: 0.2, ambition: 2, breach: 0.05, lump: 4 },
  { name: 'de-risking', room: 0.1, ambition: 20, breach: 0.05, lump: 1 },
];

export interface Kinds {
  readonly volatility: boolean;
  readonly cvar: boolean;
}

/** A feasible instance: every limit is set to what a random anchor portfolio uses, and a little room. */
export function instance(seed: number, n: number, family: Family, kinds: Kinds): ProjectionProblem {
  const next = stream(seed);
  const normal = (): number => next() + next() + next() + next() + next() + next() - 3;
  const array = (value: (i: number) => number): Float64Array => Float64Array.from({ length: n }, (_, i) => value(i));
  const unit = 2 / n;
  const caps = array(() => unit * (0.2 + 2 * next() ** family.lump));
  const kind = array(next);
  const upper = array((i) => (i > 0 && kind[i]! < 0.05 ? 0 : caps[i]!));
  const lower = array((i) => (i > 0 && kind[i]! < 0.15 ? 0 : -caps[i]!));
  const anchor = array((i) => lower[i]! + (upper[i]! - lower[i]!) * next());
  const current = array((i) => (next() < 0.2 ? 0 : next() < family.breach ? 2 * caps[i]! * normal() : anchor[i]! + 0.3 * unit * normal()));
  const target = array((i) => (next() < 0.1 ? current[i]! : anchor[i]! + family.ambition * unit * normal()));
  const room = (value: number): number => value * (1 + family.room * next());
  const around = (value: number): { low: number; high: number } => ({ low: value - 0.1 * family.room * next(), high: value + 0.1 * family.room * next() });
  const groups = Math.max(1, Math.min(11, Math.floor(n / 3)));
  const members = Array.from({ length: groups }, (_, s) => Int32Array.from(anchor.keys()).filter((i) => i % (groups + 1) === s));
  const sum = (names: Iterable<number>, value: (i: number) => number): number => [...names].reduce((total, i) => total + value(i), 0);
  const gross = (i: number): number => Math.abs(anchor[i]!);
  const net = (i: number): number => anchor[i]!;
  const limited = (): boolean => next() < 0.75;
  const base: ProjectionProblem = {
    n, target, lower, upper, current,
    gross: limited() ? room(sum(anchor.keys(), gross)) : null,
    turnover: limited() ? room(sum(anchor.keys(), (i) => Math.abs(anchor[i]! - current[i]!))) : null,
    net: limited() ? (next() < 0.1 ? { low: sum(anchor.keys(), net), high: sum(anchor.keys(), net) } : around(sum(anchor.keys(), net))) : null,
    sectors: members.map((names) => ({
      members: names, gross: limited() ? room(sum(names, gross)) : null, net: limited() ? around(sum(names, net)) : null,
    })),
    volatility: null, cvar: null,
  };
  const factors = Array.from({ length: Math.min(20, 1 + Math.floor(n / 4)) }, () => array(() => 0.01 * normal()));
  const model = { cap: 0, loadings: factors, idiosyncratic: array(() => (0.005 + 0.02 * next()) ** 2) };
  const scenarios = Array.from({ length: n < 50 ? 40 : 250 }, () => {
    const shock = factors.map(() => (normal() * (next() < 0.1 ? 3 : 1)));
    return array((i) => factors.reduce((total, loading, k) => total + loading[i]! * shock[k]!, 0.015 * normal()));
  });
  const tail = { cap: 0, alpha: 0.9 + 0.08 * next(), scenarios };
  const cvarCap = cvarOf(tail, anchor);
  return {
    ...base,
    volatility: kinds.volatility ? { ...model, cap: room(volatilityOf(model, anchor)) } : null,
    cvar: kinds.cvar ? { ...tail, cap: cvarCap + Math.abs(cvarCap) * family.room * next() } : null,
  };
}
