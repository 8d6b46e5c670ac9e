/** One symbol at the paper venue: what the market shows, what we took of it, and our own orders there. */
import { minimum, ONE, subtract, truncateTo, ZERO, type Decimal } from '../../../risk/domain/decimal.ts';
import type { Instrument } from '../../../risk/domain/instrument.ts';
import type { Side } from '../../../risk/domain/order.ts';
import type { Print, Quote } from '../../market.ts';
import { Ladder, type Touch, type Working } from './ladder.ts';
import { shareOf } from './terms.ts';

export type Liquidity = 'maker' | 'taker';
/** Told of every fill, after the order's `cumQty` has moved; it removes the order when nothing is left. */
export type Filled = (working: Working, qty: Decimal, px: Decimal, liquidity: Liquidity) => void;

export const leavesOf = (working: Working): Decimal => subtract(working.order.orderQty, working.cumQty);

const sameQuote = (a: Quote, b: Quote): boolean =>
  a.at === b.at && a.bidPx === b.bidPx && a.bidQty === b.bidQty && a.askPx === b.askPx && a.askQty === b.askQty;

/** The side on which an order of `side` rests. */
const nearTouch = (quote: Quote, side: Side): Touch => (side === 'buy' ? { px: quote.bidPx, qty: quote.bidQty } : { px: quote.askPx, qty: quote.askQty });

export class Book {
  readonly instrument: Instrument;
  readonly #filled: Filled;
  #quote: Quote | null = null;
  /** What our takers of a side, and our resting orders of it that were crossed, took of the present quote. */
  #taken: Record<Side, Decimal> = { buy: ZERO, sell: ZERO };
  /** Printed since the symbol is followed. */
  #volume = ZERO;
  readonly #ladders: Record<Side, Ladder> = { buy: new Ladder('buy'), sell: new Ladder('sell') };
  /** Market orders that wait for liquidity, and pov orders, in the order they came. */
  readonly #takers = new Set<Working>();
  readonly #pegs = new Set<Working>();
  /** Number of open orders. */
  open = 0;

  constructor(instrument: Instrument, filled: Filled) {
    this.instrument = instrument;
    this.#filled = filled;
  }

  /** Whether an order can be accepted: some quote is known, and for a pegged order its own side of it. */
  quotes(order: Working['order']): boolean {
    return this.#quote !== null && (order.type !== 'pegged' || nearTouch(this.#quote, order.side).px > 0n);
  }

  /** Gives an order its place. Returns false when what is left of it must be canceled: the rest of an ioc, the whole of a fok. */
  enter(working: Working): boolean {
    const { order } = working;
    this.open++;
    switch (order.type) {
      case 'limit': case 'market': {
        if (order.tif === 'fok' && this.#available(working) < leavesOf(working)) return false;
        this.#take(working, leavesOf(working));
        if (leavesOf(working) === 0n) return true;
        if (order.tif === 'ioc' || order.tif === 'fok') return false;
        if (order.type === 'market') this.#takers.add(working);
        else this.#rest(working, order.limitPx as Decimal);
        return true;
      }
      case 'pegged': {
        this.#pegs.add(working);
        this.repeg(working);
        return true;
      }
      case 'pov': {
        working.volumeFrom = this.#volume;
        working.cumQtyFrom = working.cumQty;
        this.#takers.add(working);
        return true;
      }
    }
  }

  remove(working: Working): void {
    this.open--;
    this.#takers.delete(working);
    this.#pegs.delete(working);
    if (working.place !== null) this.#ladders[working.order.side].leave(working);
  }

  /** Moves a pegged order to the near touch, at the back of the queue there; it stays where it is when that has not moved. */
  repeg(working: Working): void {
    const px = this.#pegPx(working);
    if (px === null || px === working.place?.level.px) return;
    if (working.place !== null) this.#ladders[working.order.side].leave(working);
    this.#rest(working, px);
  }

  /** Pegged orders that do not stand where the near touch is. */
  displaced(): Working[] {
    return [...this.#pegs].filter((working) => {
      const px = this.#pegPx(working);
      return px !== null && px !== working.place?.level.px;
    });
  }

