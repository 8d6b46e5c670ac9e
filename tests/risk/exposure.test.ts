import fc from 'fast-check';
import t from 'tap';
import { applyFill, emptyRiskState, fund, openAccount, plan, reserve, setMark } from '../../risk/books.ts';
import { fromNumber, parseDecimal, toNumber, ZERO } from '../../risk/domain/decimal.ts';
import type { Instrument } from '../../risk/domain/instrument.ts';
import type { Side } from '../../risk/domain/order.ts';
import { NS_PER_DAY, type Ns } from '../../risk/domain/time.ts';
import { changeOf, exposureOf, hasPlans, type Change, type Exposure, type View } from '../../risk/exposure.ts';
import { idioVarianceOf } from '../../risk/factors.ts';
import type { Account } from '../../risk/state.ts';
import { START } from './histories.ts';
import { sample } from './sample.ts';

const d = parseDecimal;
const SYMBOLS = ['SPY', 'BAC', 'AIG', 'IBM', 'BTC-USD', 'S001', 'S011'];
const MARKET_VARIANCE = 0.16 * 0.16;
const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 + 1e-12 * Math.abs(b);

interface Position {
  readonly symbol: string;
  readonly qty: number;
  readonly buyOpen: number;
  readonly sellOpen: number;
  /** Of what is open, in hundredths. */
  readonly plannedShare?: number;
  readonly mark: number;
}
const position = fc.record({
  symbol: fc.constantFrom(...SYMBOLS), qty: fc.integer({ min: -500, max: 500 }),
  buyOpen: fc.integer({ min: 0, max: 300 }), sellOpen: fc.integer({ min: 0, max: 300 }),
  mark: fc.integer({ min: 1, max: 40_000 }).map((cents) => cents / 100),
  plannedShare: fc.constantFrom(0, 25, 100),
});
const plannedOf = (open: number, { plannedShare = 0 }: Position): number => Math.floor((open * plannedShare) / 100);
const VIEWS = ['released', 'planned'] as const;
const positions = fc.uniqueArray(position, { selector: (entry) => entry.symbol, maxLength: SYMBOLS.length });

function holding(list: readonly Position[]): Account {
  const account = openAccount(emptyRiskState(), 'ACC1', 'USD', START);
  fund(account, d('1000000'));
  for (const each of list) {
    const { symbol, qty, buyOpen, sellOpen, mark } = each;
    const px = fromNumber(mark, 2);
    const fill = { strategy: 'alpha-1', symbol, lastPx: px, fee: ZERO, at: START, settlesAt: null };
    const side: Side = qty < 0 ? 'sell' : 'buy';
    if (qty !== 0) applyFill(account, { ...fill, side, lastQty: fromNumber(Math.abs(qty), 0) });
    reserve(account, 'alpha-1', symbol, 'buy', fromNumber(buyOpen, 0));
    reserve(account, 'alpha-2', symbol, 'sell', fromNumber(sellOpen, 0));
    plan(account, symbol, 'buy', fromNumber(plannedOf(buyOpen, each), 0));
    plan(account, symbol, 'sell', fromNumber(plannedOf(sellOpen, each), 0));
    setMark(account, symbol, px);
  }
  return account;
}
const exposure = (list: readonly Position[], view: View, changes?: ReadonlyMap<string, Change>): Exposure => exposureOf(holding(list), sample, START, view, changes);

t.test('the pass agrees with sums written one by one', (t) => {
  fc.assert(fc.property(positions, fc.constantFrom(...VIEWS), (list, view) => {
    const seen = exposure(list, view);
    const high = list.map((each) => (each.qty + each.buyOpen - plannedOf(view === 'released' ? each.buyOpen : each.sellOpen, each)) * each.mark);
    const low = list.map((each) => (each.qty - each.sellOpen + plannedOf(view === 'released' ? each.sellOpen : each.buyOpen, each)) * each.mark);
    const worst = high.map((value, i) => Math.max(Math.abs(value), Math.abs(low[i]!)));
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    const net = Math.max(Math.abs(sum(high)), Math.abs(sum(low)));
    const open = sum(list.map(({ buyOpen, sellOpen, mark }) => (buyOpen + sellOpen) * mark));
    const traded = sum(list.map(({ qty, mark }) => Math.abs(qty) * mark));
    const sectorOf = (i: number): string | undefined => sample.universe.get(list[i]!.symbol)?.sector;
    const sectors = [...seen.sectorGross].every(([sector, value]) => near(value, sum(worst.filter((_, i) => sectorOf(i) === sector))));
    return sectors && near(seen.gross, sum(worst)) && near(Math.abs(seen.net), net) && near(seen.openNotional, open) && near(seen.turnoverUsed, traded + open)
      && near(seen.equity, 1_000_000) && seen.missingMarks.length === 0;
  }));
  t.end();
});

