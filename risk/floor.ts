/**
 * What a target's result is held against where the book is in breach: the least that its own trades can make of each measure. So in breach
 * no trade pays for another: what shrinks a measure is let through, and what grows it waits until the book is within its limit again.
 */
import type { Exposure } from './exposure.ts';
import { isBroken, REDUCIBLE, sectorMeasure, type Measured } from './measures.ts';
import type { Limits } from './policy.ts';

/** What of a trade brings a position nearer to zero, and not through it. Units. */
export const shrinkingPart = (position: number, trade: number): number =>
  (position > 0 !== trade < 0 ? 0 : Math.sign(trade) * Math.min(Math.abs(trade), Math.abs(position)));

interface Trade {
  readonly planned: number;
  readonly qty: number;
}

/** The least of each measure that a part of these trades can reach; `before` itself as long as it breaks no limit. `exposureWith` adds trades to the account. */
export function floorOf(before: Exposure, limits: Limits, trades: readonly Trade[], exposureWith: (qtyOf: (i: number) => number) => Exposure): Measured {
  if (!isInBreach(before, limits)) return before;
  const part = (of: (trade: Trade) => number): Exposure => exposureWith((i) => of(trades[i] as Trade));
  const shrunk = part(({ planned, qty }) => shrinkingPart(planned, qty));
  const { equity, unsettled, turnoverUsed, variance } = before;
  return {
    equity, unsettled, turnoverUsed, variance, gross: shrunk.gross, sectorGrossOf: (sector) => shrunk.sectorGrossOf(sector),
    longNet: part(({ qty }) => Math.min(0, qty)).longNet, shortNet: part(({ qty }) => Math.max(0, qty)).shortNet,
  };
}

const isInBreach = (before: Exposure, limits: Limits): boolean =>
  [...REDUCIBLE, ...[...before.sectorGross.keys()].map(sectorMeasure)].some((measure) => isBroken(measure, before, limits));