  /** A new quote: waiting takers first, then resting orders that it crosses, then the queues. An older or the same quote is nothing. */
  quoted(quote: Quote): void {
    if (this.#quote !== null && (quote.at < this.#quote.at || sameQuote(quote, this.#quote))) return;
    this.#quote = quote;
    this.#taken = { buy: ZERO, sell: ZERO };
    this.#serveTakers();
    for (const side of ['buy', 'sell'] as const) {
      const { px, qty } = this.#far(side);
      if (px > 0n) {
        this.#ladders[side].cross(px, qty, (working, available, at) => {
          const lastQty = this.#fill(working, available, at, 'maker');
          this.#taken[side] = (this.#taken[side] + lastQty) as Decimal;
          return lastQty;
        });
      }
      this.#ladders[side].show(nearTouch(quote, side));
    }
  }

  /** A trade of the market: resting orders share it, pov orders follow it. */
  printed(print: Print): void {
    this.#volume = (this.#volume + print.qty) as Decimal;
    let used = ZERO;
    for (const side of ['buy', 'sell'] as const) {
      used = this.#ladders[side].trade(print.px, print.qty, used, (working, available, px) => this.#fill(working, available, px, 'maker'));
    }
    this.#serveTakers();
  }

  #serveTakers(): void {
    for (const working of this.#takers) this.#take(working, working.order.type === 'pov' ? this.#owed(working) : leavesOf(working));
  }

  /** What a pov order may have taken by now, less what it has. */
  #owed(working: Working): Decimal {
    const { order, volumeFrom, cumQtyFrom, cumQty } = working;
    const share = (shareOf(order.participation as number) * (this.#volume - volumeFrom)) / ONE;
    return minimum((cumQtyFrom + share - cumQty) as Decimal, leavesOf(working));
  }

  /** Takes at most `wanted` of what the far touch still shows, within the order's limit. */
  #take(working: Working, wanted: Decimal): void {
    const available = this.#available(working);
    if (available <= 0n || wanted <= 0n) return;
    const { side } = working.order;
    // Counted before it is told: whoever hears of the fill finds the book as it is.
    const qty = truncateTo(minimum(available, wanted), this.instrument.lotSize);
    this.#taken[side] = (this.#taken[side] + qty) as Decimal;
    this.#fill(working, qty, this.#far(side).px, 'taker');
  }

  /** What an order could take now. */
  #available(working: Working): Decimal {
    const { side, limitPx } = working.order;
    const { px, qty } = this.#far(side);
    const beyond = limitPx !== null && (side === 'buy' ? px > limitPx : px < limitPx);
    return beyond ? ZERO : truncateTo(qty, this.instrument.lotSize);
  }

  /** Whole lots only: a fraction that the market shows is nothing to us. */
  #fill(working: Working, available: Decimal, px: Decimal, liquidity: Liquidity): Decimal {
    const qty = truncateTo(minimum(available, leavesOf(working)), this.instrument.lotSize);
    if (qty <= 0n) return ZERO;
    working.cumQty = (working.cumQty + qty) as Decimal;
    this.#filled(working, qty, px, liquidity);
    return qty;
  }

  #rest(working: Working, px: Decimal): void {
    const { side } = working.order;
    this.#ladders[side].join(working, px, this.#quote === null ? null : nearTouch(this.#quote, side));
  }

  /** The near touch, bounded by the order's limit; null while that side is empty. */
  #pegPx(working: Working): Decimal | null {
    if (this.#quote === null) return null;
    const { side, limitPx } = working.order;
    const { px } = nearTouch(this.#quote, side);
    if (px === 0n) return null;
    return limitPx !== null && (side === 'buy' ? px > limitPx : px < limitPx) ? limitPx : px;
  }

  /** The side from which an order of `side` takes, less what we took of it. */
  #far(side: Side): Touch {
    if (this.#quote === null) return { px: ZERO, qty: ZERO };
    const { bidPx, bidQty, askPx, askQty } = this.#quote;
    return side === 'buy' ? { px: askPx, qty: subtract(askQty, this.#taken.buy) } : { px: bidPx, qty: subtract(bidQty, this.#taken.sell) };
  }
}
