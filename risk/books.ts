/**
 * The books: every change of an account's cash, positions and reservations goes through here, so that the sums and the double
 * mirrors of a line never disagree with its books. Only reducers call these.
 */
import { absolute, add, isExactProduct, maximum, minimum, multiply, negate, parseDecimal, subtract, toNumber, ZERO, type Decimal } from './domain/decimal.ts';
import { signOf, type Side } from './domain/order.ts';
import { NS_PER_SECOND, type Ns } from './domain/time.ts';
import type { Account, Book, Line, RiskState } from './state.ts';

const NS_PER_MINUTE = 60n * NS_PER_SECOND;
const MINUTES_PER_DAY = 1440;

export interface Fill {
  readonly strategy: string;
  readonly symbol: string;
  readonly side: Side;
  readonly lastQty: Decimal;
  readonly lastPx: Decimal;
  /** Positive costs us, negative is a rebate. */
  readonly fee: Decimal;
  readonly at: Ns;
  /** When the cash of a sale is settled; null when at once. */
  readonly settlesAt: Ns | null;
}

export function emptyRiskState(): RiskState {
  return { policy: null, accounts: new Map(), switches: new Map() };
}

/** The account, which must exist: RangeError otherwise, since a record about an account follows its funding. */
export function accountOf(state: RiskState, id: string): Account {
  const account = state.accounts.get(id);
  if (account === undefined) throw new RangeError('an account that was never funded');
  return account;
}

/** A new account without cash. RangeError when it exists. */
export function openAccount(state: RiskState, id: string, currency: string, at: Ns): Account {
  if (state.accounts.has(id)) throw new RangeError('an account is opened once');
  const account: Account = {
    id, currency, cash: ZERO, equity: ZERO, peak: ZERO, markedAt: at, unsettled: [], unsettledSum: ZERO, lines: new Map(), traded: new Map(), tradedSum: ZERO,
  };
  state.accounts.set(id, account);
  return account;
}

/** The account's line in the symbol, made on first use. */
export function lineOf(account: Account, symbol: string): Line {
  let line = account.lines.get(symbol);
  if (line === undefined) {
    line = {
      symbol, books: new Map(), mark: null, qty: ZERO, buyOpen: ZERO, sellOpen: ZERO, buyPlanned: ZERO, sellPlanned: ZERO,
      qtyN: 0, buyOpenN: 0, sellOpenN: 0, buyPlannedN: 0, sellPlannedN: 0, markN: 0,
    };
    account.lines.set(symbol, line);
  }
  return line;
}

/** The strategy's own book of a line, made on first use. */
export function bookOf(line: Line, strategy: string): Book {
  let book = line.books.get(strategy);
  if (book === undefined) {
    book = { qty: ZERO, cost: ZERO, realised: ZERO, fees: ZERO, buyOpen: ZERO, sellOpen: ZERO };
    line.books.set(strategy, book);
  }
  return book;
}

/** Values the account's position in the symbol from now on. */
export function setMark(account: Account, symbol: string, mark: Decimal): void {
  const line = lineOf(account, symbol);
  line.mark = mark;
  line.markN = toNumber(mark);
}

/** Of quantities, prices and money of one fill: beyond it no number of it can be true. */
const BOOKED_MAX = parseDecimal('1000000000000000');

/** Whether `applyFill` can take the fill: money without a digit lost, in quantities that a book can hold. What a venue says is input. */
export function isBookable(account: Account, { symbol, strategy, lastQty, lastPx, fee }: Pick<Fill, 'symbol' | 'strategy' | 'lastQty' | 'lastPx' | 'fee'>): boolean {
  if ([lastQty, lastPx, fee].some((value) => absolute(value) > BOOKED_MAX)) return false;
  const held = account.lines.get(symbol)?.books.get(strategy)?.qty ?? ZERO;
  return isExactProduct(lastQty, lastPx) && isExactProduct(held, lastPx) && multiply(lastQty, lastPx) <= BOOKED_MAX;
}

