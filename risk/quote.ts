/** The quote and the other facts of one symbol, as the checks read them. */
import { toNumber, type Decimal } from './domain/decimal.ts';
import { msBetween, type Ns } from './domain/time.ts';
import type { SymbolFacts } from './facts.ts';
import type { Policy } from './policy.ts';

/** How far ahead of the log's clock a time may be, ms: clocks differ, prophets do not exist. */
export const AHEAD_MAX_MS = 5000;

/** A two-sided quote; one side alone is a missing quote. */
export interface QuoteSeen {
  readonly bidPx: Decimal;
  readonly askPx: Decimal;
  readonly mid: number;
  readonly ageMs: number;
}

export function quoteSeen(facts: SymbolFacts | undefined, now: Ns): QuoteSeen | null {
  if (facts === undefined) return null;
  const { bidPx, askPx, quoteAt } = facts;
  if (bidPx === null || askPx === null || quoteAt === null || bidPx <= 0n || askPx <= 0n) return null;
  return { bidPx, askPx, mid: (toNumber(bidPx) + toNumber(askPx)) / 2, ageMs: msBetween(now, quoteAt) };
}

/** Neither from the future nor crossed, however old. */
export const isSound = ({ ageMs, bidPx, askPx }: QuoteSeen): boolean => ageMs >= -AHEAD_MAX_MS && bidPx <= askPx;

/** Sound, and not stale. */
export const isFresh = (quote: QuoteSeen, { limits }: Policy): boolean => isSound(quote) && quote.ageMs <= limits.quoteStaleAfterMs;

/** A fact that must be a positive number to be one. */
export function positive(value: number | null | undefined): number | null {
  return value !== null && value !== undefined && value > 0 && value < Infinity ? value : null;
}
