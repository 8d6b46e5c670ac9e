/** From the trades that are wished for to those that all limits leave: one projection, then whole lots. */
import { absolute, maximum, minimum, subtract, toNumber, ZERO, type Decimal } from './domain/decimal.ts';
import type { Ns } from './domain/time.ts';
import type { CouplingCode } from './checks/index.ts';
import { clipProblem, groupsOf, onlyShrinking, type Asked, type ClipProblem, type Group, type Mover, type Narrowing } from './clip-problem.ts';
import type { Exposure } from './exposure.ts';
import { isShut } from './check.ts';
import { boundedTrade, closingTrade } from './bounds.ts';
import { planStep } from './floor.ts';
import { keeps, VOLATILITY, type Measure, type Step } from './measures.ts';
import { project } from './projection/project.ts';
import type { Binding, Limit, Projection } from './projection/problem.ts';
import { quantityOf, wholeLots } from './rounding.ts';
import type { Account } from './state.ts';
import type { Circumstances, Wish } from './target-legs.ts';

/** What is left of one leg. */
export interface Clipped {
  /** Before rounding: where the leg may end. */
  readonly trade: Decimal;
  /** Whole lots, toward the present position. */
  readonly lots: Decimal;
  /** Limits of the whole account that cut it, beyond its own box. */
  readonly by: readonly CouplingCode[];
}
interface Conflict {
  readonly status: 'conflict';
  readonly codes: readonly CouplingCode[];
}
/** `conflict`: no portfolio keeps these limits together, or none was found. */
export type Clip = { readonly status: 'clipped'; readonly legs: readonly Clipped[] } | Conflict;

export interface ClipInput {
  readonly account: Account;
  readonly now: Ns;
  readonly at: Circumstances & { readonly equity: number };
  /** By the plans: a target is judged by where it ends. */
  readonly before: Exposure;
  /** Those whose trade is null take no part. */
  readonly wishes: readonly Wish[];
  readonly trades: readonly (Decimal | null)[];
}

/** Trades of a leg: as far as its own limits leave of its wish, and back to an own book of nothing. */
interface Box {
  readonly end: Decimal;
  readonly closed: Decimal;
}
/** The legs that may trade, and their boxes. */
interface Plan {
  readonly input: ClipInput;
  readonly boxes: readonly Box[];
  /** Indices of the legs, by mover. */
  readonly moving: readonly number[];
  readonly movers: readonly Mover[];
  /** What the projection aims at: the movers, or what a book in breach leaves of them; and by mover the limits that stop it short of its box. */
  readonly aims: readonly Mover[];
  readonly stopped: readonly (readonly CouplingCode[])[];
}
interface Solved {
  readonly status: 'solved';
  readonly legs: readonly Clipped[];
  /** By mover. */
  readonly weights: readonly number[];
  readonly asked: Asked;
}

const NO_BOX: Box = { end: ZERO, closed: ZERO };
const NOT_MOVED: Clipped = { trade: ZERO, lots: ZERO, by: [] };
/** How often the projection is asked again: for the worst way to fill, and for what rounding breaks. */
const ATTEMPTS_MAX = 10;
/** Weights that move by less, of equity, have settled. */
const SETTLED = 1e-8;

export function clipTrades(input: ClipInput): Clip {
  const boxes = input.trades.map((trade, i) => (trade === null ? NO_BOX : boxOf(input, i, trade)));
  const moving = boxes.flatMap(({ end, closed }, i) => (end === 0n && closed === 0n ? [] : [i]));
  if (moving.length === 0) return { status: 'clipped', legs: boxes.map(() => NOT_MOVED) };
  const movers = moving.map((i) => moverAt(input, i, boxes[i] as Box));
  const plan: Plan = { input, boxes, moving, movers, aims: movers, stopped: movers.map(() => []) };
  const repaired = solve(plan, 'repair');
  if (repaired.status === 'solved') return { status: 'clipped', legs: inLots(plan, repaired) };
  const { movers: aims, by: stopped } = onlyShrinking(movers, input.before, input.at.policy);
  const careful = { ...plan, aims, stopped };
  const shrunk = solve(careful, 'shrink');
  return shrunk.status === 'solved' ? { status: 'clipped', legs: inLots(careful, shrunk) } : shrunk;
}

/**
 * Volatility is posed around the end of the boxes first, and then around each answer, which keeps the true cap and is no further from the
 * wish than the one before. What cannot be had around the ends is had around the present, where not trading is an answer.
 */
