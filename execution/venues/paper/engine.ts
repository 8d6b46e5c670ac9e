/**
 * The paper venue's matching engine: a pure state machine. In go commands with the instant at which they act, market events and
 * the passing of time; out come the venue's reports, in order, through one callback. The same inputs give the same reports.
 *
 * A command acts when it is called: latency is the caller's. Own orders never trade with each other: the market is the only other side.
 */
import { fromNumber, ZERO, type Decimal } from '../../../risk/domain/decimal.ts';
import type { Instrument } from '../../../risk/domain/instrument.ts';
import type { ChildOrder } from '../../../risk/domain/order.ts';
import { plusMs, type Ns } from '../../../risk/domain/time.ts';
import { Heap } from '../../heap.ts';
import type { MarketEvent } from '../../market.ts';
import type { VenueReport } from '../../venue.ts';
import { Book, leavesOf, type Liquidity } from './book.ts';
import { IdWindow } from './id-window.ts';
import { queueAhead, type Due, type Working } from './ladder.ts';
import { defectOf, endOf, feeOf, sameOrder, type PaperConfig, type RejectReason } from './terms.ts';

/** An order that was open when the state was lost. */
export interface OpenOrder {
  readonly order: ChildOrder;
  readonly cumQty: Decimal;
  /** When the venue accepted it: the day of a `day` order. */
  readonly acceptedAt: Ns;
}

/** Finished ids kept for the refusal of repeats: at least as many, at most twice. Open orders are known for as long as they live. */
const FINISHED_KEPT = 250_000;

type WithoutStamp<R> = R extends VenueReport ? Omit<R, 'sourceSeq' | 'venueAt'> : never;
/** A report but for its sequence and instant. */
type Told = WithoutStamp<VenueReport>;

export class PaperEngine {
  readonly #instruments: ReadonlyMap<string, Instrument>;
  readonly #report: (report: VenueReport) => void;
  readonly #feeBps: Record<Liquidity, Decimal>;
  readonly #repegLatencyMs: number;
  readonly #execPrefix: string;
  readonly #books = new Map<string, Book>();
  readonly #open = new Map<string, Working>();
  readonly #finished = new IdWindow(FINISHED_KEPT);
  readonly #dues = new Heap<Due>((a, b) => (a.at === b.at ? a.order < b.order : a.at < b.at));
  #dueCount = 0;
  #now = 0n as Ns;
  #sourceSeq = 0;

  constructor(config: PaperConfig, instruments: ReadonlyMap<string, Instrument>, report: (report: VenueReport) => void) {
    this.#instruments = instruments;
    this.#report = report;
    this.#feeBps = { maker: fromNumber(config.makerFeeBps, 6), taker: fromNumber(config.takerFeeBps, 6) };
    this.#repegLatencyMs = config.repegLatencyMs;
    this.#execPrefix = `${config.seed.toString(36).toUpperCase()}X`;
  }

