/** Lots. A trade is rounded toward the present position, so that rounding never takes a leg beyond a limit it was clipped to. */
import { truncateTo, type Decimal } from './domain/decimal.ts';

/** A solution in doubles may stand a hair below a whole lot: 10^-9 of a lot, plus what a double of that many lots cannot tell. */
const HAIR_BILLIONTHS = 1n;

/** The whole lots of a signed trade, toward zero. */
export function wholeLots(trade: Decimal, lotSize: Decimal): Decimal {
  const size = trade < 0n ? -trade : trade;
  const hair = (lotSize * HAIR_BILLIONTHS) / 1_000_000_000n + size / 100_000_000_000_000n;
  const lots = truncateTo((size + hair) as Decimal, lotSize);
  return (trade < 0n ? -lots : lots) as Decimal;
}