/**
 * Applies one execution: cash, the strategy's book at average cost, the unsettled proceeds of what the account had and sold, the day's
 * turnover. Proceeds of a short sale are owed against shares that are owed: they add nothing to what is there, and take nothing from it.
 * Reservations are not touched: whoever applies the report moves them with `reserve`. RangeError unless quantity and price are positive.
 */
export function applyFill(account: Account, fill: Fill): void {
  if (fill.lastQty <= 0n || fill.lastPx <= 0n) throw new RangeError('a fill has a positive quantity and price');
  const notional = multiply(fill.lastQty, fill.lastPx);
  const signedQty = (fill.lastQty * BigInt(signOf(fill.side))) as Decimal;
  const line = lineOf(account, fill.symbol);
  const book = bookOf(line, fill.strategy);
  const soldOfHeld = fill.side === 'buy' ? ZERO : minimum(maximum(line.qty, ZERO), fill.lastQty);
  trade(book, signedQty, fill.lastPx);
  book.fees = add(book.fees, fill.fee);
  line.qty = add(line.qty, signedQty);
  line.qtyN = toNumber(line.qty);
  account.cash = subtract(account.cash, add(fill.side === 'buy' ? notional : negate(notional), fill.fee));
  settle(account, fill.at);
  if (soldOfHeld > 0n && fill.settlesAt !== null && fill.settlesAt > fill.at) owe(account, fill.settlesAt, share(notional, soldOfHeld, fill.lastQty));
  countTurnover(account, fill.at, notional);
}

/**
 * Moves a book's position. What reduces it realises profit at the average cost; what is left of the quantity opens the other side.
 * The released cost is rounded once and the rest stays in the book, so cash + cost − realised + fees is conserved to the last digit.
 */
function trade(book: Book, signedQty: Decimal, px: Decimal): void {
  const reduces = book.qty < 0n !== signedQty < 0n && book.qty !== 0n;
  const closed = reduces ? minimum(absolute(book.qty), absolute(signedQty)) : ZERO;
  if (closed !== 0n) {
    const released = share(book.cost, closed, absolute(book.qty));
    const closedSigned = book.qty < 0n ? negate(closed) : closed;
    book.realised = add(book.realised, subtract(multiply(closedSigned, px), released));
    book.cost = subtract(book.cost, released);
    book.qty = subtract(book.qty, closedSigned);
  }
  const opened = signedQty < 0n ? add(signedQty, closed) : subtract(signedQty, closed);
  book.cost = add(book.cost, multiply(opened, px));
  book.qty = add(book.qty, opened);
}

/** value × part ÷ whole for positive part and whole, rounded once, half away from zero, to 18 decimals. */
function share(value: Decimal, part: Decimal, whole: Decimal): Decimal {
  const numerator = 2n * value * part;
  return ((numerator + (value < 0n ? -whole : whole)) / (2n * whole)) as Decimal;
}

/** Entries are kept by the minute's end, a little late rather than early, so that a busy day stays a bounded list. */
function owe(account: Account, settlesAt: Ns, amount: Decimal): void {
  const minuteEnd = (((settlesAt + NS_PER_MINUTE - 1n) / NS_PER_MINUTE) * NS_PER_MINUTE) as Ns;
  const list = account.unsettled;
  let i = list.length;
  while (i > 0 && (list[i - 1] as (typeof list)[number]).settlesAt > minuteEnd) i--;
  const before = list[i - 1];
  if (before?.settlesAt === minuteEnd) list[i - 1] = { settlesAt: minuteEnd, amount: add(before.amount, amount) };
  else list.splice(i, 0, { settlesAt: minuteEnd, amount });
  account.unsettledSum = add(account.unsettledSum, amount);
}

const minuteOf = (at: Ns): number => Number(at / NS_PER_MINUTE);

function countTurnover(account: Account, at: Ns, notional: Decimal): void {
  const minute = minuteOf(at);
  account.traded.set(minute, add(account.traded.get(minute) ?? ZERO, notional));
  account.tradedSum = add(account.tradedSum, notional);
}

