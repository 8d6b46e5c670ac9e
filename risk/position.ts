/**
 * One symbol's position with everything that is open, of an account's line or of one strategy's book, and what a trade makes of it.
 * A trade is a signed quantity. Exact: whether a closing is a closing must not hang on the last bit of a double.
 */
import { absolute, add, maximum, minimum, negate, subtract, toNumber, ZERO, type Decimal } from './domain/decimal.ts';
import { signOf, type Side } from './domain/order.ts';

/** Lines and books are holdings. */
export interface Holding {
  readonly qty: Decimal;
  readonly buyOpen: Decimal;
  readonly sellOpen: Decimal;
}

export const NOTHING_HELD: Holding = { qty: ZERO, buyOpen: ZERO, sellOpen: ZERO };

/** The holding before an order that it already reserves `reservedQty` for. */
export function before({ qty, buyOpen, sellOpen }: Holding, side: Side, reservedQty: Decimal): Holding {
  return side === 'buy' ? { qty, buyOpen: subtract(buyOpen, reservedQty), sellOpen } : { qty, buyOpen, sellOpen: subtract(sellOpen, reservedQty) };
}

export const tradeOf = (side: Side, qty: Decimal): Decimal => (signOf(side) === 1 ? qty : negate(qty));

/** Position with every open buy filled, and with every open sell filled. */
export const highOf = (held: Holding): Decimal => add(held.qty, held.buyOpen);
export const lowOf = (held: Holding): Decimal => subtract(held.qty, held.sellOpen);
/** With everything filled. */
export const presentOf = (held: Holding): Decimal => subtract(highOf(held), held.sellOpen);

/** Size of the position on the side that the trade moves to, with that side's open orders filled; 0 as long as it only reduces. */
export function reachOf(held: Holding, trade: Decimal, side: 'up' | 'down'): number {
  const end = side === 'up' ? add(highOf(held), trade) : negate(add(lowOf(held), trade));
  return toNumber(maximum(ZERO, end));
}

/** How much may be bought, and sold, and still only reduce, whatever of the open orders fills: never through zero. */
export function reducible(held: Holding): { readonly buy: Decimal; readonly sell: Decimal } {
  return { buy: maximum(ZERO, negate(highOf(held))), sell: maximum(ZERO, lowOf(held)) };
}

/** Whether the trade is a proven reduction of both: of the account's line and of the strategy's own book. A trade of 0 is. */
export function reduces(line: Holding, book: Holding, trade: Decimal): boolean {
  return minimum(reducibleBy(line, trade), reducibleBy(book, trade)) >= absolute(trade);
}
const reducibleBy = (held: Holding, trade: Decimal): Decimal => (trade >= 0n ? reducible(held).buy : reducible(held).sell);
