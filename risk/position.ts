/** One symbol's position with everything that is open, in units, as doubles: of an account's line, or of one strategy's book. */
import { toNumber } from './domain/decimal.ts';
import type { Book, Line } from './state.ts';

export interface Holding {
  readonly qty: number;
  readonly buyOpen: number;
  readonly sellOpen: number;
}

export const NOTHING_HELD: Holding = { qty: 0, buyOpen: 0, sellOpen: 0 };

export function holdingOfLine(line: Line | undefined): Holding {
  return line === undefined ? NOTHING_HELD : { qty: line.qtyN, buyOpen: line.buyOpenN, sellOpen: line.sellOpenN };
}
export function holdingOfBook(book: Book | undefined): Holding {
  return book === undefined ? NOTHING_HELD : { qty: toNumber(book.qty), buyOpen: toNumber(book.buyOpen), sellOpen: toNumber(book.sellOpen) };
}

/** The holding without `qty` of its own reservation on the side of the sign. */
export function without(held: Holding, sign: 1 | -1, qty: number): Holding {
  if (qty === 0) return held;
  return sign === 1 ? { ...held, buyOpen: held.buyOpen - qty } : { ...held, sellOpen: held.sellOpen - qty };
}

/** Where everything open would end: position + open buys − open sells. */
export const presentOf = (held: Holding): number => held.qty + held.buyOpen - held.sellOpen;

/** Size of the position on the side that a trade of `trade` units (signed) moves to, with all of that side's open orders filled; 0 while it only reduces. */
export function reachOf(held: Holding, trade: number): number {
  return trade >= 0 ? Math.max(0, held.qty + held.buyOpen + trade) : Math.max(0, -(held.qty - held.sellOpen + trade));
}

/** The larger in size of "all buys fill" and "all sells fill", after a trade. */
export function worstOf(held: Holding, trade: number): number {
  const high = held.qty + held.buyOpen + Math.max(0, trade);
  const low = held.qty - held.sellOpen + Math.min(0, trade);
  return Math.max(Math.abs(high), Math.abs(low));
}

/** Units that may be bought (first) or sold (second) and still only reduce, whatever of the open orders fills: never through zero. */
export function reducible(held: Holding): { readonly buy: number; readonly sell: number } {
  return { buy: Math.max(0, -(held.qty + held.buyOpen)), sell: Math.max(0, held.qty - held.sellOpen) };
}

/** Whether a trade is a proven reduction. Nothing is: a trade of 0 reduces. */
export function reduces(held: Holding, trade: number): boolean {
  const room = reducible(held);
  return trade >= 0 ? trade <= room.buy : -trade <= room.sell;
}
