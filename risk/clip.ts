/** From the trades that are wished for to those that all limits leave: one projection, then whole lots. */
import { absolute, ZERO, type Decimal } from './domain/decimal.ts';
import type { Ns } from './domain/time.ts';
import type { CouplingCode } from './checks/index.ts';
import { clipProblem, moverOf, withoutFlips, worseWay, type ClipProblem, type Mover } from './clip-problem.ts';
import { exposureOf, type Exposure } from './exposure.ts';
import { fits, isShut } from './check.ts';
import { boundedTrade } from './bounds.ts';
import { project } from './projection/project.ts';
import type { Binding, Limit, Projection } from './projection/problem.ts';
import { quantityOf, wholeLots } from './rounding.ts';
import type { Account } from './state.ts';
import { changesOf, type Circumstances, type Wish } from './target-legs.ts';

/** What is left of one leg. */
export interface Clipped {
  /** Before rounding: where the leg may end. */
  readonly trade: Decimal;
  /** Whole lots, toward the present position. */
  readonly lots: Decimal;
  /** Limits of the whole account that cut it, beyond its own box. */
  readonly by: readonly CouplingCode[];
}
/** `conflict`: no portfolio keeps these limits together, or none was found. */
export type Clip = { readonly status: 'clipped'; readonly legs: readonly Clipped[] } | { readonly status: 'conflict'; readonly codes: readonly CouplingCode[] };

export interface ClipInput {
  readonly account: Account;
  readonly now: Ns;
  readonly at: Circumstances & { readonly equity: number };
  readonly before: Exposure;
  /** Those whose trade is null take no part. */
  readonly wishes: readonly Wish[];
  readonly trades: readonly (Decimal | null)[];
}

const NOT_MOVED: Clipped = { trade: ZERO, lots: ZERO, by: [] };
/** How often the projection is asked again for the sake of the ways to fill that it does not see. */
const ATTEMPTS_MAX = 4;

export function clipTrades(input: ClipInput): Clip {
  const bounded = input.trades.map((trade, i) => (trade === null ? ZERO : bound(input, i, trade)));
  const moving = bounded.flatMap((trade, i) => (trade === 0n ? [] : [i]));
  const movers = moving.map((i) => moverAt(input, i, bounded[i] as Decimal));
  if (movers.length === 0) return { status: 'clipped', legs: bounded.map(() => NOT_MOVED) };
  const plan: Plan = { bounded, moving, movers, aims: movers, stoppedBy: [] };
  const first = solveWithin(input, plan);
  return first.status === 'clipped' ? first : solveWithin(input, { ...plan, aims: withoutFlips(movers), stoppedBy: first.codes });
}

/** The legs that trade, their boxes, and what the projection is to aim at; `stoppedBy` names why an aim ends before its box. */
interface Plan {
  readonly bounded: readonly Decimal[];
  /** Indices of the legs, by mover. */
  readonly moving: readonly number[];
  readonly movers: readonly Mover[];
  readonly aims: readonly Mover[];
  readonly stoppedBy: readonly CouplingCode[];
}

/**
 * Solves along the way to fill that looks worse; where the result is too volatile along the other way, once more along that; along
 * the same one, with a smaller cap. What is left over is blended with not trading, which is within every limit that is convex: all.
 */
function solveWithin(input: ClipInput, plan: Plan): Clip {
  const { before, at } = input;
  let way = worseWay(plan.aims, before);
  let scale = 1;
  let legs: readonly Clipped[] = [];
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const asked = clipProblem(plan.aims, before, at.policy, way, scale);
    const solved = project(asked.problem);
    if (solved.status !== 'feasible') return { status: 'conflict', codes: conflictCodes(asked, solved) };
    legs = legsOf(input, plan, asked, solved.weights, solved.binding);
    const after = exposureAfter(input, legs);
    if (isCalm(input, after)) return { status: 'clipped', legs };
    const worse = after.factorHigh >= -after.factorLow ? 'up' : 'down';
    if (worse === way) scale *= (at.policy.policy.limits.volatilityAnnual * at.equity) / Math.sqrt(after.variance);
    way = worse;
  }
  return { status: 'clipped', legs: blend(input, legs) };
}

const exposureAfter = ({ account, wishes, now, at }: ClipInput, legs: readonly Clipped[]): Exposure =>
  exposureOf(account, at.policy, now, changesOf(wishes, (i) => legs[i]?.lots ?? ZERO));

/** The volatility check itself: within its cap over the worst way to fill, or no worse than before. */
const isCalm = ({ before, at }: ClipInput, after: Exposure): boolean =>
  fits(Math.sqrt(after.variance), Math.sqrt(before.variance), at.policy.policy.limits.volatilityAnnual * after.equity);