t.test('no way to fill what may fill is riskier than what is said, with plans done or not', (t) => {
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 14, maxLength: 14 });
  fc.assert(fc.property(positions, fc.constantFrom(...VIEWS), shares, (list, view, shares) => {
    const seen = exposure(list, view);
    const values = list.map((each, i) => {
      const [buys, sells] = [plannedOf(each.buyOpen, each), plannedOf(each.sellOpen, each)];
      const done = view === 'planned' ? buys - sells : 0;
      return (each.qty + done + (each.buyOpen - buys) * shares[2 * i]! - (each.sellOpen - sells) * shares[2 * i + 1]!) * each.mark;
    });
    const factor = values.reduce((sum, value, i) => sum + value * sample.universe.get(list[i]!.symbol)!.beta, 0);
    const idio = values.reduce((sum, value, i) => sum + value * value * idioVarianceOf(sample.universe.get(list[i]!.symbol)!, MARKET_VARIANCE), 0);
    const gross = values.reduce((sum, value) => sum + Math.abs(value), 0);
    const slack = 1 + 1e-9;
    return factor * factor * MARKET_VARIANCE + idio <= seen.variance * slack + 1e-6 && gross <= seen.gross * slack + 1e-6;
  }));
  t.end();
});

t.test('a what-if equals what the reservation would make of it', (t) => {
  fc.assert(fc.property(positions, fc.constantFrom(...VIEWS), fc.uniqueArray(position, { selector: (entry) => entry.symbol, maxLength: 3 }), (list, view, more) => {
    const changes = new Map(more.map((each): [string, Change] => {
      const { symbol, buyOpen, sellOpen, mark } = each;
      return [symbol, { mark, buyQty: buyOpen, sellQty: sellOpen, buyPlanned: plannedOf(buyOpen, each), sellPlanned: plannedOf(sellOpen, each) }];
    }));
    const account = holding(list);
    const asked = exposureOf(account, sample, START, view, changes);
    for (const each of more) {
      const { symbol, buyOpen, sellOpen, mark } = each;
      plan(account, symbol, 'buy', fromNumber(plannedOf(buyOpen, each), 0));
      plan(account, symbol, 'sell', fromNumber(plannedOf(sellOpen, each), 0));
      reserve(account, 'alpha-1', symbol, 'buy', fromNumber(buyOpen, 0));
      reserve(account, 'alpha-1', symbol, 'sell', fromNumber(sellOpen, 0));
      setMark(account, symbol, fromNumber(mark, 2));
    }
    t.same(asked, exposureOf(account, sample, START, view));
  }), { numRuns: 60 });
  t.end();
});

t.test('one name by hand', (t) => {
  const seen = exposure([{ symbol: 'SPY', qty: 100, buyOpen: 50, sellOpen: 300, mark: 160 }], 'released');
  t.equal(seen.longNet, 24_000);
  t.equal(seen.shortNet, -32_000);
  t.equal(seen.net, -32_000);
  t.equal(seen.gross, 32_000);
  t.equal(seen.sectorGross.get('Index'), 32_000);
  t.equal(seen.sectorGross.get('Energy'), 0, 'a sector without a position is there');
  t.equal(seen.openNotional, 56_000);
  t.equal(seen.turnoverUsed, 72_000);
  t.equal(seen.factor, -32_000);
  t.ok(near(Math.sqrt(seen.variance), 32_000 * Math.sqrt(0.16 * 0.16 * 1.01)), 'SPY is the market, and a tenth of its own');
  t.end();
});

