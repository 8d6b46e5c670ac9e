/**
 * Our own resting orders on one side of one symbol, in price-time priority, with their places in the market's queue.
 *
 * The queue position of an order is the quantity of strangers ahead of it. It is kept as the total that must have traded at the
 * level before it is the order's turn (`turnAt`), so that a print moves every position by moving one counter. The positions of a
 * level never decrease from front to back: who comes later joins behind what is shown, and everyone before was capped to that.
 * A quote shows only the touch: at a price worse than the touch the queue is *unseen*, and no print at that price fills anything
 * until a quote has shown it.
 */
import { subtract, ZERO, type Decimal } from '../../../risk/domain/decimal.ts';
import type { ChildOrder, Side } from '../../../risk/domain/order.ts';
import type { Ns } from '../../../risk/domain/time.ts';
import type { Slotted } from '../../heap.ts';

/** What time will do to an order: end it, or look again at its pegged price. */
export interface Due extends Slotted {
  readonly what: 'end' | 'repeg';
  readonly working: Working;
  readonly at: Ns;
  readonly order: number;
}

/** An order at work. `order` is replaced as a whole by a replace; quantities of the chain go on. */
export interface Working {
  order: ChildOrder;
  cumQty: Decimal;
  /** Null when it does not end by itself. */
  end: Due | null;
  /** Null while the near touch has not moved. */
  repeg: Due | null;
  /** A pov order's base: the symbol's volume, and its own filled quantity, when the counting began. */
  volumeFrom: Decimal;
  cumQtyFrom: Decimal;
  place: Place | null;
}

/** What one side of a quote shows; nothing is price 0, quantity 0. */
export interface Touch {
  readonly px: Decimal;
  readonly qty: Decimal;
}

interface Place {
  readonly level: Level;
  turnAt: Decimal;
  before: Working | null;
  after: Working | null;
}

interface Level {
  readonly px: Decimal;
  traded: Decimal;
  front: Working | null;
  back: Working | null;
}

/** Takes what an order may trade now; gives back what it took. It may remove the order from its ladder, and no other. */
export type Fill = (working: Working, qty: Decimal, px: Decimal) => Decimal;

/** More than any queue: 10^21 units. */
const UNSEEN = (10n ** 39n) as Decimal;

const placeOf = (working: Working): Place => {
  if (working.place === null) throw new Error(`order ${working.order.clOrdId} does not rest`);
  return working.place;
};

/** Quantity of strangers ahead of a resting order; null while its price has not been shown. */
export function queueAhead(working: Working): Decimal | null {
  const { turnAt, level } = placeOf(working);
  const ahead = turnAt - level.traded;
  return ahead > UNSEEN / 2n ? null : ahead < 0n ? ZERO : (ahead as Decimal);
}

export class Ladder {
  readonly #side: Side;
  readonly #levels = new Map<Decimal, Level>();
  /** Prices of the levels, best first. */
  readonly #prices: Decimal[] = [];

  constructor(side: Side) {
    this.#side = side;
  }

  /** Rests an order at the back of its price; `near` is what its own side shows, null while there is no quote. */
  join(working: Working, px: Decimal, near: Touch | null): void {
    const level = this.#levels.get(px) ?? this.#open(px);
    const ahead = (near === null ? null : this.#shownAt(px, near)) ?? UNSEEN;
    working.place = { level, turnAt: (level.traded + ahead) as Decimal, before: level.back, after: null };
    if (level.back === null) level.front = working;
    else placeOf(level.back).after = working;
    level.back = working;
  }

  leave(working: Working): void {
    const { level, before, after } = placeOf(working);
    if (before === null) level.front = after;
    else placeOf(before).after = after;
    if (after === null) level.back = before;
    else placeOf(after).before = before;
    working.place = null;
    if (level.front !== null) return;
    this.#levels.delete(level.px);
    this.#prices.splice(this.#position(level.px), 1);
  }

  /** The opposite touch reaches our prices: fills at our prices, best first, up to `available`. Gives back what was filled. */
  cross(oppositePx: Decimal, available: Decimal, fill: Fill): Decimal {
    let used = ZERO;
    for (const level of this.#levelsTo(oppositePx)) {
      for (let working = level.front; working !== null && used < available;) {
        const after = placeOf(working).after;
        used = (used + fill(working, subtract(available, used), level.px)) as Decimal;
        working = after;
      }
    }
    return used;
  }

  /**
   * A trade at `px` of `qty`, of which `used` is given away already: fills the orders it went through at their own prices, and at
   * `px` those whose turn it is. Every order at `px` moves ahead by the whole print. Gives back the new `used`.
   */
  trade(px: Decimal, qty: Decimal, used: Decimal, fill: Fill): Decimal {
    for (const level of this.#levelsTo(px)) {
      for (let working = level.front; working !== null && used < qty;) {
        const { after, turnAt } = placeOf(working);
        const ahead = level.px === px && turnAt > level.traded ? turnAt - level.traded : 0n;
        const available = qty - used - ahead;
        if (available <= 0n) break; // nobody behind has less ahead
        used = (used + fill(working, available as Decimal, level.px)) as Decimal;
        working = after;
      }
      if (level.px === px) level.traded = (level.traded + qty) as Decimal;
    }
    return used;
  }

  /** A quote shows the near side: nobody has more ahead than is shown at his price, and nothing is shown at a better price. */
  show(near: Touch): void {
    for (const px of this.#prices) {
      const shown = this.#shownAt(px, near);
      if (shown === null) return;
      const level = this.#levels.get(px) as Level;
      const turnAt = (level.traded + shown) as Decimal;
      for (let working = level.back; working !== null && placeOf(working).turnAt > turnAt; working = placeOf(working).before) {
        placeOf(working).turnAt = turnAt;
      }
    }
  }

  /** What the near side shows at a price: null where it is behind the touch and cannot be seen. */
  #shownAt(px: Decimal, near: Touch): Decimal | null {
    if (px === near.px) return near.qty;
    return near.px === 0n || this.#better(px, near.px) ? ZERO : null;
  }

  /** Levels at `px` or better, best first, as they stand now. */
  #levelsTo(px: Decimal): Level[] {
    const levels: Level[] = [];
    for (const price of this.#prices) {
      if (this.#better(px, price)) break;
      levels.push(this.#levels.get(price) as Level);
    }
    return levels;
  }

  #better(a: Decimal, b: Decimal): boolean {
    return this.#side === 'buy' ? a > b : a < b;
  }

  #open(px: Decimal): Level {
    const level: Level = { px, traded: ZERO, front: null, back: null };
    this.#levels.set(px, level);
    this.#prices.splice(this.#position(px), 0, px);
    return level;
  }

  /** Index of the first price that is not better than `px`. */
  #position(px: Decimal): number {
    let low = 0;
    let high = this.#prices.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#better(this.#prices[middle] as Decimal, px)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
