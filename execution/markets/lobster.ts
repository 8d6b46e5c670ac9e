import { ZERO } from '../../risk/domain/decimal.ts';
import { isSymbol } from '../../risk/domain/ids.ts';
import type { Ns } from '../../risk/domain/time.ts';
import type { Print, Quote } from '../market.ts';
import { priceOf, sharesOf } from './lean.ts';
import type { Field } from './rows.ts';

/**
 * NASDAQ messages as LOBSTER gives them (lobsterdata.com, "Output structure"): time in seconds after midnight in New York, type,
 * order id, size, price in ten-thousandths of a dollar, side of the resting order; and row by row the book after each message.
 */

export interface LobsterName {
  readonly symbol: string;
  /** `YYYYMMDD` in New York. */
  readonly date: string;
  readonly kind: 'message' | 'orderbook';
}

const NAME = /^(?:[a-z]+_)?([A-Z0-9.]{1,16})_(?:(\d{4})-(\d\d)-(\d\d)_\d+_\d+_)?(message|orderbook)_(\d+)\.csv(?:\.gz)?$/;
/** LOBSTER's free samples are all of this day, and excerpts of them lose it from their names. */
const SAMPLE_DATE = '20120621';

/** `AAPL_2012-06-21_34200000_57600000_message_10.csv`, `excerpt_AAPL_message_10.csv.gz`; null for any other name. */
export function parseLobsterName(name: string): LobsterName | null {
  const match = NAME.exec(name);
  if (match === null || !isSymbol(match[1])) return null;
  const date = match[2] === undefined ? SAMPLE_DATE : `${match[2]}${match[3] ?? ''}${match[4] ?? ''}`;
  return { symbol: match[1], date, kind: match[5] as LobsterName['kind'] };
}

const PRICE_MAX = 1e12;
export const MESSAGE_FIELDS: readonly Field[] = [
  { kind: 'number', decimals: 9, min: 0, max: 86_400e9 },
  { kind: 'number', decimals: 0, min: 1, max: 7 },
  { kind: 'number', decimals: 0, min: 0, max: 1e15 },
  { kind: 'number', decimals: 0, min: 0, max: 1e12 },
  { kind: 'number', decimals: 0, min: -PRICE_MAX, max: PRICE_MAX },
  { kind: 'number', decimals: 0, min: -1, max: 1 },
];

const levelPrice: Field = { kind: 'number', decimals: 0, min: -PRICE_MAX, max: PRICE_MAX };
const levelSize: Field = { kind: 'number', decimals: 0, min: 0, max: 1e12 };
/** Only the best level is read: ask price, ask size, bid price, bid size, and the deeper ones unread. */
export const ORDERBOOK_FIELDS: readonly Field[] = [levelPrice, levelSize, levelPrice, levelSize, { kind: 'rest' }];

/** The best of each side in file units; size 0 where there is none. */
export interface Top {
  readonly bidPx: number;
  readonly bidQty: number;
  readonly askPx: number;
  readonly askQty: number;
}

export interface Message {
  readonly ns: number;
  readonly type: number;
  readonly id: number;
  readonly size: number;
  readonly px: number;
  /** 1: the resting order buys; −1: it sells. */
  readonly direction: number;
}

export function messageOf(row: Float64Array): Message {
  const [ns = 0, type = 0, id = 0, size = 0, px = 0, direction = 0] = row;
  return { ns, type, id, size, px, direction };
}

export function topOf(row: Float64Array): Top {
  const [askPx = 0, askQty = 0, bidPx = 0, bidQty = 0] = row;
  return { bidPx, bidQty, askPx, askQty };
}

const TYPE = { submission: 1, reduction: 2, deletion: 3, execution: 4, hiddenExecution: 5, cross: 6 } as const;

/** The print that a message is: an execution, visible, hidden or in a cross; null for any other. */
export function printOf(message: Message, symbol: string, midnight: Ns): Print | null {
  const { type, size, px } = message;
  if (type !== TYPE.execution && type !== TYPE.hiddenExecution && type !== TYPE.cross) return null;
  return size > 0 && px > 0 ? { symbol, px: priceOf(px), qty: sharesOf(size), at: (midnight + BigInt(message.ns)) as Ns } : null;
}

export function quoteOf(top: Top, symbol: string, at: Ns): Quote {
  const [hasBid, hasAsk] = [top.bidQty > 0 && top.bidPx > 0, top.askQty > 0 && top.askPx > 0];
  return {
    symbol,
    bidPx: hasBid ? priceOf(top.bidPx) : ZERO, bidQty: hasBid ? sharesOf(top.bidQty) : ZERO,
    askPx: hasAsk ? priceOf(top.askPx) : ZERO, askQty: hasAsk ? sharesOf(top.askQty) : ZERO,
    at,
  };
}

/** The levels of one side, the best last. */
class Levels {
  readonly #qty = new Map<number, number>();
  readonly #prices: number[] = [];
  readonly #direction: number;

  constructor(direction: 1 | -1) {
    this.#direction = direction;
  }

  change(px: number, by: number): void {
    const qty = (this.#qty.get(px) ?? 0) + by;
    const known = this.#qty.has(px);
    if (qty > 0) this.#qty.set(px, qty);
    else this.#qty.delete(px);
    if (qty > 0 && !known) this.#prices.splice(this.#find(px), 0, px);
    if (qty <= 0 && known) this.#prices.splice(this.#find(px), 1);
  }

  best(): { px: number; qty: number } {
    const px = this.#prices.at(-1) ?? 0;
    return { px, qty: this.#qty.get(px) ?? 0 };
  }

  #find(px: number): number {
    let [low, high] = [0, this.#prices.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (((this.#prices[middle] ?? 0) - px) * this.#direction < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Resting {
  readonly px: number;
  readonly direction: number;
  qty: number;
}

/**
 * The book as far as messages alone tell it. Orders that rested before the first message are unknown, so the best shown is at most
 * as good as the best there was: an order of ours is never given a price that was not there.
 */
export class LobsterBook {
  readonly #orders = new Map<number, Resting>();
  readonly #bids = new Levels(1);
  readonly #asks = new Levels(-1);

  /** Applies a message; false when it contradicts those before it (an id submitted twice). */
  apply({ type, id, size, px, direction }: Message): boolean {
    if (type === TYPE.submission) {
      if (this.#orders.has(id) || direction === 0 || px <= 0 || size <= 0) return false;
      this.#orders.set(id, { px, direction, qty: size });
      this.#side(direction).change(px, size);
    } else if (type === TYPE.reduction || type === TYPE.execution) {
      this.#reduce(id, size);
    } else if (type === TYPE.deletion) {
      this.#reduce(id, Infinity);
    }
    return true;
  }

  top(): Top {
    const [bid, ask] = [this.#bids.best(), this.#asks.best()];
    return { bidPx: bid.px, bidQty: bid.qty, askPx: ask.px, askQty: ask.qty };
  }

  #reduce(id: number, by: number): void {
    const order = this.#orders.get(id);
    if (order === undefined) return;
    const taken = Math.min(by, order.qty);
    order.qty -= taken;
    this.#side(order.direction).change(order.px, -taken);
    if (order.qty === 0) this.#orders.delete(id);
  }

  #side(direction: number): Levels {
    return direction > 0 ? this.#bids : this.#asks;
  }
}