  /**
   * Takes over the orders that were open, in the order they were accepted, each at its queue's back with its filled quantity, and
   * goes on counting after `lastSourceSeq`. Only for a new engine that has seen no quote. An immediate order whose end was lost is
   * canceled. `finished`: ids not to be accepted again.
   */
  restore(open: readonly OpenOrder[], lastSourceSeq: number, at: Ns, finished: Iterable<string> = []): void {
    this.#sourceSeq = lastSourceSeq;
    this.#now = at;
    for (const id of finished) this.#finished.add(id);
    for (const { order, cumQty, acceptedAt } of open) {
      const instrument = this.#instruments.get(order.symbol);
      if (instrument === undefined) throw new RangeError(`an open order in ${order.symbol}, which the universe does not hold`);
      const working = newWorking(order, cumQty);
      this.#open.set(order.clOrdId, working);
      working.end = this.#willBe('end', working, endOf(order, acceptedAt));
      if (!this.#bookOf(instrument).enter(working)) this.#end(working, 'canceled');
    }
    this.advance(at);
  }

  /** A new order or a replace acts. */
  submit(order: ChildOrder, at: Ns): void {
    this.advance(at);
    const { clOrdId } = order;
    if (this.knows(clOrdId)) {
      this.#tell({ kind: 'rejected', clOrdId, reason: 'DUPLICATE' satisfies RejectReason });
      return;
    }
    const original = order.origClOrdId === null ? null : this.#open.get(order.origClOrdId);
    const instrument = this.#instruments.get(order.symbol);
    const reason = this.#refusal(order, original, instrument);
    if (reason !== null || instrument === undefined) {
      this.#finished.add(clOrdId);
      this.#tell({ kind: 'rejected', clOrdId, reason: reason ?? ('UNKNOWN_SYMBOL' satisfies RejectReason) });
    } else if (original === null || original === undefined) {
      this.#accept(order, this.#bookOf(instrument));
    } else {
      this.#replace(original, order, this.#bookOf(instrument));
    }
  }

  /** A cancel acts. */
  cancel(clOrdId: string, at: Ns): void {
    this.advance(at);
    const working = this.#open.get(clOrdId);
    if (working !== undefined) this.#end(working, 'canceled');
    else this.#tell({ kind: 'cancelRejected', clOrdId, reason: (this.#finished.has(clOrdId) ? 'TOO_LATE' : 'UNKNOWN_ORDER') satisfies RejectReason });
  }

  /** The market moved. Symbols without a book are nothing to us. */
  onEvent(event: MarketEvent): void {
    const { symbol, at } = event.kind === 'quote' ? event.quote : event.print;
    this.advance(at);
    const instrument = this.#instruments.get(symbol);
    if (instrument === undefined) return;
    const book = this.#bookOf(instrument);
    if (event.kind === 'print') {
      book.printed(event.print);
      return;
    }
    book.quoted(event.quote);
    for (const working of book.displaced()) working.repeg ??= this.#willBe('repeg', working, plusMs(this.#now, this.#repegLatencyMs));
  }

  /** Time passes: what was due until `to` happens. Reports carry the instant at which it was due, however late we are woken. */
  advance(to: Ns): void {
    for (let due = this.#dues.peek(); due !== undefined && due.at <= to; due = this.#dues.peek()) {
      if (due.at > this.#now) this.#now = due.at;
      this.#dues.remove(due);
      if (due.what === 'end') {
        this.#end(due.working, 'expired');
      } else {
        due.working.repeg = null;
        this.#bookOfOrder(due.working).repeg(due.working);
      }
    }
    if (to > this.#now) this.#now = to;
  }

  /** When `advance` is needed next; null when nothing is pending. */
  nextDue(): Ns | null {
    return this.#dues.peek()?.at ?? null;
  }

  /** Whether an order of this id was ever received, as far back as ids are kept. */
  knows(clOrdId: string): boolean {
    return this.#open.has(clOrdId) || this.#finished.has(clOrdId);
  }

  /** Whether a symbol has open orders: only then its market matters. */
  hasOpen(symbol: string): boolean {
    return (this.#books.get(symbol)?.open ?? 0) > 0;
  }

  /** Quantity of strangers ahead of a resting order; null when it does not rest, or its price has not been shown. */
  queueAhead(clOrdId: string): Decimal | null {
    const working = this.#open.get(clOrdId);
    return working?.place ? queueAhead(working) : null;
  }

  #refusal(order: ChildOrder, original: Working | null | undefined, instrument: Instrument | undefined): RejectReason | null {
    if (original === undefined) return this.#finished.has(order.origClOrdId as string) ? 'TOO_LATE' : 'UNKNOWN_ORDER';
    if (original !== null && !sameOrder(order, original.order)) return 'REPLACE_TERMS';
    if (instrument === undefined) return 'UNKNOWN_SYMBOL';
    return defectOf(order, instrument) ?? (this.#bookOf(instrument).quotes(order) ? null : 'NO_QUOTE');
  }

  #accept(order: ChildOrder, book: Book): void {
    const working = newWorking(order, ZERO);
    this.#open.set(order.clOrdId, working);
    this.#tell({ kind: 'acknowledged', clOrdId: order.clOrdId });
    this.#work(working, book);
  }

  /**
   * The order goes on under the new id and terms. It keeps its place in the queue only when its quantity does not rise and nothing
   * else changes; else it arrives anew. A new total that is already filled leaves nothing: `replaced` with leaves 0 is the last of it.
   */
  #replace(working: Working, order: ChildOrder, book: Book): void {
    const previous = working.order;
    const keepsPlace = working.place !== null && order.orderQty <= previous.orderQty && order.limitPx === previous.limitPx
      && order.participation === previous.participation && order.tif === previous.tif && order.expireAt === previous.expireAt;
    const done = order.orderQty <= working.cumQty;
    this.#open.delete(previous.clOrdId);
    this.#finished.add(previous.clOrdId);
    this.#open.set(order.clOrdId, working);
    if (!keepsPlace && !done) this.#forget(working, book);
    working.order = order;
    const leavesQty = done ? ZERO : leavesOf(working);
    this.#tell({ kind: 'replaced', clOrdId: order.clOrdId, origClOrdId: previous.clOrdId, cumQty: working.cumQty, leavesQty });
    if (done) this.#finish(working);
    else if (!keepsPlace) this.#work(working, book);
  }

  /** Enters the book with what is left, unless its time is over. */
  #work(working: Working, book: Book): void {
    const endAt = endOf(working.order, this.#now);
    if (endAt !== null && endAt <= this.#now) {
      this.#leave(working);
      this.#tell({ kind: 'expired', clOrdId: working.order.clOrdId, cumQty: working.cumQty });
      return;
    }
    working.end = this.#willBe('end', working, endAt);
    if (!book.enter(working)) this.#end(working, 'canceled');
  }

  #filled(working: Working, lastQty: Decimal, lastPx: Decimal, liquidity: Liquidity): void {
    const leavesQty = leavesOf(working);
    if (leavesQty === 0n) this.#finish(working);
    this.#tell({
      kind: 'filled', clOrdId: working.order.clOrdId, execId: `${this.#execPrefix}${(this.#sourceSeq + 1).toString(36).toUpperCase()}`,
      lastQty, lastPx, cumQty: working.cumQty, leavesQty, fee: feeOf(lastQty, lastPx, this.#feeBps[liquidity]), liquidity,
    });
  }