function solve(plan: Plan, inBreach: Asked['inBreach']): Solved | Conflict {
  const { aims, input } = plan;
  const isExact = aims.every(({ either }) => either === 0) && input.before.factorHigh === input.before.factorLow;
  let found: Solved | null = null;
  let around = aims.map(({ end }) => end);
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const next = solveAs(plan, { inBreach, around, narrowing: new Map() });
    if (next.status === 'conflict') {
      if (isExact || attempt > 1) return found ?? next;
      around = aims.map(({ now }) => now);
      continue;
    }
    found = next;
    if (isExact || next.weights.every((weight, k) => Math.abs(weight - (around[k] as number)) < SETTLED)) break;
    around = [...next.weights];
  }
  return found as Solved;
}

function solveAs(plan: Plan, asked: Asked): Solved | Conflict {
  const { aims, input } = plan;
  const posed = clipProblem(aims, input.before, input.at.policy, asked);
  const solved = project(posed.problem);
  if (solved.status !== 'feasible') return { status: 'conflict', codes: conflictCodes(posed, solved) };
  return { status: 'solved', asked, weights: [...solved.weights.subarray(0, aims.length)], legs: legsOf(plan, posed, solved.weights, solved.binding) };
}

/** By what a limit is exceeded, of equity; empty where it is kept. */
type Excess = readonly { readonly code: CouplingCode; readonly name: string; readonly share: number }[];

function excess({ at }: ClipInput, code: CouplingCode, name: string, measure: Measure, step: Step): Excess {
  const { limits } = at.policy.policy;
  if (keeps(measure, step, limits)) return [];
  const bound = Math.max(measure.limit(limits, step.after), measure.of(step.heldAgainst));
  return [{ code, name, share: (measure.of(step.after) - bound) / at.equity }];
}

function narrower(narrowing: Narrowing, over: Excess, times: number): Narrowing {
  const next = new Map(narrowing);
  for (const { name, share } of over) next.set(name, (next.get(name) ?? 0) + share * times);
  return next;
}

/**
 * The solution in whole lots. Lots are rounded toward the present position, so a trade that was to pay for another may fall short of it:
 * then the projection is asked for that much less, and for twice as much each time, since less than a lot changes nothing. What is left
 * over is blended with not trading, which breaks nothing.
 */
function inLots(plan: Plan, solved: Solved): readonly Clipped[] {
  let { legs, asked } = solved;
  const codes = new Set<CouplingCode>();
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const over = excessInLots(plan, legs);
    if (over.length === 0) return solved.legs.map((leg, i) => shortened(plan, i, leg, (legs[i] as Clipped).lots, codes));
    for (const { code } of over) codes.add(code);
    asked = { ...asked, narrowing: narrower(asked.narrowing, over, 2 ** (attempt - 1)) };
    const next = solveAs(plan, asked);
    if (next.status === 'conflict') break;
    legs = next.legs;
  }
  const kept = blend(plan, legs);
  return solved.legs.map((leg, i) => shortened(plan, i, leg, kept[i] as Decimal, codes));
}

/** A leg with fewer lots than its own rounding leaves. By one it is rounding still; by more it is cut, and told by which limits. */
function shortened({ input: { wishes } }: Plan, i: number, leg: Clipped, lots: Decimal, codes: ReadonlySet<CouplingCode>): Clipped {
  const lotSize = wishes[i]?.instrument?.lotSize ?? ZERO;
  if (absolute(subtract(leg.lots, lots)) <= lotSize) return { ...leg, lots };
  return { trade: lots, lots, by: [...new Set([...leg.by, ...codes])] };
}

/** As the checks will see it: against the least that these very trades allow. */
function excessInLots({ input, movers }: Plan, legs: readonly Pick<Clipped, 'lots'>[]): Excess {
  const { account, at, before, now, wishes } = input;
  const step = planStep(account, at.policy, now, before, wishes, (i) => toNumber((legs[i] as Clipped).lots));
  const grouped = groupsOf(movers).flatMap(({ code, name, measure }) => excess(input, code, name, measure, step));
  return [...grouped, ...excess(input, 'VOLATILITY_CAP', 'volatility', VOLATILITY, step)];
}

/** Lots of the largest share of all trades, in 1,024ths, that keeps every limit; none of them does. */
function blend(plan: Plan, legs: readonly Clipped[]): readonly Decimal[] {
  const { wishes } = plan.input;
  const shareOf = (share: bigint): readonly Decimal[] => legs.map(({ trade }, i) => wholeLotsOf(wishes[i], ((trade * share) / 1024n) as Decimal));
  let share = 0n;
  for (let step = 512n; step > 0n; step /= 2n) {
    if (excessInLots(plan, shareOf(share + step).map((lots) => ({ lots }))).length === 0) share += step;
  }
  return shareOf(share);
}

