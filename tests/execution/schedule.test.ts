import fc from 'fast-check';
import t from 'tap';
import { horizonEnd, planSchedule } from '../../execution/schedule.ts';
import type { ScheduleInput } from '../../execution/schedule.ts';
import { formatDecimal, isMultiple, parseDecimal, type Decimal } from '../../risk/domain/decimal.ts';
import { instant, NS_PER_SECOND } from '../../risk/domain/time.ts';

const START = instant('2026-11-20T09:30:00Z');
const INPUT: ScheduleInput = {
  orderQty: parseDecimal('1000'), lotSize: parseDecimal('1'), assetClass: 'equity', start: START, horizonSeconds: 600, slicesMax: 10, sliceSecondsMin: 5,
  riskAversion: 0, sigmaAnnual: 0.2, advQty: 1e6, px: 100, spreadBps: 2,
};
const quantities = (input: ScheduleInput): readonly string[] => planSchedule(input).map(({ cumQty }) => formatDecimal(cumQty));

t.test('without risk aversion a straight line, the first slice at once', (t) => {
  const steps = planSchedule(INPUT);
  t.same(quantities(INPUT), ['100', '200', '300', '400', '500', '600', '700', '800', '900', '1000']);
  t.equal(steps[0]!.at, START);
  t.equal(steps[9]!.at - START, 540n * NS_PER_SECOND);
  t.end();
});

t.test('the number of slices: at most slicesMax, each at least sliceSecondsMin, never none', (t) => {
  t.equal(planSchedule({ ...INPUT, horizonSeconds: 19 }).length, 3);
  t.same(quantities({ ...INPUT, horizonSeconds: 4 }), ['1000']);
  t.same(quantities({ ...INPUT, horizonSeconds: 0 }), ['1000']);
  t.same(quantities({ ...INPUT, orderQty: parseDecimal('3') }), ['1', '2', '3'], 'instants at which nothing is added are left out');
  t.same(quantities({ ...INPUT, orderQty: parseDecimal('0.5') }), ['0.5'], 'less than a lot goes last');
  t.end();
});

t.test('risk aversion brings it forward', (t) => {
  const halfway = (riskAversion: number): number => Number(quantities({ ...INPUT, riskAversion })[4]);
  t.ok(halfway(1e-3) > halfway(1e-5) && halfway(1e-5) >= halfway(0));
  t.same(quantities({ ...INPUT, sigmaAnnual: 0, riskAversion: 1 }), quantities(INPUT), 'without volatility there is nothing to hurry from');
  t.same(quantities({ ...INPUT, advQty: 0, riskAversion: 1 }), quantities(INPUT));
  t.end();
});

const inputs = fc.record({
  lots: fc.bigInt({ min: 1n, max: 10n ** 9n }), odd: fc.bigInt({ min: 0n, max: 10n ** 12n }), lotSize: fc.constantFrom('1', '100', '0.00001', '0.01'),
  horizonSeconds: fc.integer({ min: 0, max: 500_000 }),
  slicesMax: fc.integer({ min: 1, max: 50 }), sliceSecondsMin: fc.integer({ min: 1, max: 60 }), riskAversion: fc.double({ min: 0, max: 1, noNaN: true }),
  sigmaAnnual: fc.double({ min: 0, max: 3, noNaN: true }), advQty: fc.double({ min: 1, max: 1e9, noNaN: true }),
  px: fc.double({ min: 1e-4, max: 1e5, noNaN: true }), spreadBps: fc.double({ min: 0, max: 100, noNaN: true }),
  assetClass: fc.constantFrom('equity' as const, 'crypto' as const),
});
t.test('slices sum to the parent, rise, come in whole lots but for the last, and within the horizon', (t) => {
  fc.assert(fc.property(inputs, ({ lots, odd, lotSize, ...rest }) => {
    const lot = parseDecimal(lotSize);
    const orderQty = (lots * lot + odd) as Decimal;
    const steps = planSchedule({ ...rest, start: START, orderQty, lotSize: lot });
    const end = horizonEnd(START, rest.horizonSeconds);
    return steps.at(-1)!.cumQty === orderQty
      && steps.every(({ at, cumQty }, k) => k === 0 || (cumQty > steps[k - 1]!.cumQty && at > steps[k - 1]!.at))
      && steps.every(({ at, cumQty }) => cumQty > 0n && at >= START && at <= end && (isMultiple(cumQty, lot) || cumQty === orderQty));
  }), { numRuns: 500 });
  t.end();
});
