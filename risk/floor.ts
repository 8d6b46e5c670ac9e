/**
 * What a target's result is held against where the book is in breach: the least that its own trades can make of each measure. So in breach
 * no trade pays for another: what shrinks a measure is let through, and what grows it waits until the book is within its limit again.
 * Volatility has no part that only shrinks: of it a target may make anything that is no worse.
 */
import type { Ns } from './domain/time.ts';
import { exposureOf, type Exposure } from './exposure.ts';
import { isBroken, NETTED, sectorMeasure, Step, type Measured } from './measures.ts';
import type { Limits, PolicyInForce } from './policy.ts';
import type { Account } from './state.ts';
import { changesOf, type LegRead } from './target-legs.ts';

/** What of a trade brings a position nearer to zero, and not through it. Units. */
export const shrinkingPart = (position: number, trade: number): number =>
  (position > 0 !== trade < 0 ? 0 : Math.sign(trade) * Math.min(Math.abs(trade), Math.abs(position)));

/** What a target's trades, in units by leg, make of its account, by the plans; and what that is held against. */
export function planStep(account: Account, policy: PolicyInForce, now: Ns, before: Exposure, legs: readonly LegRead[], qtyOf: (i: number) => number): Step {
  const exposureWith = (partOf: (i: number) => number): Exposure => exposureOf(account, policy, now, 'planned', changesOf(legs, partOf));
  return new Step(exposureWith(qtyOf), () => floorOf(before, policy.policy.limits, legs, qtyOf, exposureWith));
}

/** The least of each measure that a part of the trades can reach; `before` itself as long as none of these is beyond its limit. */
function floorOf(
  before: Exposure, limits: Limits, legs: readonly LegRead[], qtyOf: (i: number) => number, exposureWith: (partOf: (i: number) => number) => Exposure,
): Measured {
  if (!isInBreach(before, limits)) return before;
  const shrunk = exposureWith((i) => shrinkingPart((legs[i] as LegRead).middle, qtyOf(i)));
  const { equity, unsettled, turnoverUsed, variance } = before;
  return {
    equity, unsettled, turnoverUsed, variance, gross: shrunk.gross, sectorGrossOf: (sector) => shrunk.sectorGrossOf(sector),
    longNet: exposureWith((i) => Math.min(0, qtyOf(i))).longNet, shortNet: exposureWith((i) => Math.max(0, qtyOf(i))).shortNet,
  };
}

const isInBreach = (before: Exposure, limits: Limits): boolean =>
  [...NETTED, ...[...before.sectorGross.keys()].map(sectorMeasure)].some((measure) => isBroken(measure, before, limits));
