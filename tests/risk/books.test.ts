import fc from 'fast-check';
import t from 'tap';
import {
  accountOf, applyFill, bookOf, emptyRiskState, equityOf, fund, lineOf, openAccount, reserve, setMark, settle, tradedAt, unsettledAt, type Fill,
} from '../../risk/books.ts';
import { add, formatDecimal, multiply, parseDecimal, toNumber, ZERO, type Decimal } from '../../risk/domain/decimal.ts';
import { signOf } from '../../risk/domain/order.ts';
import { instant, NS_PER_DAY, NS_PER_SECOND, type Ns } from '../../risk/domain/time.ts';
import type { Account } from '../../risk/state.ts';
import { applied, fillsOf, history, START } from './histories.ts';

const d = parseDecimal;
const MINUTE = 60n * NS_PER_SECOND;
const sum = (values: readonly Decimal[]): Decimal => values.reduce<Decimal>(add, ZERO);
const books = (account: Account) => [...account.lines.values()].flatMap((line) => [...line.books.values()]);

function opened(): Account {
  return openAccount(emptyRiskState(), 'ACC1', 'USD', START);
}
function fill(account: Account, side: 'buy' | 'sell', qty: string, px: string, more: Partial<Fill> = {}): void {
  applyFill(account, { strategy: 'alpha-1', symbol: 'SPY', side, lastQty: d(qty), lastPx: d(px), fee: ZERO, at: START, settlesAt: null, ...more });
}
const spy = (account: Account) => {
  const { qty, cost, realised, fees } = bookOf(lineOf(account, 'SPY'), 'alpha-1');
  return [qty, cost, realised, fees].map(formatDecimal);
};

t.test('cash, cost, profit and fees are conserved to the last digit', (t) => {
  fc.assert(fc.property(history, (steps) => {
    const { account } = applied(steps);
    const funded = sum(steps.flatMap((step) => (step.do === 'fund' ? [step.amount] : [])));
    const all = books(account);
    return account.cash + sum(all.map((book) => book.cost)) - sum(all.map((book) => book.realised)) + sum(all.map((book) => book.fees)) === funded;
  }));
  t.end();
});

t.test('sums and mirrors of a line agree with its books', (t) => {
  fc.assert(fc.property(history, (steps) => {
    for (const line of applied(steps).account.lines.values()) {
      const all = [...line.books.values()];
      t.equal(line.qty, sum(all.map((book) => book.qty)));
      t.equal(line.buyOpen, sum(all.map((book) => book.buyOpen)));
      t.equal(line.sellOpen, sum(all.map((book) => book.sellOpen)));
      t.same([line.qtyN, line.buyOpenN, line.sellOpenN, line.markN], [line.qty, line.buyOpen, line.sellOpen, line.mark ?? ZERO].map(toNumber));
    }
  }), { numRuns: 50 });
  t.end();
});

t.test('reservations are never negative and a refused one changes nothing', (t) => {
  let refusals = 0;
  fc.assert(fc.property(history, (steps) => {
    const { account, refused } = applied(steps);
    refusals += refused;
    return books(account).every((book) => book.buyOpen >= 0n && book.sellOpen >= 0n);
  }));
  t.ok(refusals > 0, 'histories do ask for too much');
  const account = opened();
  reserve(account, 'alpha-1', 'SPY', 'buy', d('10'));
  t.throws(() => { reserve(account, 'alpha-1', 'SPY', 'buy', d('-10.000000000000000001')); }, RangeError);
  t.throws(() => { reserve(account, 'alpha-2', 'SPY', 'buy', d('-1')); }, RangeError, 'another book of the line cannot pay');
  t.equal(formatDecimal(lineOf(account, 'SPY').buyOpen), '10');
  reserve(account, 'alpha-1', 'SPY', 'buy', d('-10'));
  t.equal(lineOf(account, 'SPY').buyOpenN, 0);
  t.end();
});