t.test('a plan is judged by its end, and is not there where the worst of what is released is asked for', (t) => {
  const list = [{ symbol: 'SPY', qty: 0, buyOpen: 130, sellOpen: 0, plannedShare: 100, mark: 100 }, { symbol: 'AIG', qty: 0, buyOpen: 0, sellOpen: 30, plannedShare: 100, mark: 100 }];
  const of = (view: View): readonly number[] => [exposure(list, view).longNet, exposure(list, view).shortNet, exposure(list, view).gross, exposure(list, view).turnoverUsed];
  t.same(of('planned'), [10_000, 10_000, 16_000, 16_000]);
  t.same(of('released'), [0, 0, 0, 16_000], 'what is open uses up turnover from its decision');
  t.equal(hasPlans(holding(list), sample), true);
  t.equal(hasPlans(holding([{ symbol: 'SPY', qty: 5, buyOpen: 130, sellOpen: 3, mark: 100 }]), sample), false);
  t.same(exposure([{ symbol: 'IBM', qty: 0, buyOpen: 7, sellOpen: 0, mark: 10 }], 'planned', new Map([['IBM', changeOf('buy', 10, 0, 7)]])).longNet, 70);
  t.throws(() => { plan(holding(list), 'SPY', 'buy', d('-131')); }, RangeError);
  t.end();
});

t.test('unsettled cash counts in equity and is told apart', (t) => {
  const account = holding([]);
  const tomorrow = (START + NS_PER_DAY) as Ns;
  const spy = { strategy: 'alpha-1', symbol: 'SPY', lastPx: d('100'), at: START };
  applyFill(account, { ...spy, side: 'buy', lastQty: d('30'), fee: ZERO, settlesAt: null });
  applyFill(account, { ...spy, side: 'sell', lastQty: d('10'), fee: d('1'), settlesAt: tomorrow });
  setMark(account, 'SPY', d('100'));
  const seen = exposureOf(account, sample, START, 'released');
  t.ok(near(seen.equity, 999_999));
  t.equal(seen.unsettled, 1000);
  const sale = new Map([['SPY', changeOf('sell', 100, 25, 25)]]);
  t.equal(exposureOf(account, sample, START, 'planned', sale).unsettled, 3000, 'a plan counts what it will sell of what is held');
  t.equal(exposureOf(account, sample, START, 'released', sale).unsettled, 1000);
  t.end();
});

t.test('what cannot be valued is named, never zero', (t) => {
  const account = holding([{ symbol: 'SPY', qty: 1, buyOpen: 0, sellOpen: 0, mark: 160 }]);
  reserve(account, 'alpha-1', 'IBM', 'buy', d('1'));
  reserve(account, 'alpha-1', 'BAC', 'buy', d('1'));
  reserve(account, 'alpha-1', 'BAC', 'buy', d('-1'));
  reserve(account, 'alpha-1', 'DELISTED', 'buy', d('1'));
  setMark(account, 'DELISTED', d('1'));
  t.same(exposureOf(account, sample, START, 'released').missingMarks, ['IBM', 'DELISTED'], 'BAC is neither held nor open');
  const missing = (mark: number | null): readonly string[] =>
    exposureOf(account, sample, START, 'released', new Map([['IBM', changeOf('buy', mark, 0, 0)], ['AIG', changeOf('buy', mark, 1, 0)]])).missingMarks;
  t.same(missing(180), ['DELISTED']);
  for (const bad of [null, 0, -1, Number.NaN, Infinity]) t.same(missing(bad), ['IBM', 'DELISTED', 'AIG'], String(bad));
  t.end();
});

t.test('a new policy brings a new model at once', (t) => {
  const account = holding([{ symbol: 'SPY', qty: 100, buyOpen: 0, sellOpen: 0, mark: 160 }]);
  t.equal(exposureOf(account, sample, START, 'released').factor, 16_000);
  const steeper: Instrument = { ...sample.universe.get('SPY')!, beta: 2, sector: 'Elsewhere' };
  const other = { ...sample, universe: new Map([['SPY', steeper]]) };
  t.equal(exposureOf(account, other, START, 'released').factor, 32_000);
  t.same([...exposureOf(account, other, START, 'released').sectorGross], [['Elsewhere', 16_000]]);
  t.equal(toNumber(account.cash), 984_000, 'asking changes nothing');
  t.end();
});

t.test('the own part of a variance has a floor', (t) => {
  const spy = sample.universe.get('SPY')!;
  t.ok(near(idioVarianceOf({ ...spy, sigmaAnnual: 0.3, beta: 1 }, 0.04), 0.05));
  t.ok(near(idioVarianceOf({ ...spy, sigmaAnnual: 0.3, beta: 5 }, 0.04), 0.0009), 'a tenth of σ, squared');
  t.end();
});