  #end(working: Working, kind: 'canceled' | 'expired'): void {
    this.#finish(working);
    this.#tell({ kind, clOrdId: working.order.clOrdId, cumQty: working.cumQty });
  }

  #finish(working: Working): void {
    this.#leave(working);
    this.#forget(working, this.#bookOfOrder(working));
  }

  #leave({ order: { clOrdId } }: Working): void {
    this.#open.delete(clOrdId);
    this.#finished.add(clOrdId);
  }

  /** Takes an order out of its book and out of what is due. */
  #forget(working: Working, book: Book): void {
    book.remove(working);
    if (working.end !== null) this.#dues.remove(working.end);
    if (working.repeg !== null) this.#dues.remove(working.repeg);
    working.end = working.repeg = null;
  }

  #willBe(what: Due['what'], working: Working, at: Ns | null): Due | null {
    if (at === null) return null;
    const due: Due = { what, working, at, order: this.#dueCount++, slot: -1 };
    this.#dues.push(due);
    return due;
  }

  #tell(told: Told): void {
    // into the literal that the caller made for this: a spread that adds keys is slow
    this.#report(Object.assign(told, { sourceSeq: ++this.#sourceSeq, venueAt: this.#now }));
  }

  #bookOfOrder(working: Working): Book {
    return this.#books.get(working.order.symbol) as Book;
  }

  #bookOf(instrument: Instrument): Book {
    let book = this.#books.get(instrument.symbol);
    if (book === undefined) {
      book = new Book(instrument, (working, qty, px, liquidity) => { this.#filled(working, qty, px, liquidity); });
      this.#books.set(instrument.symbol, book);
    }
    return book;
  }
}

function newWorking(order: ChildOrder, cumQty: Decimal): Working {
  return { order, cumQty, end: null, repeg: null, volumeFrom: ZERO, cumQtyFrom: ZERO, place: null };
}
