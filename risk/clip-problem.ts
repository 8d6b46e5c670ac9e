/**
 * The limits of the whole account as one projection problem over the legs that trade.
 *
 * A target is judged by where it ends: each leg moves its name's planned position toward the end of its box, or back to an own book of
 * nothing to make room for others, and all else of the account is a constant inside the bounds. Other orders at work on a name fill or
 * not: they widen it by a constant, half to either side, so |weight| + that half is its worst case, exactly. Each limit is posed as what
 * its measure may still gain.
 */
import type { CouplingCode } from './checks/index.ts';
import type { Instrument } from './domain/instrument.ts';
import type { Exposure } from './exposure.ts';
import { idioVarianceOf } from './factors.ts';
import { shrinkingPart } from './floor.ts';
import { GROSS, LEVERAGE, LONG, sectorMeasure, SHORT, TURNOVER, VOLATILITY, type Measure } from './measures.ts';
import type { Limits, PolicyInForce } from './policy.ts';
import type { ProjectionProblem, Sector, VolatilityCap } from './projection/problem.ts';

/** One leg with something to trade, as weights of equity of the account's whole planned position in its name. */
export interface Mover {
  readonly instrument: Instrument;
  /** Equity's weight of one unit. */
  readonly unit: number;
  /** The middle between all other orders of the name filled and none: now, at the end of the box, with an own book of nothing, and as wished. */
  readonly now: number;
  readonly end: number;
  readonly closed: number;
  readonly wished: number;
  /** How far it is to either side. */
  readonly either: number;
}

/** One limit of the account over some of its movers. */
export interface Group {
  readonly code: CouplingCode;
  /** What it is called where its bound is narrowed. */
  readonly name: string;
  readonly measure: Measure;
  readonly members: Int32Array;
  readonly form: 'gross' | 'long' | 'short';
}

/** By a group's name, and `volatility`: how much less than the limit is asked for, of equity. */
export type Narrowing = ReadonlyMap<string, number>;

export interface ClipProblem {
  readonly problem: ProjectionProblem;
  /** Of the problem's `sectors`, in their order. */
  readonly groups: readonly Group[];
}

/** Sets thinner than this, of equity, are not told from empty ones. It gains nobody a lot. */
const THICKNESS = 1e-8;

/** What a measure may still gain, of equity; negative beyond its limit. */
const headroom = ({ of, limit }: Measure, before: Exposure, limits: Limits): number => (limit(limits, before) - of(before)) / before.equity;
const isFull = (measure: Measure, before: Exposure, limits: Limits): boolean => headroom(measure, before, limits) < THICKNESS;

/** How the projection is asked. */
export interface Asked {
  /** Weights by mover around which the worst case of volatility is exact; elsewhere what is posed is more. */
  readonly around: readonly number[];
  readonly narrowing: Narrowing;
  /** Whether a book in breach is to come within its limits at once; or whether it only shrinks, as `onlyShrinking` leaves it. */
  readonly inBreach: 'repair' | 'shrink';
}

export function clipProblem(movers: readonly Mover[], before: Exposure, policy: PolicyInForce, asked: Asked): ClipProblem {
  const { around, inBreach, narrowing } = asked;
  const { limits } = policy.policy;
  const groups = groupsOf(movers);
  const roomOf = (measure: Measure): number => (inBreach === 'repair' ? headroom(measure, before, limits) : Math.max(0, headroom(measure, before, limits)));
  const volatility = VOLATILITY.of(before) / before.equity + Math.max(THICKNESS, headroom(VOLATILITY, before, limits)); // no worse: it has no part that only shrinks
  const array = (values: (mover: Mover) => number, rest: number): Float64Array => Float64Array.from([...movers.map(values), rest]);
  return {
    groups,
    problem: {
      n: movers.length + 1,
      // The rest of the book is one more name, fixed at 1: its loadings are money, not weights.
      target: array(({ wished }) => wished, 1),
      lower: array(({ now, end, closed }) => Math.min(now, end, closed), 1),
      upper: array(({ now, end, closed }) => Math.max(now, end, closed), 1),
      current: array(({ now }) => now, 1),
      gross: null, net: null, cvar: null,
      turnover: Math.max(0, headroom(TURNOVER, before, limits)),
      sectors: groups.map((group) => sectorOf(group, movers, roomOf(group.measure) - (narrowing.get(group.name) ?? 0))),
      volatility: volatilityOf(movers, before, policy, around, volatility - (narrowing.get('volatility') ?? 0)),
    },
  };
}

