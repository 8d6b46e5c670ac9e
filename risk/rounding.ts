/** From weights in doubles to quantities and to whole lots: toward the present position, so never beyond the limit that a leg was clipped to. */
import { truncateTo, type Decimal } from './domain/decimal.ts';

/**
 * The whole lots of a signed trade, toward zero. A computed trade may stand a hair below a whole lot: 10^-9 of a lot, plus what a
 * double of that size cannot tell.
 */
export function wholeLots(trade: Decimal, lotSize: Decimal): Decimal {
  const size = trade < 0n ? -trade : trade;
  const hair = lotSize / 1_000_000_000n + size / 100_000_000_000_000n;
  const lots = truncateTo((size + hair) as Decimal, lotSize);
  return (trade < 0n ? -lots : lots) as Decimal;
}

/** Beyond this a quantity is a slip of the finger whatever the price; within it every conversion is as exact as a double. */
const UNITS_MAX = 1e15;

/** A computed quantity, by its size to nine, three or no decimals: what a double of that size can tell. Without text in between, for speed. */
export function quantityOf(value: number): Decimal {
  const bounded = Math.max(-UNITS_MAX, Math.min(UNITS_MAX, value));
  const size = Math.abs(bounded);
  if (size < 9e6) return (BigInt(Math.round(bounded * 1e9)) * 1_000_000_000n) as Decimal;
  if (size < 9e12) return (BigInt(Math.round(bounded * 1e3)) * 1_000_000_000_000_000n) as Decimal;
  return (BigInt(Math.round(bounded)) * 1_000_000_000_000_000_000n) as Decimal;
}