/** Average cost in fractions, never rounded. */
function naiveBook(fills: readonly Fill[]): { readonly qty: bigint; readonly numerator: bigint; readonly denominator: bigint; readonly rounded: bigint } {
  let qty = 0n;
  let numerator = 0n;
  let denominator = 1n;
  let rounded = 0n;
  for (const { side, lastQty, lastPx } of fills) {
    const units = lastQty * BigInt(signOf(side));
    const px = lastPx;
    const size = (n: bigint): bigint => (n < 0n ? -n : n);
    if (qty === 0n || qty < 0n === units < 0n) numerator += multiply(units as Decimal, px) * denominator;
    else if (size(units) >= size(qty)) [numerator, denominator, rounded] = [multiply((qty + units) as Decimal, px), 1n, 0n];
    else [numerator, denominator, rounded] = [numerator * size(qty + units), denominator * size(qty), rounded + 1n];
    qty += units;
  }
  return { qty, numerator, denominator, rounded };
}

t.test('positions and average cost agree with a recount in fractions', (t) => {
  fc.assert(fc.property(history, (steps) => {
    const { account } = applied(steps);
    for (const line of account.lines.values()) {
      for (const [strategy, book] of line.books) {
        const naive = naiveBook(fillsOf(steps).filter((entry) => entry.symbol === line.symbol && entry.strategy === strategy));
        t.equal(book.qty, naive.qty);
        const off = book.cost * naive.denominator - naive.numerator;
        t.ok((off < 0n ? -off : off) <= naive.rounded * naive.denominator, 'one last digit a reduction at most');
        if (book.qty === 0n) t.equal(book.cost, 0n);
      }
    }
  }), { numRuns: 50 });
  t.end();
});

t.test('turnover and unsettled cash agree with a recount', (t) => {
  fc.assert(fc.property(history, fc.integer({ min: 0, max: 200_000 }), (steps, laterSeconds) => {
    const { account, at } = applied(steps);
    const now = (at + BigInt(laterSeconds) * NS_PER_SECOND) as Ns;
    const notional = ({ lastQty, lastPx }: Fill): Decimal => multiply(lastQty, lastPx);
    const fills = fillsOf(steps);
    const traded = sum(fills.filter((entry) => entry.at / MINUTE >= now / MINUTE - 1440n).map(notional));
    const held = new Map<string, bigint>();
    const unsettled = sum(fills.map(({ symbol, side, at, settlesAt, lastQty, lastPx }) => {
      const qty = held.get(symbol) ?? 0n;
      held.set(symbol, side === 'buy' ? qty + lastQty : qty - lastQty);
      const isOwed = side === 'sell' && qty > 0n && settlesAt !== null && settlesAt > at && ((settlesAt + MINUTE - 1n) / MINUTE) * MINUTE > now;
      return isOwed ? multiply((qty < lastQty ? qty : lastQty) as Decimal, lastPx) : ZERO;
    }));
    t.equal(tradedAt(account, now), traded);
    t.equal(unsettledAt(account, now), unsettled);
    settle(account, now);
    t.equal(account.tradedSum, traded);
    t.equal(account.unsettledSum, unsettled);
    t.ok(account.traded.size <= 1441);
  }), { numRuns: 100 });
  t.end();
});

t.test('a book through zero', (t) => {
  const account = opened();
  fill(account, 'buy', '3', '10', { fee: d('0.5') });
  t.same(spy(account), ['3', '30', '0', '0.5']);
  fill(account, 'buy', '3', '11');
  fill(account, 'sell', '2', '12');
  t.same(spy(account), ['4', '42', '3', '0.5'], 'two at 10.5 sold at 12');
  fill(account, 'sell', '10', '9');
  t.same(spy(account), ['-6', '-54', '-3', '0.5'], 'four closed at a loss of 1.5 each, six short at 9');
  fill(account, 'buy', '6', '8');
  t.same(spy(account), ['0', '0', '3', '0.5']);
  t.equal(formatDecimal(account.cash), '2.5');
  t.end();
});

