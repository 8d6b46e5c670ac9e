/** The box of a leg: what its own limits leave of the trade that it wishes for, before the limits of the whole account. */
import { maximum, minimum, negate, subtract, toNumber, ZERO, add, type Decimal } from './domain/decimal.ts';
import type { Limits } from './policy.ts';
import { highOf, lowOf, presentOf, reducible, type Holding } from './position.ts';
import { quantityOf } from './rounding.ts';
import type { Wish } from './target-legs.ts';

/** How much of a trade `side` may still reach a position of `limit` on its side; at least nothing: the limit of a name never turns a trade around. */
function roomTo(held: Holding, limit: Decimal, trade: Decimal): Decimal {
  return trade > 0n
    ? minimum(trade, maximum(ZERO, subtract(limit, highOf(held))))
    : maximum(trade, negate(maximum(ZERO, add(limit, lowOf(held)))));
}

/**
 * Kelly: the book ends at min(|w|, governor × cap) on w's sign, so a wish to grow a book that is beyond the cap brings it down to
 * the cap, within what is a proven reduction. A wish that does not grow the book is not touched.
 */
function kellyRoom(book: Holding, cap: Decimal, trade: Decimal): Decimal {
  const room = roomTo(book, cap, trade);
  if (room === trade || room !== 0n) return room;
  const present = presentOf(book);
  const { buy, sell } = reducible(book);
  return trade > 0n
    ? maximum(negate(sell), minimum(ZERO, subtract(cap, present)))
    : minimum(buy, maximum(ZERO, subtract(negate(cap), present)));
}

const clamp = (trade: Decimal, buy: Decimal, sell: Decimal): Decimal => maximum(negate(sell), minimum(buy, trade));

/** What the ends of a leg's box go by. Money of equity and of one unit, positive; `reducingOnly` where a switch or the governor says so. */
export interface Bounds {
  readonly limits: Limits;
  readonly equity: number;
  readonly mark: number;
  readonly reducingOnly: boolean;
}

const capQty = ({ kellyCap: cap }: Wish, { equity, mark }: Bounds): Decimal => quantityOf(((cap === null || cap === 'unrated' ? 0 : cap) * equity) / mark);

/** The largest part of `trade` within the leg's box. */
export const boundedTrade = (wish: Wish, trade: Decimal, bounds: Bounds): Decimal => withinName(wish, kellyRoom(wish.book, capQty(wish, bounds), trade), bounds);

/** How far the leg may be brought back to make room for others: to an own book of nothing, where that breaks no limit of its own. */
export const closingTrade = (wish: Wish, bounds: Bounds): Decimal =>
  withinName(wish, roomTo(wish.book, capQty(wish, bounds), negate(presentOf(wish.book))), bounds);

/** The name's limit, how large an order may be and, where nothing may grow, what is a proven reduction. */
function withinName(wish: Wish, trade: Decimal, { limits, equity, mark, reducingOnly }: Bounds): Decimal {
  const size = quantityOf(Math.min(toNumber(limits.orderNotionalMax) / mark, limits.orderQtyMaxAdvFraction * (wish.advQty ?? 0)));
  const sized = clamp(roomTo(wish.line, quantityOf((limits.nameXEquity * equity) / mark), trade), size, size);
  if (!reducingOnly) return sized;
  const line = reducible(wish.line);
  const book = reducible(wish.book);
  return clamp(sized, minimum(line.buy, book.buy), minimum(line.sell, book.sell));
}
