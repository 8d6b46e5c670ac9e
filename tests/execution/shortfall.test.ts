import fc from 'fast-check';
import t from 'tap';
import { avgPxOf, nearestProduct, shortfallOf, slippageBps } from '../../execution/shortfall.ts';
import type { Execution, Shortfall } from '../../execution/shortfall.ts';
import { add, formatDecimal, fromNumber, multiply, parseDecimal, subtract, toNumber, ZERO, type Decimal } from '../../risk/domain/decimal.ts';
import type { Side } from '../../risk/domain/order.ts';
import { needsShared } from '../shared.ts';
import { casesOf, differences } from './science.ts';

interface Fill { readonly qty: Decimal; readonly px: Decimal; readonly mid: Decimal }
const executionOf = (side: Side, orderQty: Decimal, arrivalPx: Decimal, halfSpread: Decimal, fills: readonly Fill[], fees: Decimal): Execution => ({
  side, orderQty, arrivalPx, halfSpread, fees,
  cumQty: fills.reduce<Decimal>((sum, { qty }) => add(sum, qty), ZERO),
  cost: fills.reduce<Decimal>((sum, { qty, px }) => add(sum, multiply(qty, px)), ZERO),
  releaseCost: fills.reduce<Decimal>((sum, { qty, mid }) => add(sum, nearestProduct(qty, mid)), ZERO),
});
const d = parseDecimal;

t.test('a parent by its parts', (t) => {
  const fills = [{ qty: d('30'), px: d('50.10'), mid: d('50.05') }, { qty: d('50'), px: d('50.20'), mid: d('50.15') }];
  const shortfall = shortfallOf(executionOf('buy', d('100'), d('50'), d('0.02'), fills, d('4')), d('50.6'))!;
  const asText = (value: Decimal | number): string | number => (typeof value === 'bigint' ? formatDecimal(value) : value);
  const parts = Object.entries(shortfall as unknown as Record<string, Decimal | number>).map(([key, value]) => [key, asText(value)] as const);
  t.same(Object.fromEntries(parts), { delay: '9', spread: '1.6', impact: '2.4', opportunity: '12', fees: '4', total: '29', bps: 58 });
  t.end();
});

const px = fc.integer({ min: 1, max: 10_000_000 }).map((ticks) => (BigInt(ticks) * 10n ** 14n) as Decimal);
const qty = fc.integer({ min: 1, max: 1_000_000 }).map((lots) => (BigInt(lots) * 10n ** 13n) as Decimal);
const fees = fc.integer({ min: -1000, max: 1000 }).map((cents) => (BigInt(cents) * 10n ** 16n) as Decimal);
t.test('the parts sum to paper minus real portfolio, to the last decimal', (t) => {
  const histories = fc.array(fc.record({ qty, px, mid: px }));
  fc.assert(fc.property(fc.constantFrom<Side>('buy', 'sell'), px, px, px, histories, qty, fees, (side, arrival, half, end, fills, left, fee) => {
    const filled = fills.reduce<Decimal>((sum, f) => add(sum, f.qty), ZERO);
    const e = executionOf(side, add(filled, left), arrival, half, fills, fee);
    const s = shortfallOf(e, end) as Shortfall;
    const sum = [s.delay, s.spread, s.impact, s.opportunity, s.fees].reduce<Decimal>(add, ZERO);
    const worth = (price: Decimal): Decimal => multiply(e.orderQty, price);
    const paper = subtract(worth(end), worth(arrival));
    const real = subtract(multiply(e.cumQty, end), e.cost);
    const gap = subtract(paper, real);
    return sum === s.total && s.total === add((side === 'buy' ? gap : -gap) as Decimal, fee);
  }), { numRuns: 300 });
  t.end();
});

t.test('without a price at the end what was not done is unknown', (t) => {
  const none = executionOf('sell', d('10'), d('50'), d('0.01'), [], ZERO);
  t.equal(shortfallOf(none, null), null);
  t.equal(formatDecimal(shortfallOf(none, d('49'))!.total), '10', 'a sale that was missed before a fall');
  const whole = executionOf('sell', d('10'), d('50'), d('0.01'), [{ qty: d('10'), px: d('49.9'), mid: d('50') }], ZERO);
  t.equal(formatDecimal(shortfallOf(whole, null)!.total), '1');
  t.equal(avgPxOf(none), null);
  t.end();
});

t.test('an order of which nothing is wished any more, and nothing was done, costs nothing', (t) => {
  const none = shortfallOf(executionOf('buy', ZERO, d('50'), d('0.01'), [], ZERO), null)!;
  t.same([none.total, none.bps], [ZERO, 0]);
  t.end();
});

interface Inputs {
  readonly side: Side;
  readonly orderQty: number;
  readonly decisionPrice: number;
  readonly arrivalPrice: number;
  readonly endPrice: number;
  readonly fees: number;
  readonly fills: readonly { readonly qty: number; readonly price: number }[];
}
t.test('the reference cases, which charge delay on the whole order', needsShared('science-cases.json'), (t) => {
  const cases = casesOf<Inputs>('implementation-shortfall');
  t.ok(cases.length > 0);
  for (const c of cases) {
    const { side, orderQty, decisionPrice, arrivalPrice, endPrice, fills } = c.inputs;
    const exact = (value: number): Decimal => fromNumber(value, 6);
    const mid = exact(arrivalPrice);
    const fillsExact = fills.map((f) => ({ qty: exact(f.qty), px: exact(f.price), mid }));
    const e = executionOf(side, exact(orderQty), exact(decisionPrice), ZERO, fillsExact, exact(c.inputs.fees));
    const whole = shortfallOf(e, exact(endPrice))!;
    const fromArrival = shortfallOf({ ...e, arrivalPx: mid }, exact(endPrice))!;
    const got = {
      delay: toNumber(subtract(whole.total, fromArrival.total)), execution: toNumber(add(fromArrival.spread, fromArrival.impact)),
      opportunity: toNumber(fromArrival.opportunity), fees: toNumber(whole.fees), total: toNumber(whole.total), totalBps: whole.bps,
      avgFill: toNumber(avgPxOf(e)!), filled: toNumber(e.cumQty), slippageVsArrivalBps: slippageBps(side, avgPxOf(e)!, mid),
    };
    t.same(differences(c as never, got), [], c.id);
  }
  t.end();
});