/** Movers that grow nothing that has no room left; and by mover the limits that stop it. */
export function onlyShrinking(movers: readonly Mover[], before: Exposure, { policy: { limits } }: PolicyInForce): Stopped {
  const shrinking = [...movers];
  const by = movers.map((): CouplingCode[] => []);
  const stop = (i: number, code: CouplingCode, partOf: (now: number, move: number) => number): void => {
    const mover = shrinking[i] as Mover;
    const { now, end, closed } = mover;
    const part = partOf(now, end - now);
    shrinking[i] = { ...mover, end: part === end - now ? end : now + part, closed: now + partOf(now, closed - now) };
    if (part !== end - now) by[i]?.push(code);
  };
  for (const { code, form, measure, members } of groupsOf(movers)) {
    if (isFull(measure, before, limits)) for (const i of members) stop(i, code, SHRINKING[form]);
  }
  if (isFull(TURNOVER, before, limits)) for (const i of movers.keys()) stop(i, 'TURNOVER', () => 0);
  return { movers: shrinking, by };
}
export interface Stopped {
  readonly movers: readonly Mover[];
  readonly by: readonly (readonly CouplingCode[])[];
}

/** What of a move does not grow a measure. */
const SHRINKING: Readonly<Record<Group['form'], (now: number, move: number) => number>> = {
  gross: shrinkingPart, long: (_, move) => Math.min(0, move), short: (_, move) => Math.max(0, move),
};

export function groupsOf(movers: readonly Mover[]): readonly Group[] {
  const all = Int32Array.from(movers.keys());
  const bySector = new Map<string, number[]>();
  for (const [i, { instrument: { sector } }] of movers.entries()) {
    const members = bySector.get(sector) ?? [];
    bySector.set(sector, members);
    members.push(i);
  }
  return [
    { code: 'GROSS_EXPOSURE', name: 'gross', measure: GROSS, members: all, form: 'gross' },
    { code: 'LEVERAGE', name: 'leverage', measure: LEVERAGE, members: all, form: 'gross' },
    { code: 'NET_EXPOSURE', name: 'long', measure: LONG, members: all, form: 'long' },
    { code: 'NET_EXPOSURE', name: 'short', measure: SHORT, members: all, form: 'short' },
    ...[...bySector].map(([sector, members]): Group => (
      { code: 'SECTOR_EXPOSURE', name: `sector ${sector}`, measure: sectorMeasure(sector), members: Int32Array.from(members), form: 'gross' }
    )),
  ];
}

/** A group's room as a bound on its members' weights. */
function sectorOf({ form, members }: Group, movers: readonly Mover[], room: number): Sector {
  const sum = (value: (now: number) => number): number => members.reduce((total, i) => total + value((movers[i] as Mover).now), 0);
  if (form === 'gross') return { members, gross: sum(Math.abs) + room, net: null };
  const now = sum((weight) => weight);
  return { members, gross: null, net: form === 'long' ? { low: -Infinity, high: now + room } : { low: now - room, high: Infinity } };
}

/** Below this part of its half width a middle is not told from zero. */
const NEAR_ZERO = 1e-4;

/**
 * Volatility over the worst way to fill: (|F| + K)² σm² + Σ (|w| + h)² δ², where F is the factor exposure in the middle, K and h how far other
 * orders at work can move it and a name. (|x| + h)² ≤ (1 + h/a) x² + h² + h a for every a > 0, and equal where |x| = a: so around given weights
 * it is a factor model again, never less than the worst case, and exact there (Hunter & Lange 2004, majorisation).
 */
function volatilityOf(movers: readonly Mover[], before: Exposure, policy: PolicyInForce, around: readonly number[], cap: number): VolatilityCap {
  const { marketSigmaAnnual } = policy.policy.limits;
  const { equity, factorHigh, factorLow, idioVariance } = before;
  const sum = (value: (mover: Mover, i: number) => number): number => movers.reduce((total, mover, i) => total + value(mover, i), 0);
  const restFactor = (factorHigh + factorLow) / 2 / equity - sum(({ instrument: { beta }, now }) => beta * now);
  const factor = majorant(restFactor + sum(({ instrument: { beta } }, i) => beta * (around[i] as number)), (factorHigh - factorLow) / 2 / equity);
  const variances = movers.map(({ instrument }) => idioVarianceOf(instrument, marketSigmaAnnual * marketSigmaAnnual));
  const names = movers.map(({ either }, i) => majorant(around[i] as number, either));
  const worst = ({ now, either }: Mover): number => Math.abs(now) + either;
  const restVariance = idioVariance / (equity * equity) - sum((mover, i) => (variances[i] as number) * worst(mover) * worst(mover));
  const constants = factor.constant * marketSigmaAnnual * marketSigmaAnnual + sum((_, i) => (variances[i] as number) * (names[i] as Majorant).constant);
  const slope = Math.sqrt(factor.square) * marketSigmaAnnual;
  return {
    cap,
    loadings: [Float64Array.from([...movers.map(({ instrument }) => instrument.beta), restFactor], (beta) => beta * slope)],
    idiosyncratic: Float64Array.from([...variances.map((variance, i) => variance * (names[i] as Majorant).square), Math.max(0, restVariance) + constants]),
  };
}

/** square · x² + constant is at least (|x| + either)². */
interface Majorant {
  readonly square: number;
  readonly constant: number;
}
function majorant(x: number, either: number): Majorant {
  if (either === 0) return { square: 1, constant: 0 };
  const a = Math.max(Math.abs(x), NEAR_ZERO * either);
  return { square: 1 + either / a, constant: either * either + either * a };
}
