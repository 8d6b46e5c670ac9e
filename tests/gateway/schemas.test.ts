import fc from 'fast-check';
import t from 'tap';
import { fromOrderTerms, orderShape, toOrderTerms } from '../../gateway/http/schemas/orders.ts';
import { fromTarget, targetShape, toTarget } from '../../gateway/http/schemas/targets.ts';
import { formatDecimal, parseDecimal, type Decimal } from '../../risk/domain/decimal.ts';
import { ORDER_TYPES, SIDES, TIFS, type OrderTerms } from '../../risk/domain/order.ts';
import type { TargetPortfolio } from '../../risk/domain/target.ts';
import type { Ns } from '../../risk/domain/time.ts';
import { order, target } from './edge.ts';

const decimal = fc.bigInt({ min: -(10n ** 36n) + 1n, max: 10n ** 36n - 1n }).map((value) => value as Decimal);
const positive = fc.bigInt({ min: 1n, max: 10n ** 36n - 1n }).map((value) => value as Decimal);
const instant = fc.bigInt({ min: 0n, max: 4_102_444_800n * 10n ** 9n }).map((value) => value as Ns);
/** Doubles that a decimal of the wire can name. */
const estimate = fc.option(fc.integer({ min: 0, max: 10 ** 9 }).map((value) => value / 1e6), { nil: null });
const symbol = fc.stringMatching(/^[A-Z0-9][A-Z0-9.-]{0,31}$/);

const leg = fc.record({ symbol, target: decimal, mu: estimate, sigma: estimate, forecastDays: estimate });

const portfolio: fc.Arbitrary<TargetPortfolio> = fc.record({
  targetId: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
  account: fc.constant('ACC1'),
  strategy: fc.constant('alpha-1'),
  asOf: instant,
  basis: fc.constantFrom('weight', 'quantity', 'notional'),
  mode: fc.constantFrom('clip', 'all_or_none'),
  scope: fc.constant('complete'),
  horizonSeconds: fc.integer({ min: 1, max: 604_800 }),
  attribution: fc.option(fc.record({
    algorithmId: fc.constantFrom('A1', ''), trader: fc.constantFrom('J. Doe', ''), desk: fc.constant('D'), client: fc.constant('C'),
    capacity: fc.constantFrom('DEAL', 'MTCH', 'AOTC'),
  }), { nil: null }),
  legs: fc.uniqueArray(leg, { selector: ({ symbol: name }) => name, maxLength: 5 }),
});

const terms: fc.Arbitrary<OrderTerms> = fc.record({
  account: fc.constant('ACC1'), strategy: fc.constant('alpha-1'), symbol, side: fc.constantFrom(...SIDES), orderQty: positive,
  type: fc.constantFrom(...ORDER_TYPES),
  limitPx: positive, tif: fc.constantFrom(...TIFS), expireAt: instant, participation: fc.integer({ min: 1, max: 1000 }).map((n) => n / 1000),
}).map((all) => ({
  ...all,
  limitPx: all.type === 'market' ? null : all.limitPx,
  expireAt: all.tif === 'gtd' ? all.expireAt : null,
  participation: all.type === 'pov' ? all.participation : null,
}));

t.test('a target survives the wire', (t) => {
  fc.assert(fc.property(portfolio, (wished) => {
    const read = toTarget(targetShape.admit(JSON.parse(JSON.stringify(fromTarget(wished)))));
    t.same(read, wished);
  }), { numRuns: 200 });
  t.end();
});

t.test('an order survives the wire', (t) => {
  fc.assert(fc.property(terms, (wished) => {
    t.same(toOrderTerms(orderShape.admit(JSON.parse(JSON.stringify(fromOrderTerms('A1', wished))))), wished);
  }), { numRuns: 200 });
  t.end();
});

t.test('the examples of API.md are read', (t) => {
  const read = toTarget(targetShape.admit(target));
  t.match(read, { targetId: 'T-0001', horizonSeconds: 600, attribution: null });
  t.equal(formatDecimal(read.legs[0]!.target), '0.25');
  t.match(read.legs[0], { mu: 0.08, sigma: 0.18, forecastDays: 5 });
  t.match(toOrderTerms(orderShape.admit(order)), { orderQty: parseDecimal('100'), limitPx: parseDecimal('10.5'), expireAt: null, participation: null });
  const partial = toTarget(targetShape.admit({ ...target, attribution: { trader: 'J' } }));
  t.same(partial.attribution, { algorithmId: '', trader: 'J', desk: '', client: '', capacity: '' });
  t.end();
});

t.test('a refusal names the place by our own words', (t) => {
  const fault = (body: unknown): unknown => {
    try {
      return targetShape.admit(body);
    } catch (error) {
      return (error as { detail: string }).detail;
    }
  };
  t.equal(fault({ ...target, legs: [{ symbol: 'SPY', target: 0.25 }] }), 'legs.0.target must be of type string');
  t.equal(fault({ ...target, evil: 1 }), 'The body has a field that is not known');
  t.equal(fault({ ...target, basis: 'evil' }), 'basis must be one of weight, quantity, notional');
  t.match(fault({ ...target, account: undefined }), /account/);
  t.equal(fault('evil'), 'The body must be of type object');
  t.end();
});

t.test('a zero is a zero: records hold no −0', (t) => {
  for (const zero of ['-0', '-0.0', '0']) {
    const [leg] = toTarget(targetShape.admit({ ...target, legs: [{ symbol: 'SPY', target: zero, mu: zero }] })).legs;
    t.ok(Object.is(leg?.mu, 0), zero);
    t.equal(leg?.target, 0n);
  }
  t.end();
});
