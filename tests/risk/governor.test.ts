import fc from 'fast-check';
import t from 'tap';
import { drawdown, governor, grossmanZhou } from '../../risk/governor.ts';
import { needsShared } from '../shared.ts';
import { scienceCase, within } from './science.ts';

const SAMPLE = { softStart: 0.05, hardStop: 0.2, power: 1 };
const setting = fc
  .record({
    softStart: fc.double({ min: 0, max: 0.9, noNaN: true }),
    width: fc.double({ min: 1e-3, max: 0.1, noNaN: true }), power: fc.integer({ min: 1, max: 8 }),
  })
  .map(({ softStart, width, power }) => ({ softStart, hardStop: softStart + width, power }));
const depth = fc.double({ min: 0, max: 2, noNaN: true });

t.test('reference case O-GOV-1', needsShared('science-cases.json'), (t) => {
  const reference = scienceCase<{ drawdown: number[]; soft: number; hard: number; power: number }, { governor: number[]; grossmanZhou: number[] }>('O-GOV-1')!;
  const { drawdown: depths, soft, hard, power } = reference.inputs;
  const ours = depths.map((dd) => governor(dd, { softStart: soft, hardStop: hard, power }));
  t.ok(within(reference.tolerance, ours, reference.expected.governor));
  t.ok(within(reference.tolerance, depths.map((dd) => grossmanZhou(dd, hard)), reference.expected.grossmanZhou));
  t.end();
});

t.test('in [0, 1], never rising, 1 at the soft start and 0 from the hard stop', (t) => {
  fc.assert(fc.property(setting, depth, depth, (policy, a, b) => {
    const [shallow, deep] = [governor(Math.min(a, b), policy), governor(Math.max(a, b), policy)];
    return shallow <= 1 && deep >= 0 && shallow >= deep && governor(policy.softStart, policy) === 1 && governor(policy.hardStop, policy) === 0
      && governor(policy.hardStop + a, policy) === 0;
  }));
  t.end();
});

t.test('continuous: a small step in drawdown is a small step in size', (t) => {
  fc.assert(fc.property(setting, depth, (policy, dd) => {
    const steepest = policy.power / (policy.hardStop - policy.softStart);
    return Math.abs(governor(dd, policy) - governor(dd + 1e-6, policy)) <= steepest * 1e-6 * 1.001 + 1e-12;
  }));
  t.end();
});

t.test('at the sample policy, and with a power', (t) => {
  t.ok(within({ rel: 1e-12, abs: 1e-12 }, [0, 0.05, 0.1, 0.15, 0.2, 0.25].map((dd) => governor(dd, SAMPLE)), [1, 1, 2 / 3, 1 / 3, 0, 0]));
  t.ok(within({ rel: 1e-12, abs: 1e-12 }, [0.1, 0.15].map((dd) => governor(dd, { ...SAMPLE, power: 2 })), [4 / 9, 1 / 9]));
  t.end();
});

t.test('drawdown, and where there is none to speak of', (t) => {
  t.equal(drawdown(80, 100), 1 - 80 / 100);
  t.equal(drawdown(100, 100), 0);
  t.equal(drawdown(120, 100), 0, 'above the mark');
  t.equal(drawdown(-50, 100), 1.5);
  const missing = [[1, 0], [1, -1], [Number.NaN, 1], [1, Number.NaN], [Infinity, 1], [1, Infinity]] as const;
  for (const [equity, peak] of missing) t.equal(drawdown(equity, peak), null);
  t.end();
});
