import { ZERO } from '../../risk/domain/decimal.ts';
import type { Decimal } from '../../risk/domain/decimal.ts';
import { isSymbol } from '../../risk/domain/ids.ts';
import type { Ns } from '../../risk/domain/time.ts';
import type { MarketEvent } from '../market.ts';
import type { Field } from './rows.ts';

/**
 * Equities in the files of QuantConnect's Lean, one zip with one CSV a symbol, day and kind
 * (github.com/QuantConnect/Lean, Data/equity/readme.md): prices in ten-thousandths of a dollar, milliseconds since midnight in New York.
 */

export const RESOLUTIONS = ['tick', 'second', 'minute'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];
export type LeanKind = 'trade' | 'quote';

export interface LeanName {
  readonly symbol: string;
  /** `YYYYMMDD` in New York. */
  readonly date: string;
  readonly resolution: Resolution;
  readonly kind: LeanKind;
}

const ENTRY = /^(\d{8})_([a-z0-9.]{1,16})_(?:(trade|quote)_(tick)|(second|minute)_(trade|quote))\.csv$/;

/** What the name of the CSV in the archive says: `20131007_bac_Quote_Tick.csv`, `20131007_spy_second_trade.csv`; null for any other. */
export function parseLeanName(entry: string): LeanName | null {
  const match = ENTRY.exec(entry.toLowerCase());
  if (match === null) return null;
  const symbol = (match[2] ?? '').toUpperCase();
  if (!isSymbol(symbol)) return null;
  return { symbol, date: match[1] ?? '', resolution: (match[4] ?? match[5]) as Resolution, kind: (match[3] ?? match[6]) as LeanKind };
}

/** Why a well-formed row makes no event. */
export type Skip = 'suspicious' | 'offMarket' | 'empty';
export type Translate = (row: Float64Array) => MarketEvent | Skip;

/** Ten-thousandths of a dollar, and whole shares, in the exact decimal's units. */
const PRICE_UNIT = 10n ** 14n;
const SHARE_UNIT = 10n ** 18n;
export const priceOf = (tenThousandths: number): Decimal => (BigInt(tenThousandths) * PRICE_UNIT) as Decimal;
export const sharesOf = (shares: number): Decimal => (BigInt(shares) * SHARE_UNIT) as Decimal;

const PRICE_MAX = 1e12;
const SHARES_MAX = 1e12;
const time: Field = { kind: 'number', decimals: 6, min: 0, max: 86_400_000e6 };
const price: Field = { kind: 'number', decimals: 0, min: 0, max: PRICE_MAX };
const shares: Field = { kind: 'number', decimals: 0, min: 0, max: SHARES_MAX };
const flag: Field = { kind: 'number', decimals: 0, min: 0, max: 1 };
const optionalPrice: Field = { ...price, optional: true };
const optionalShares: Field = { ...shares, optional: true };
const word: Field = { kind: 'word' };
const condition: Field = { kind: 'hex' };

const SIDE_BAR = [optionalPrice, optionalPrice, optionalPrice, optionalPrice, optionalShares];
const QUOTE_BAR: readonly Field[] = [time, ...SIDE_BAR, ...SIDE_BAR];
const TRADE_BAR: readonly Field[] = [time, price, price, price, price, shares];

/**
 * Sale conditions of a trade that was not made at the market at its time: cash, next day and seller's option, derivatively priced,
 * sold last, out of sequence, contingent on options, average price, prior reference price, and the official open and close, which
 * repeat volume. An order of ours could not have met one.
 */
const OFF_MARKET = 0x2 | 0x4 | 0x8 | 0x200 | 0x800 | 0x4000 | 0x40000 | 0x100000 | 0x1000000 | 0x2000000 | 0x4000000;

const at = (row: Float64Array, index: number): number => row[index] ?? NaN;

interface Side {
  readonly px: Decimal;
  readonly qty: Decimal;
}

function quoteEvent(symbol: string, bid: Side, ask: Side, instant: Ns): MarketEvent {
  return { kind: 'quote', quote: { symbol, bidPx: bid.px, bidQty: bid.qty, askPx: ask.px, askQty: ask.qty, at: instant } };
}

/** The side of a quote: nothing where price or size is absent or 0. */
function sideOf(px: number, qty: number): Side {
  return px > 0 && qty > 0 ? { px: priceOf(px), qty: sharesOf(qty) } : { px: ZERO, qty: ZERO };
}

/** Each row says one side (the other is 0,0) or both; the other side stands as it was. */
function quoteTicks(symbol: string, midnight: Ns): Translate {
  let bid = sideOf(0, 0);
  let ask = bid;
  return (row) => {
    if (at(row, 7) === 1) return 'suspicious';
    if (at(row, 1) > 0) bid = sideOf(at(row, 1), at(row, 2));
    if (at(row, 3) > 0) ask = sideOf(at(row, 3), at(row, 4));
    if (at(row, 1) === 0 && at(row, 3) === 0) bid = ask = sideOf(0, 0); // all zero: nobody quotes (a halt)
    return quoteEvent(symbol, bid, ask, (midnight + BigInt(at(row, 0))) as Ns);
  };
}

function tradeTicks(symbol: string, midnight: Ns): Translate {
  return (row) => {
    if (at(row, 5) === 1) return 'suspicious';
    if ((at(row, 4) & OFF_MARKET) !== 0) return 'offMarket';
    if (at(row, 1) === 0 || at(row, 2) === 0) return 'empty';
    return { kind: 'print', print: { symbol, px: priceOf(at(row, 1)), qty: sharesOf(at(row, 2)), at: (midnight + BigInt(at(row, 0))) as Ns } };
  };
}

/** A bar is known when it is over: the quote is its close, at its end. */
function quoteBars(lengthNs: bigint) {
  return (symbol: string, midnight: Ns): Translate => (row) => {
    const bid = sideOf(at(row, 4), at(row, 5));
    const ask = sideOf(at(row, 9), at(row, 10));
    return quoteEvent(symbol, bid, ask, (midnight + BigInt(at(row, 0)) + lengthNs) as Ns);
  };
}

/** One print at the close with the bar's volume, at its end: a price that was there, and never more volume than was printed. */
function tradeBars(lengthNs: bigint) {
  return (symbol: string, midnight: Ns): Translate => (row) => {
    if (at(row, 4) === 0 || at(row, 5) === 0) return 'empty';
    return { kind: 'print', print: { symbol, px: priceOf(at(row, 4)), qty: sharesOf(at(row, 5)), at: (midnight + BigInt(at(row, 0)) + lengthNs) as Ns } };
  };
}

const SECOND = 1_000_000_000n;
const bars = (lengthNs: bigint): Record<LeanKind, LeanFormat> => ({
  quote: { fields: QUOTE_BAR, translator: quoteBars(lengthNs) },
  trade: { fields: TRADE_BAR, translator: tradeBars(lengthNs) },
});

export interface LeanFormat {
  readonly fields: readonly Field[];
  /** Makes the translator of one file; `midnight` is that of its day. It may keep state between rows. */
  readonly translator: (symbol: string, midnight: Ns) => Translate;
}

export const LEAN: Record<Resolution, Record<LeanKind, LeanFormat>> = {
  tick: {
    quote: { fields: [time, price, shares, price, shares, word, condition, flag], translator: quoteTicks },
    trade: { fields: [time, price, shares, word, condition, flag], translator: tradeTicks },
  },
  second: bars(SECOND),
  minute: bars(60n * SECOND),
};
