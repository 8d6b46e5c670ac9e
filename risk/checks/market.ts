/** Defence against the market data: missing, stale, from the future, crossed, or far from the price of the order. */
import { checkOf, decimalText } from '../check.ts';
import type { Decimal } from '../domain/decimal.ts';
import { isFresh, type QuoteSeen } from '../quote.ts';
import type { MarketInput, OrderInput } from './inputs.ts';

export const marketDataStale = checkOf<MarketInput>()({
  code: 'MARKET_DATA_STALE', unit: 'ms', needs: ['quote'], limit: ({ limits }) => decimalText(limits.quoteStaleAfterMs),
  decide: ({ quote, policy }) => ({ ok: isFresh(quote, policy.policy), observed: quote.bidPx > quote.askPx ? 'crossed' : decimalText(quote.ageMs) }),
});

/** |px − mid| ÷ mid in basis points, for people; the comparison is exact. */
const distanceBps = (px: Decimal, quote: QuoteSeen): number => {
  const twiceMid = quote.bidPx + quote.askPx;
  const off = 2n * px - twiceMid;
  return (Number(off < 0n ? -off : off) / Number(twiceMid)) * 1e4;
};

/** Whether |px − mid| ÷ mid ≤ collar, in integers: 2·|px − mid|·10^10 ≤ 2·mid·collar·10^6. */
function insideCollar(px: Decimal, quote: QuoteSeen, collarBps: number): boolean {
  const twiceMid = quote.bidPx + quote.askPx;
  const off = 2n * px - twiceMid;
  return (off < 0n ? -off : off) * 10_000_000_000n <= twiceMid * BigInt(Math.round(collarBps * 1e6));
}

/**
 * Two-sided band around the mid. A limit order is judged on its limit. Every other type is collared too: it may trade at the far
 * touch, so that is judged, and its limit price where it has one.
 */
export const priceCollar = checkOf<OrderInput>()({
  code: 'PRICE_COLLAR', unit: 'bps', needs: ['quote'], limit: ({ limits }) => decimalText(limits.collarBps),
  decide: ({ quote, terms, policy }) => {
    const touch = terms.side === 'buy' ? quote.askPx : quote.bidPx;
    const prices = terms.limitPx === null ? [touch] : terms.type === 'limit' ? [terms.limitPx] : [touch, terms.limitPx];
    return {
      ok: prices.every((px) => insideCollar(px, quote, policy.policy.limits.collarBps)),
      observed: decimalText(Math.max(...prices.map((px) => distanceBps(px, quote)))),
    };
  },
});
