import fc from 'fast-check';
import t from 'tap';
import {
  binaryGrowth, binaryKelly, continuousGrowth, continuousKelly, everFallingTo, kellyCap,
  portfolioKelly, portfolioVolatility, shrink, volatilityScale,
} from '../../risk/kelly.ts';
import { needsShared } from '../shared.ts';
import { scienceCase, within } from './science.ts';

const POLICY = { fraction: 0.5, unratedWeight: 0.25, require: false };

interface Bet {
  readonly fStar: number;
  readonly gStar: number;
  readonly gHalf: number;
  readonly gDouble: number;
}
t.test('reference case O-KELLY-1: a coin', needsShared('science-cases.json'), (t) => {
  const { inputs, expected, tolerance } = scienceCase<{ p: [number, number]; b: number }, { p053: Bet; p051: Bet }>('O-KELLY-1')!;
  for (const [p, bet] of [[inputs.p[0], expected.p053], [inputs.p[1], expected.p051]] as const) {
    const f = binaryKelly(p, inputs.b);
    const got = [f, ...[f, f / 2, f * 2].map((stake) => binaryGrowth(p, inputs.b, stake))];
    t.ok(within(tolerance, got, [bet.fStar, bet.gStar, bet.gHalf, bet.gDouble]));
  }
  t.end();
});

t.test('reference case O-KELLY-2: one asset', needsShared('science-cases.json'), (t) => {
  type Expected = Record<'fStar' | 'gStar' | 'gUnlevered' | 'gFraction' | 'volAtFull' | 'volAtFraction' | 'probEverHalve' | 'probEverHalveFraction', number>;
  const { inputs, expected: e, tolerance } = scienceCase<{ m: number; r: number; s: number; fraction: number; x: number }, Expected>('O-KELLY-2')!;
  const { m, r, s, fraction, x } = inputs;
  const f = continuousKelly(m, r, s);
  const growth = [f, 1, fraction * f].map((leverage) => continuousGrowth(m, r, s, leverage));
  const got = [f, ...growth, f * s, fraction * f * s, everFallingTo(x, 1), everFallingTo(x, fraction)];
  t.ok(within(tolerance, got, [e.fStar, e.gStar, e.gUnlevered, e.gFraction, e.volAtFull, e.volAtFraction, e.probEverHalve, e.probEverHalveFraction]));
  const policy = { ...POLICY, fraction };
  t.ok(within(tolerance, [kellyCap(1, m - r, s, policy)!], [fraction * e.fStar]), 'the cap of a leg is the same formula');
  t.end();
});

t.test('reference case O-KELLY-3: three assets', needsShared('science-cases.json'), (t) => {
  interface Inputs { readonly mu: number[]; readonly sigma: number[][]; readonly fraction: number; readonly shrink: number; readonly volCap: number }
  type Expected = Record<'full' | 'shrunkFull' | 'fractional' | 'final', number[]>
    & Record<'growthFull' | 'sharpeSquared' | 'volFractional' | 'volScale' | 'finalVol', number>;
  const { inputs, expected, tolerance } = scienceCase<Inputs, Expected>('O-KELLY-3')!;
  const full = portfolioKelly(inputs.mu, inputs.sigma);
  t.ok(within(tolerance, full, expected.full));
  const sharpeSquared = portfolioVolatility(full, inputs.sigma) ** 2;
  t.ok(within(tolerance, [sharpeSquared / 2, sharpeSquared], [expected.growthFull, expected.sharpeSquared]));
  const careful = shrink(inputs.mu, inputs.sigma, inputs.shrink);
  const shrunk = portfolioKelly(careful.mu, careful.covariance);
  t.ok(within(tolerance, shrunk, expected.shrunkFull));
  const fractional = shrunk.map((f) => inputs.fraction * f);
  const volatility = portfolioVolatility(fractional, inputs.sigma);
  const k = volatilityScale(volatility, inputs.volCap);
  const final = fractional.map((f) => k * f);
  t.ok(within(tolerance, fractional, expected.fractional));
  t.ok(within(tolerance, [volatility, k, portfolioVolatility(final, inputs.sigma)], [expected.volFractional, expected.volScale, expected.finalVol]));
  t.ok(within(tolerance, final, expected.final));
  t.end();
});

t.test('the cap of a leg', (t) => {
  t.equal(kellyCap(0.25, 0.08, 0.2, POLICY), 0.5 * (0.08 / (0.2 * 0.2)));
  t.equal(kellyCap(-0.25, 0.08, 0.2, POLICY), 0, 'against the forecast');
  t.equal(kellyCap(-0.25, -0.08, 0.2, POLICY), kellyCap(0.25, 0.08, 0.2, POLICY));
  t.equal(kellyCap(0.25, 0, 0.2, POLICY), 0, 'nothing expected');
  t.equal(kellyCap(0, 0.08, 0.2, POLICY), 0);
  for (const [mu, sigma] of [[null, 0.2], [0.08, null], [0.08, 0], [0.08, 1e-200], [Number.NaN, 0.2], [0.08, Number.NaN], [Infinity, 0.2]] as const) {
    t.equal(kellyCap(0.25, mu, sigma, POLICY), 0.25, 'unrated');
    t.equal(kellyCap(0.25, mu, sigma, { ...POLICY, require: true }), null, 'unrated where a forecast is required');
  }
  t.end();
});

t.test('the volatility scale comes down to the cap and never up', (t) => {
  fc.assert(fc.property(fc.double({ min: 0, max: 10, noNaN: true }), fc.double({ min: 0.01, max: 1, noNaN: true }), (volatility, cap) => {
    const k = volatilityScale(volatility, cap);
    return k <= 1 && k > 0 && k * volatility <= cap * (1 + 1e-12);
  }));
  t.end();
});

t.test('a covariance that is none', (t) => {
  t.throws(() => portfolioKelly([1, 1], [[1, 2], [2, 1]]), RangeError);
  t.throws(() => portfolioKelly([1], [[Number.NaN]]), RangeError);
  t.end();
});