/** Forgets what is over at `at`: settled proceeds, and turnover of more than a day ago. */
export function settle(account: Account, at: Ns): void {
  const settled = account.unsettled.findIndex((entry) => entry.settlesAt > at);
  account.unsettledSum = unsettledAt(account, at);
  account.unsettled.splice(0, settled === -1 ? account.unsettled.length : settled);
  account.tradedSum = tradedAt(account, at);
  for (const minute of account.traded.keys()) {
    if (minute >= minuteOf(at) - MINUTES_PER_DAY) break;
    account.traded.delete(minute);
  }
}

/** Proceeds of sales that are not settled at `at`. */
export function unsettledAt(account: Account, at: Ns): Decimal {
  let sum = account.unsettledSum;
  for (const entry of account.unsettled) {
    if (entry.settlesAt > at) break;
    sum = subtract(sum, entry.amount);
  }
  return sum;
}

/** Notional traded in the day before `at`, to the minute and never less. */
export function tradedAt(account: Account, at: Ns): Decimal {
  const first = minuteOf(at) - MINUTES_PER_DAY;
  let sum = account.tradedSum;
  for (const [minute, notional] of account.traded) {
    if (minute >= first) break;
    sum = subtract(sum, notional);
  }
  return sum;
}

/**
 * Reserves (`delta` > 0) or frees (< 0) open quantity of one side. RangeError, and nothing changed, when a reservation would become
 * negative: evidence was counted twice, which is a bug.
 */
export function reserve(account: Account, strategy: string, symbol: string, side: Side, delta: Decimal): void {
  const line = lineOf(account, symbol);
  const book = bookOf(line, strategy);
  const open = add(side === 'buy' ? book.buyOpen : book.sellOpen, delta);
  if (open < 0n) throw new RangeError('a reservation below zero');
  if (side === 'buy') {
    book.buyOpen = open;
    line.buyOpen = add(line.buyOpen, delta);
    line.buyOpenN = toNumber(line.buyOpen);
  } else {
    book.sellOpen = open;
    line.sellOpen = add(line.sellOpen, delta);
    line.sellOpenN = toNumber(line.sellOpen);
  }
}

/**
 * Counts (`delta` > 0) or uncounts (< 0) open quantity of one side as planned: reserved, and not released to a venue. RangeError, and
 * nothing changed, when less than nothing would be planned.
 */
export function plan(account: Account, symbol: string, side: Side, delta: Decimal): void {
  const line = lineOf(account, symbol);
  const planned = add(side === 'buy' ? line.buyPlanned : line.sellPlanned, delta);
  if (planned < 0n) throw new RangeError('a plan below zero');
  if (side === 'buy') {
    line.buyPlanned = planned;
    line.buyPlannedN = toNumber(planned);
  } else {
    line.sellPlanned = planned;
    line.sellPlannedN = toNumber(planned);
  }
}

/**
 * A deposit, or a withdrawal (negative). The high-water mark is scaled with the equity, so that the drawdown before and after is the
 * same: a deposit heals no loss, a withdrawal makes none. Without positive equity there is no ratio, and the mark moves by the amount.
 */
export function fund(account: Account, amount: Decimal): void {
  const equity = add(account.equity, amount);
  account.peak = account.equity > 0n && equity > 0n
    ? share(account.peak, equity, account.equity)
    : maximum(add(account.peak, amount), equity);
  account.equity = equity;
  account.cash = add(account.cash, amount);
}

/** Exact equity, cash + Σ qty × mark, with `markOf` before the recorded marks; null when a position has neither. */
export function equityOf(account: Account, markOf: (symbol: string) => Decimal | null): Decimal | null {
  let equity = account.cash;
  for (const line of account.lines.values()) {
    if (line.qty === 0n) continue;
    const mark = markOf(line.symbol) ?? line.mark;
    if (mark === null) return null;
    equity = add(equity, multiply(line.qty, mark));
  }
  return equity;
}
