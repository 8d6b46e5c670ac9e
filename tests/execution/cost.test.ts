import fc from 'fast-check';
import t from 'tap';
import { ARMS, ATHL, dailySigma, expectedCostBps, permanentImpactBps, povDays, squareRootImpactBps, temporaryImpactBps } from '../../execution/cost.ts';
import { crossingPx, fixedRule } from '../../execution/route.ts';
import type { RoutingContext } from '../../execution/route.ts';
import { formatDecimal, isMultiple, parseDecimal, toNumber } from '../../risk/domain/decimal.ts';
import type { Side } from '../../risk/domain/order.ts';
import { needsShared } from '../shared.ts';
import { casesOf, differences } from './science.ts';

interface Athl { readonly X: number; readonly V: number; readonly theta: number; readonly sigma: number; readonly T: readonly number[] }
t.test('impact: the reference cases', needsShared('science-cases.json'), (t) => {
  for (const c of casesOf<Athl>('impact-athl')) {
    const { X, V, theta, sigma, T } = c.inputs;
    const permanentBps = permanentImpactBps(sigma, X / V, theta / V);
    const byHorizon = T.map((days) => {
      const temporaryBps = temporaryImpactBps(sigma, X / V / days);
      return { T: days, temporaryNormalised: temporaryBps / sigma / 1e4, temporaryBps, realisedBps: permanentBps / 2 + temporaryBps };
    });
    t.same(differences(c as never, { inverseTurnover: theta / V, permanentNormalised: permanentBps / sigma / 1e4, permanentBps, byHorizon }), [], c.id);
  }
  t.end();
});

type SquareRoot = Readonly<Record<'Q' | 'V' | 'sigma' | 'Y' | 'spreadBps' | 'feeBps' | 'rho', number>>;
t.test('square root: the reference cases', needsShared('science-cases.json'), (t) => {
  for (const c of casesOf<SquareRoot>('cost-sqrt')) {
    const { Q, V, sigma, Y, spreadBps, feeBps, rho } = c.inputs;
    const impactBps = squareRootImpactBps(Y, sigma, Q / V);
    const durationDays = povDays(Q / V, rho);
    const totalBps = impactBps + spreadBps / 2 + feeBps;
    const got = { impactBps, halfSpreadBps: spreadBps / 2, totalBps, durationDays, durationDaysExclOwn: durationDays * (1 - rho) };
    t.same(differences(c as never, got), [], c.id);
  }
  t.end();
});

const COST = { assetClass: 'equity', qty: 500, spreadBps: 4, sigmaAnnual: 0.2, advQty: 1e6, seconds: 60, makerFeeBps: -0.2, takerFeeBps: 0.3 } as const;

t.test('an arm costs its spread, fee and impact', (t) => {
  const rate = 500 / (1e6 * (60 / 23_400));
  const cross = 2 + 0.3 + 1e4 * ATHL.eta * (0.2 / Math.sqrt(252)) * rate ** 0.6;
  t.ok(Math.abs(expectedCostBps('cross', COST) - cross) < 1e-12);
  t.ok(expectedCostBps('post', COST) < expectedCostBps('cross', COST));
  t.equal(dailySigma(0.19, 'crypto'), 0.19 / Math.sqrt(365));
  t.equal(temporaryImpactBps(0.02, -0.1), -temporaryImpactBps(0.02, 0.1));
  for (const arm of ARMS) t.ok(Number.isFinite(expectedCostBps(arm, { ...COST, seconds: 0, qty: 1e9 })), `${arm}: the law ends at the whole market`);
  t.end();
});

type Over = Partial<Record<'bidPx' | 'askPx' | 'tickSize', string> & Record<'crossBps' | 'collarBps', number>>;
const context = (side: Side, over: Over = {}): RoutingContext => ({
  side, bidPx: parseDecimal(over.bidPx ?? '99.98'), askPx: parseDecimal(over.askPx ?? '100.02'), tickSize: parseDecimal(over.tickSize ?? '0.01'),
  crossBps: over.crossBps ?? 5, collarBps: over.collarBps ?? 100, cost: COST,
});
const limit = (c: RoutingContext): string => formatDecimal(crossingPx(c));

t.test('the fixed rule crosses, and names every arm', (t) => {
  const { arm, arms, order } = fixedRule.choose(context('buy'));
  t.equal(arm, 'cross');
  t.same(arms.map(({ arm: name, propensity }) => [name, propensity]), [['cross', 1], ['post', 0], ['peg', 0], ['pov', 0]]);
  t.same({ ...order, limitPx: formatDecimal(order.limitPx) }, { type: 'limit', limitPx: '100.07', tif: 'ioc', participation: null });
  t.end();
});

t.test('the crossing limit: through the touch, on the tick, within the collar', (t) => {
  t.equal(limit(context('buy')), '100.07', '100.07001 down');
  t.equal(limit(context('sell')), '99.94', '99.93001 up');
  t.equal(limit(context('buy', { crossBps: 0 })), '100.02');
  t.equal(limit(context('sell', { crossBps: 0 })), '99.98');
  t.equal(limit(context('buy', { collarBps: 3 })), '100.03', 'the mid is 100');
  t.equal(limit(context('sell', { collarBps: 3 })), '99.97');
  t.equal(limit(context('buy', { collarBps: 0 })), '100', 'nothing beyond the collar, even if it does not cross');
  t.equal(limit(context('sell', { collarBps: 0 })), '100');
  t.equal(limit(context('sell', { tickSize: '0.05', bidPx: '99.95', askPx: '100.05', crossBps: 1 })), '99.95');
  fc.assert(fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 200 }),
    fc.constantFrom<Side>('buy', 'sell'), (bid, spread, crossBps, collarBps, side) => {
      const c = context(side, { bidPx: `${bid}`, askPx: `${bid + spread}`, tickSize: '0.01', crossBps, collarBps });
      const px = crossingPx(c);
      const mid = bid + spread / 2;
      const past = side === 'buy' ? toNumber(px) / mid - 1 : 1 - toNumber(px) / mid;
      return isMultiple(px, c.tickSize) && past * 1e4 <= collarBps + 1e-6;
    }));
  t.end();
});