const wholeLotsOf = (wish: Wish | undefined, trade: Decimal): Decimal => (trade === 0n ? ZERO : wholeLots(trade, wish?.instrument?.lotSize as Decimal));

function boxOf({ wishes, at }: ClipInput, i: number, trade: Decimal): Box {
  const wish = wishes[i] as Wish;
  const reducingOnly = wish.gates.reducing !== null || wish.gates.armed !== null || (at.governor !== null && isShut(at.governor));
  const bounds = { limits: at.policy.policy.limits, equity: at.equity, mark: wish.mark as number, reducingOnly };
  return { end: boundedTrade(wish, trade, bounds), closed: closingTrade(wish, bounds) };
}

function moverAt({ wishes, trades, at }: ClipInput, i: number, box: Box): Mover {
  const { instrument, mark, middle, either } = wishes[i] as Wish;
  if (instrument === null || mark === null) throw new RangeError('a leg that is traded has an instrument and a mark');
  const unit = mark / at.equity;
  const now = middle * unit;
  const end = now + toNumber(box.end) * unit;
  const wished = now + toNumber(trades[i] as Decimal) * unit;
  const isReached = box.end === 0n ? trades[i] === 0n : end > now === wished > now;
  return { instrument, unit, now, end, closed: now + toNumber(box.closed) * unit, wished: isReached ? wished : end, either: either * unit };
}

/** A mover counts as cut when it ends this far, of equity, before the end of its box. */
const CUT_MIN = 1e-11;

function legsOf(plan: Plan, posed: ClipProblem, weights: Float64Array, binding: readonly Binding[]): readonly Clipped[] {
  const { input: { wishes, trades }, boxes, moving, movers, stopped } = plan;
  const legs: Clipped[] = trades.map(() => NOT_MOVED);
  const pricedBy = cutBy(posed, binding);
  for (const [k, i] of moving.entries()) {
    const { now, end, unit } = movers[k] as Mover;
    const weight = weights[k] as number;
    const cut = Math.abs(end - weight) > CUT_MIN;
    const box = boxes[i] as Box;
    const trade = cut ? tradeTo(weight - now, unit, box) : box.end;
    legs[i] = { trade, lots: wholeLotsOf(wishes[i], trade), by: cut ? [...new Set([...(stopped[k] ?? []), ...(pricedBy[k] ?? [])])] : [] };
  }
  return legs;
}

/** A weight as a quantity, never beyond the ends of the box. */
const tradeTo = (weight: number, unit: number, { end, closed }: Box): Decimal =>
  maximum(minimum(minimum(end, closed), ZERO), minimum(maximum(maximum(end, closed), ZERO), quantityOf(weight / unit)));

/** By mover, the limits that bind and that it is part of. */
function cutBy({ groups, problem }: ClipProblem, binding: readonly Binding[]): readonly ReadonlySet<CouplingCode>[] {
  const codes = Array.from({ length: problem.n }, () => new Set<CouplingCode>());
  for (const bound of binding) {
    const code = codeOf(bound, groups);
    const members = isGroup(bound.limit) ? groups[bound.index]?.members : codes.keys();
    if (code !== null) for (const k of members ?? []) codes[k]?.add(code);
  }
  return codes;
}

const isGroup = (limit: Limit): boolean => limit === 'sectorGross' || limit === 'sectorNet';

/** The check that a limit of the problem stands for; null for a leg's own box. */
function codeOf({ limit, index }: Binding, groups: readonly Group[]): CouplingCode | null {
  if (limit === 'turnover') return 'TURNOVER';
  if (limit === 'volatility') return 'VOLATILITY_CAP';
  return isGroup(limit) ? (groups[index]?.code ?? null) : null;
}

/** What a failure names; everything that was posed where it names nothing. */
function conflictCodes({ groups }: ClipProblem, failed: Exclude<Projection, { status: 'feasible' }>): readonly CouplingCode[] {
  const named = failed.status === 'undecided' ? [] : failed.conflicting.flatMap((binding) => codeOf(binding, groups) ?? []);
  return [...new Set(named.length > 0 ? named : [...groups.map(({ code }) => code), 'TURNOVER' as const, 'VOLATILITY_CAP' as const])];
}