t.test('a third of a cost is rounded once and nothing is lost', (t) => {
  const account = opened();
  fill(account, 'buy', '3', '0.01');
  fill(account, 'buy', '3', '0.02');
  fill(account, 'buy', '1', '0.01');
  fill(account, 'sell', '1', '0.02');
  t.same(spy(account), ['6', '0.085714285714285714', '0.005714285714285714', '0']);
  fill(account, 'sell', '6', '0.02');
  t.same(spy(account), ['0', '0', '0.04', '0']);
  t.end();
});

t.test('an impossible fill is refused', (t) => {
  for (const [qty, px] of [['0', '1'], ['-1', '1'], ['1', '0'], ['1', '-1']] as const) {
    t.throws(() => { fill(opened(), 'buy', qty, px); }, RangeError);
  }
  t.end();
});

t.test('flows leave the drawdown as it was', (t) => {
  const account = opened();
  fund(account, d('100'));
  t.same([account.equity, account.peak, account.cash].map(formatDecimal), ['100', '100', '100']);
  account.equity = d('80');
  fund(account, d('80'));
  t.same([account.equity, account.peak].map(formatDecimal), ['160', '200'], 'a deposit heals no loss');
  fund(account, d('-80'));
  t.same([account.equity, account.peak].map(formatDecimal), ['80', '100'], 'a withdrawal makes none');
  fund(account, d('-100'));
  t.same([account.equity, account.peak].map(formatDecimal), ['-20', '0']);
  fund(account, d('50'));
  t.same([account.equity, account.peak].map(formatDecimal), ['30', '50']);
  t.end();
});

t.test('equity at marks, exact; a position without a mark has none', (t) => {
  const account = opened();
  fund(account, d('1000'));
  fill(account, 'buy', '3', '10');
  reserve(account, 'alpha-1', 'BAC', 'buy', d('5'));
  t.equal(equityOf(account, () => null), null);
  setMark(account, 'SPY', d('10.005'));
  t.equal(formatDecimal(equityOf(account, () => null) as Decimal), '1000.015');
  t.equal(formatDecimal(equityOf(account, (symbol) => (symbol === 'SPY' ? d('11') : null)) as Decimal), '1003');
  t.end();
});

t.test('accounts are opened once and must be there', (t) => {
  const state = emptyRiskState();
  const account = openAccount(state, 'ACC1', 'USD', START);
  t.equal(accountOf(state, 'ACC1'), account);
  t.throws(() => openAccount(state, 'ACC1', 'USD', START), RangeError);
  t.throws(() => accountOf(state, 'ACC2'), RangeError);
  t.end();
});

t.test('settlement at the edges of a minute and of a day', (t) => {
  const account = opened();
  fill(account, 'buy', '3', '10');
  fill(account, 'sell', '1', '10', { settlesAt: (START + NS_PER_DAY) as Ns });
  fill(account, 'sell', '1', '20', { settlesAt: (START + NS_PER_DAY + 1n) as Ns });
  fill(account, 'sell', '1', '40', { settlesAt: (START + NS_PER_DAY) as Ns });
  t.equal(formatDecimal(unsettledAt(account, (START + NS_PER_DAY - 1n) as Ns)), '70');
  t.equal(formatDecimal(unsettledAt(account, (START + NS_PER_DAY) as Ns)), '20', 'on time');
  t.equal(formatDecimal(unsettledAt(account, instant('2026-11-21T09:31:00Z'))), '0', 'by the end of the minute');
  t.equal(account.unsettled.length, 2, 'one entry a minute');
  fill(account, 'sell', '1', '80', { settlesAt: (START + 2n * NS_PER_DAY) as Ns });
  t.equal(formatDecimal(account.unsettledSum), '70', 'a short sale is owed against shares that are owed');
  t.equal(formatDecimal(tradedAt(account, instant('2026-11-21T09:30:59Z'))), '180', 'never less than a day');
  t.equal(formatDecimal(tradedAt(account, instant('2026-11-21T09:31:00Z'))), '0');
  t.end();
});