/** The largest share of all trades, in 1,024ths, that is calm; not trading is. */
function blend(input: ClipInput, legs: readonly Clipped[]): readonly Clipped[] {
  let share = 0n;
  for (let step = 512n; step > 0n; step /= 2n) {
    if (isCalm(input, exposureAfter(input, scaled(input, legs, share + step)))) share += step;
  }
  return scaled(input, legs, share);
}

function scaled({ wishes }: ClipInput, legs: readonly Clipped[], share: bigint): readonly Clipped[] {
  return legs.map((leg, i) => {
    const lotSize = wishes[i]?.instrument?.lotSize;
    if (lotSize === undefined || leg.lots === 0n) return leg;
    const trade = ((leg.trade * share) / 1024n) as Decimal;
    return { trade, lots: wholeLots(trade, lotSize), by: [...new Set([...leg.by, 'VOLATILITY_CAP' as const])] };
  });
}

function bound({ wishes, at }: ClipInput, i: number, trade: Decimal): Decimal {
  const wish = wishes[i] as Wish;
  const reducingOnly = wish.gates.reducing !== null || wish.gates.armed !== null || (at.governor !== null && isShut(at.governor));
  return boundedTrade(wish, trade, at.policy.policy.limits, at.equity, wish.mark as number, reducingOnly);
}

function moverAt({ wishes, trades, at }: ClipInput, i: number, bounded: Decimal): Mover {
  const wish = wishes[i] as Wish;
  if (wish.instrument === null || wish.mark === null) throw new RangeError('a leg that is traded has an instrument and a mark');
  return moverOf(wish.instrument, wish.line, trades[i] as Decimal, bounded, wish.mark / at.equity);
}

/** A mover counts as cut when it ends this far, of equity, before the end of its box. */
const CUT_MIN = 1e-11;

function legsOf(
  { wishes, trades }: ClipInput, { bounded, moving, movers, aims, stoppedBy }: Plan, asked: ClipProblem, weights: Float64Array, binding: readonly Binding[],
): readonly Clipped[] {
  const legs: Clipped[] = trades.map(() => NOT_MOVED);
  const pricedBy = cutBy(asked, binding);
  for (const [k, i] of moving.entries()) {
    const { now, end, unit } = movers[k] as Mover;
    const weight = weights[k] as number;
    const cut = Math.abs(end - weight) > CUT_MIN;
    const trade = cut ? tradeTo(weight - now, unit, bounded[i] as Decimal) : (bounded[i] as Decimal);
    const lotSize = wishes[i]?.instrument?.lotSize as Decimal;
    const stopped = aims[k] === movers[k] ? [] : stoppedBy;
    legs[i] = { trade, lots: wholeLots(trade, lotSize), by: cut ? [...new Set([...stopped, ...(pricedBy[k] ?? [])])] : [] };
  }
  return legs;
}

/** A weight as a quantity, never beyond the end of the box. */
function tradeTo(weight: number, unit: number, bounded: Decimal): Decimal {
  const trade = quantityOf(weight / unit);
  if (trade < 0n !== bounded < 0n) return ZERO;
  return absolute(trade) > absolute(bounded) ? bounded : trade;
}

/** By mover, the limits that price it: those without headroom that stop it, and those that bind and that it is part of. */
function cutBy({ frozen, groupCodes, problem }: ClipProblem, binding: readonly Binding[]): readonly ReadonlySet<CouplingCode>[] {
  const codes = frozen.map((stopped) => new Set(stopped));
  for (const bound of binding) {
    const code = codeOf(bound, groupCodes);
    const members = isGroup(bound.limit) ? problem.sectors[bound.index]?.members : codes.keys();
    if (code !== null) for (const k of members ?? []) codes[k]?.add(code);
  }
  return codes;
}

const isGroup = (limit: Limit): boolean => limit === 'sectorGross' || limit === 'sectorNet';

/** The check that a limit of the problem stands for; null for a leg's own box. */
function codeOf({ limit, index }: Binding, groupCodes: readonly CouplingCode[]): CouplingCode | null {
  if (limit === 'turnover') return 'TURNOVER';
  if (limit === 'volatility') return 'VOLATILITY_CAP';
  return isGroup(limit) ? (groupCodes[index] ?? null) : null;
}

/** What a failure names; everything that was posed where it names nothing. */
function conflictCodes({ groupCodes, problem }: ClipProblem, failed: Exclude<Projection, { status: 'feasible' }>): readonly CouplingCode[] {
  const named = failed.status === 'undecided' ? [] : failed.conflicting.flatMap((binding) => codeOf(binding, groupCodes) ?? []);
  if (named.length > 0) return [...new Set(named)];
  const rest = [problem.turnover === null ? [] : ['TURNOVER' as const], problem.volatility === null ? [] : ['VOLATILITY_CAP' as const]];
  return [...new Set([...groupCodes, ...rest.flat()])];
}
