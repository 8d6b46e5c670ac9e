import fc from 'fast-check';
import t from 'tap';
import { horizonEnd, nextStep, planSchedule, type Scheduled } from '../../execution/schedule.ts';
import type { ScheduleInput } from '../../execution/schedule.ts';
import { formatDecimal, isMultiple, parseDecimal, type Decimal } from '../../risk/domain/decimal.ts';
import { instant, NS_PER_SECOND, type Ns } from '../../risk/domain/time.ts';

const START = instant('2026-11-20T09:30:00Z');
const INPUT: ScheduleInput = {
  orderQty: parseDecimal('1000'), lotSize: parseDecimal('1'), assetClass: 'equity', horizonSeconds: 600, slicesMax: 10, sliceSecondsMin: 5,
  riskAversion: 0, sigmaAnnual: 0.2, advQty: 1e6, px: 100,
};
const quantities = (input: ScheduleInput): readonly string[] => planSchedule(input).map(formatDecimal);

t.test('without risk aversion a straight line, the first slice at once', (t) => {
  t.same(quantities(INPUT), ['100', '200', '300', '400', '500', '600', '700', '800', '900', '1000']);
  t.end();
});

t.test('the number of slices: at most slicesMax, each at least sliceSecondsMin, never none', (t) => {
  t.equal(planSchedule({ ...INPUT, horizonSeconds: 19 }).length, 3);
  t.same(quantities({ ...INPUT, horizonSeconds: 4 }), ['1000']);
  t.same(quantities({ ...INPUT, horizonSeconds: 0 }), ['1000']);
  t.same(quantities({ ...INPUT, orderQty: parseDecimal('3') }), ['0', '1', '1', '1', '2', '2', '2', '2', '3', '3']);
  t.same(quantities({ ...INPUT, orderQty: parseDecimal('0.5') }).filter((cumQty) => cumQty !== '0'), ['0.5'], 'less than a lot goes last');
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
  px: fc.double({ min: 1e-4, max: 1e5, noNaN: true }),
  assetClass: fc.constantFrom('equity' as const, 'crypto' as const),
});
t.test('slices sum to the parent, never fall, and come in whole lots but for the last', (t) => {
  fc.assert(fc.property(inputs, ({ lots, odd, lotSize, ...rest }) => {
    const lot = parseDecimal(lotSize);
    const orderQty = (lots * lot + odd) as Decimal;
    const cumQtys = planSchedule({ ...rest, orderQty, lotSize: lot });
    return cumQtys.at(-1) === orderQty && cumQtys.every((cumQty, k) => cumQty >= (cumQtys[k - 1] ?? 0n) && (isMultiple(cumQty, lot) || cumQty === orderQty));
  }), { numRuns: 500 });
  t.end();
});

t.test('the next step: the latest of those due, else the first to come, evenly from the decision to the end', (t) => {
  const after = (seconds: number): Ns => horizonEnd(START, seconds);
  const parent: Scheduled = { schedule: quantities(INPUT), decidedAt: START, expireAt: after(600) };
  const next = (from: Ns | null, now: Ns): unknown => {
    const step = nextStep(parent, from, now);
    return step === null ? null : [(step.at - START) / NS_PER_SECOND, formatDecimal(step.cumQty)];
  };
  t.same(next(null, START), [0n, '100']);
  t.same(next(START, START), [60n, '200']);
  t.same(next(START, after(119)), [60n, '200']);
  t.same(next(START, after(180)), [180n, '400'], 'overdue ones go as one');
  t.same(next(after(480), after(500)), [540n, '1000']);
  t.equal(next(after(540), after(541)), null);
  t.equal(nextStep({ ...parent, expireAt: null, schedule: [] }, null, START), null, 'a direct order has none');
  t.end();
});
