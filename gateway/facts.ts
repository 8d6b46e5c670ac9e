/** Reading facts: the one place where market data becomes a fact of a decision. */
import { divide, formatDecimal, ONE, type Decimal } from '../risk/domain/decimal.ts';
import { formatInstant } from '../risk/domain/time.ts';
import type { Facts, SymbolFacts, SymbolFactsJson } from '../risk/facts.ts';
import type { PolicyInForce } from '../risk/policy.ts';
import { isFresh, isSound, quoteSeen } from '../risk/quote.ts';
import { policyInForce, type House } from './house.ts';

const TWO = (ONE * 2n) as Decimal;
const NOTHING: SymbolFacts = { bidPx: null, askPx: null, quoteAt: null, sigmaAnnual: null, advQty: null };

/** Facts of these symbols, now. A side without interest is a missing fact; so is everything about an unknown name. */
export function readFacts(house: House, symbols: Iterable<string>): Facts {
  const read = new Map<string, SymbolFacts>();
  const { universe } = policyInForce(house);
  for (const symbol of symbols) {
    const instrument = universe.get(symbol);
    const quote = instrument === undefined ? null : house.market.quote(symbol);
    read.set(symbol, instrument === undefined ? NOTHING : {
      bidPx: quote === null || quote.bidQty <= 0n ? null : quote.bidPx,
      askPx: quote === null || quote.askQty <= 0n ? null : quote.askPx,
      quoteAt: quote?.at ?? null,
      sigmaAnnual: instrument.sigmaAnnual,
      advQty: instrument.advQty,
    });
  }
  return { now: house.journal.now(), clockStepBackMs: house.clockStepBackMs(), source: house.market.source, symbols: read };
}

export const midOf = (facts: SymbolFacts | undefined): Decimal | null =>
  facts === undefined || facts.bidPx === null || facts.askPx === null ? null : divide((facts.bidPx + facts.askPx) as Decimal, TWO);

/** The mid of a quote that a decision would go by; null for one that is stale, from the future, crossed or one-sided. */
export function freshMidOf(facts: Facts, symbol: string, { policy }: PolicyInForce): Decimal | null {
  const seen = facts.symbols.get(symbol);
  const quote = quoteSeen(seen, facts.now);
  return quote !== null && isFresh(quote, policy) ? midOf(seen) : null;
}

/**
 * The mid of the last quote, to measure by; null for one that is from the future, crossed or one-sided. It may be older than a decision
 * would go by: in a thin market it is the last price that anybody showed, and a cost that stays unknown for ever helps nobody.
 */
export function lastMidOf(facts: Facts, symbol: string): Decimal | null {
  const seen = facts.symbols.get(symbol);
  const quote = quoteSeen(seen, facts.now);
  return quote !== null && isSound(quote) ? midOf(seen) : null;
}

export function factsJson(facts: SymbolFacts | undefined): SymbolFactsJson {
  const { bidPx, askPx, quoteAt, sigmaAnnual, advQty } = facts ?? NOTHING;
  return { advQty, askPx: textOf(askPx), bidPx: textOf(bidPx), quoteAt: quoteAt === null ? null : formatInstant(quoteAt), sigmaAnnual };
}

export const textOf = (value: Decimal | null): string | null => (value === null ? null : formatDecimal(value));
