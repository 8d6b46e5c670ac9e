import t from 'tap';
import type { LegDecision, TargetCommand, TargetDecision } from '../../risk/decision.ts';
import { decideTarget } from '../../risk/decide-target.ts';
import { formatDecimal } from '../../risk/domain/decimal.ts';
import { plusMs } from '../../risk/domain/time.ts';
import type { CheckCode, Verdict } from '../../risk/domain/verdict.ts';
import type { Facts } from '../../risk/facts.ts';
import type { Limits, PolicyInForce } from '../../risk/policy.ts';
import type { Scope } from '../../risk/records.ts';
import type { RiskState } from '../../risk/state.ts';
import { d, deskOf, factsOf, flip, NOW, policyWith, targetOf } from './desk.ts';

const FACTS = factsOf({ IBM: {}, SPY: {}, BAC: {}, AIG: {} });
const decide = (command: TargetCommand, state: RiskState = deskOf(), facts: Facts = FACTS): TargetDecision => decideTarget(command, state, facts);
const leg = (decision: TargetDecision, symbol: string): LegDecision => decision.legs.find((entry) => entry.symbol === symbol)!;
const spoken = (verdicts: readonly Verdict[]): string[] =>
  verdicts.filter(({ outcome }) => outcome !== 'pass' && outcome !== 'off').map(({ code, outcome }) => `${code} ${outcome}`);
const shown = (decision: TargetDecision): Record<string, string[]> =>
  Object.fromEntries(decision.legs.map(({ symbol, allowed, deltaQty, outcome }) => [symbol, [outcome, formatDecimal(allowed), formatDecimal(deltaQty)]]));

t.test('within all limits: accepted as asked, in whole lots', (t) => {
  const decision = decide(targetOf({ IBM: '0.1', SPY: '-0.05' }));
  t.equal(decision.decision, 'accepted');
  t.same(shown(decision), { IBM: ['accepted', '0.1', '1000'], SPY: ['accepted', '-0.05', '-500'] });
  t.same(decision.verdicts.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'pass'), []);
  const gross = decision.verdicts.find(({ code }) => code === 'GROSS_EXPOSURE');
  t.same(gross, { code: 'GROSS_EXPOSURE', outcome: 'pass', observed: '0.15', limit: '2', unit: 'xEquity' });
  t.equal(decision.equity, 1_000_000);
  t.equal(decision.governor, 1);
  t.end();
});

t.test('the sample of API.md: clipped to the Kelly cap', (t) => {
  const command = targetOf({ SPY: { target: d('0.25'), mu: 0.0144, sigma: 0.18 + 0.0097366596, forecastDays: 5 } });
  const decision = decide(command, deskOf(policyWith({ kelly: { fraction: 0.5, unratedWeight: 0.25, require: false } })));
  t.equal(decision.decision, 'clipped');
  const verdict = leg(decision, 'SPY').verdicts.find(({ code }) => code === 'KELLY_CAP')!;
  t.equal(verdict.outcome, 'clip');
  t.equal(verdict.observed, '0.25');
  t.equal(Number(verdict.limit).toFixed(3), '0.200');
  t.equal(Number(formatDecimal(leg(decision, 'SPY').allowed)).toFixed(3), '0.200');
  t.end();
});

t.test('a sign against mu has cap 0; a reduction is never blocked by Kelly', (t) => {
  const against = { mu: -0.1, sigma: 0.2, forecastDays: 5 };
  t.same(shown(decide(targetOf({ IBM: { target: d('0.1'), ...against } }))), { IBM: ['clipped', '0', '0'] });
  const held = (): RiskState => deskOf(undefined, [{ symbol: 'IBM', qty: '2000' }]);
  t.same(shown(decide(targetOf({ IBM: { target: d('0.1'), ...against } }), held())), { IBM: ['accepted', '0.1', '-1000'] });
  t.same(shown(decide(targetOf({ IBM: { target: d('0.25'), ...against } }), held())), { IBM: ['clipped', '0', '-2000'] }, 'a wish to grow ends at the cap');
  t.same(shown(decide(targetOf({ IBM: { target: d('-0.1'), ...against, mu: 0.1 } }), held())), { IBM: ['clipped', '0', '-2000'] }, 'a flip ends at zero');
  const required = policyWith({ kelly: { fraction: 0.5, unratedWeight: 0.2, require: true } });
  t.same(shown(decide(targetOf({ IBM: '0.1' }), deskOf(required))), { IBM: ['denied', '0', '0'] });
  t.end();
});

t.test('an impossible leg is denied alone and keeps its present weight', (t) => {
  const state = deskOf(undefined, [{ symbol: 'BAC', qty: '500' }]);
  const facts = factsOf({ IBM: {}, BAC: { quoteAt: plusMs(NOW, -60_000) }, AIG: null });
  const decision = decide(targetOf({ IBM: '0.1', BAC: '0.1', AIG: '0.1', NONE: '0.1' }), state, facts);
  t.equal(decision.decision, 'clipped');
  t.same(shown(decision), { IBM: ['accepted', '0.1', '1000'], BAC: ['denied', '0.05', '0'], AIG: ['denied', '0', '0'], NONE: ['denied', '0', '0'] });
  t.same(spoken(leg(decision, 'BAC').verdicts), ['MARKET_DATA_STALE deny']);
  t.same(spoken(leg(decision, 'AIG').verdicts), ['FACT_MISSING deny']);
  t.same(spoken(leg(decision, 'NONE').verdicts), ['UNKNOWN_INSTRUMENT deny', 'FACT_MISSING deny']);
  t.equal(decide(targetOf({ AIG: '0.1', NONE: '0.1' }), state, facts).decision, 'denied', 'denied when every leg is');
  t.equal(decide(targetOf({ IBM: '0.1', NONE: '0.1' }, { mode: 'all_or_none' }), state, facts).decision, 'denied');
  t.end();
});

t.test('a position that has no mark denies everything, and is named', (t) => {
  const state = deskOf(undefined, [{ symbol: 'S001', qty: '10', mark: null }]);
  const { verdicts } = decide(targetOf({ IBM: '0.1' }), state, FACTS);
  t.equal(verdicts.find(({ code }) => code === 'FACT_MISSING')?.observed, 'exposure of S001');
  t.end();
});

t.test('what denies a whole target', (t) => {
  const base = targetOf({ IBM: '0.1' });
  const many = ['IBM', 'SPY', 'BAC', 'AIG', 'S001', 'S002', 'S003', 'S004', 'S005'];
  const rows: readonly (readonly [CheckCode, TargetCommand, RiskState, Facts])[] = [
    ['SWITCH_HALTED', base, flip(deskOf(), { kind: 'strategy', id: 'alpha-1' }, 'halted'), FACTS],
    ['SWITCH_HALTED', base, flip(deskOf(), { kind: 'trader', id: 'TRADER1' }, 'halted'), FACTS],
    ['ATTRIBUTION', targetOf({ IBM: '0.1' }, { strategy: 'alpha-9' }), deskOf(), FACTS],
    ['PERMISSION', targetOf({ IBM: '0.1' }, { strategy: 'alpha-9' }), deskOf(), FACTS],
    ['FACT_MISSING', targetOf({ IBM: '0.1' }, { account: 'ACC2' }), deskOf(), FACTS],
    ['FACT_MISSING', base, deskOf(undefined, [{ symbol: 'S001', qty: '10', mark: null }]), FACTS],
    ['AS_OF_STALE', targetOf({ IBM: '0.1' }, { asOf: plusMs(NOW, -60_001) }), deskOf(), FACTS],
    ['AS_OF_STALE', targetOf({ IBM: '0.1' }, { asOf: plusMs(NOW, 5001) }), deskOf(), FACTS],
    ['FAT_FINGER', targetOf({ IBM: '2.501' }), deskOf(), FACTS],
    ['FAT_FINGER', targetOf(Object.fromEntries(many.map((symbol) => [symbol, '2.3']))), deskOf(), FACTS],
    ['CLOCK', base, deskOf(), { ...FACTS, clockStepBackMs: 1001 }],
    ['FACT_MISSING', base, deskOf(), { ...FACTS, clockStepBackMs: null }],
  ];
  for (const [code, command, state, facts] of rows) {
    const decision = decide(command, state, facts);
    t.equal(decision.decision, 'denied', code);
    t.ok(spoken(decision.verdicts).includes(`${code} deny`), `${code}: ${spoken(decision.verdicts).join(', ')}`);
    t.ok(decision.legs.every(({ outcome, deltaQty }) => outcome === 'denied' && deltaQty === 0n));
  }
  for (const asOf of [plusMs(NOW, -60_000), plusMs(NOW, 5000)]) t.equal(decide(targetOf({ IBM: '0.1' }, { asOf })).decision, 'accepted');
  t.throws(() => decide({ ...base, target: { ...base.target, legs: [...base.target.legs, ...base.target.legs] } }), RangeError);
  t.end();
});

t.test('an instrument switch stops its leg alone', (t) => {
  const halted = flip(deskOf(), { kind: 'instrument', id: 'IBM' }, 'halted');
  t.same(shown(decide(targetOf({ IBM: '0.1', SPY: '0.1' }), halted)), { IBM: ['denied', '0', '0'], SPY: ['accepted', '0.1', '1000'] });
  t.end();
});

t.test('reducing: a reduction passes, growth stays where it is, a flip ends at zero', (t) => {
  const firm: Scope = { kind: 'firm', id: '*' };
  const state = flip(deskOf(undefined, [{ symbol: 'IBM', qty: '1000' }, { symbol: 'SPY', qty: '1000' }, { symbol: 'BAC', qty: '-1000' }]), firm, 'reducing');
  const decision = decide(targetOf({ IBM: '0.05', SPY: '0.2', BAC: '0.1', AIG: '0.1' }), state);
  t.same(shown(decision), { IBM: ['accepted', '0.05', '-500'], SPY: ['clipped', '0.1', '0'], BAC: ['clipped', '0', '1000'], AIG: ['clipped', '0', '0'] });
  t.same(spoken(decision.verdicts), ['SWITCH_REDUCING clip']);
  const closing = targetOf({ IBM: '0' });
  const halted = (policy?: PolicyInForce): RiskState => flip(deskOf(policy, [{ symbol: 'IBM', qty: '1000' }]), firm, 'halted');
  const armed = policyWith({}, { closingUnderHalt: [firm] });
  t.equal(decide(closing, halted()).decision, 'denied');
  t.equal(decide(closing, halted(armed)).decision, 'accepted', 'armed');
  t.equal(decide(targetOf({ IBM: '0.2' }), halted(armed)).decision, 'denied', 'armed for closings only');
  t.end();
});

t.test('at the hard stop of the drawdown only reductions are left', (t) => {
  const state = deskOf(undefined, [{ symbol: 'IBM', qty: '8000' }]);
  const facts = factsOf({ IBM: { bidPx: d('75'), askPx: d('75') }, SPY: {} });
  const decision = decide(targetOf({ IBM: '0.6', SPY: '0.1' }), state, facts);
  t.equal(decision.governor! < 1e-9, true);
  t.equal(leg(decision, 'IBM').outcome, 'accepted');
  t.ok(leg(decision, 'IBM').deltaQty < 0n);
  t.equal(leg(decision, 'SPY').deltaQty, 0n);
  t.same(spoken(decision.verdicts), ['DRAWDOWN_GOVERNOR clip']);
  t.end();
});

t.test('one projection: the nearest to what was asked, all limits at once', (t) => {
  const decision = decide(targetOf({ IBM: '0.2', SPY: '0.25', BAC: '0.1' }), deskOf(policyWith({ grossXEquity: 0.4 })));
  t.same(shown(decision), { IBM: ['clipped', '0.15', '1500'], SPY: ['clipped', '0.2', '2000'], BAC: ['clipped', '0.05', '500'] });
  t.same(spoken(decision.verdicts), ['GROSS_EXPOSURE clip']);
  t.same(leg(decision, 'IBM').verdicts.at(-1), { code: 'GROSS_EXPOSURE', outcome: 'clip', observed: '0.2', limit: '0.15', unit: 'xEquity' });
  const turned = decide(targetOf({ IBM: '0.2', SPY: '0.1' }), deskOf(policyWith({ turnoverXEquityPerDay: 0.2 })));
  t.same(shown(turned), { IBM: ['clipped', '0.15', '1500'], SPY: ['clipped', '0.05', '500'] });
  t.same(spoken(decide(targetOf({ IBM: '0.2' }, { mode: 'all_or_none' }), deskOf(policyWith({ grossXEquity: 0.1 }))).verdicts), ['GROSS_EXPOSURE deny']);
  t.end();
});

t.test('volatility is brought under its cap along with the rest', (t) => {
  const policy = policyWith({ volatilityAnnual: 0.05 });
  const decision = decide(targetOf({ IBM: '0.25', SPY: '0.25', BAC: '-0.1' }), deskOf(policy));
  t.equal(decision.decision, 'clipped');
  t.same(spoken(decision.verdicts), ['VOLATILITY_CAP clip']);
  t.ok(decision.legs.some(({ deltaQty }) => deltaQty > 0n), 'it is not simply refused');
  t.end();
});

t.test('legs make room for each other: the nearest portfolio, also where that cuts a position that was to stay', (t) => {
  const held = ['IBM', 'SPY', 'BAC'].map((symbol) => ({ symbol, qty: '2500' }));
  const decision = decide(targetOf({ IBM: '0.25', SPY: '0.25', BAC: '0.25', AIG: '0.25' }), deskOf(policyWith({ grossXEquity: 0.8 }), held));
  const [cut, grown] = [['clipped', '0.2', '-500'], ['clipped', '0.2', '2000']];
  t.same(shown(decision), { IBM: cut, SPY: cut, BAC: cut, AIG: grown });
  t.same(spoken(leg(decision, 'SPY').verdicts), ['GROSS_EXPOSURE clip']);
  t.end();
});

t.test('a leg that is brought back to nothing does not push its name beyond its limit', (t) => {
  const tight = policyWith({ nameXEquity: 0.05, grossXEquity: 0.1002, netXEquity: 0.05, sectorXEquity: 0.0501, turnoverXEquityPerDay: 0.0549, volatilityAnnual: 0.02 });
  const held = [{ symbol: 'BAC', qty: '477', strategy: 'alpha-2' }, { symbol: 'BAC', sellOpen: '24' }];
  const decision = decide(targetOf({ AIG: '-0.0332', IBM: '0.1646', BAC: '0.3626', SPY: '-0.1723' }), deskOf(tight, held));
  t.equal(decision.decision, 'clipped');
  t.ok(leg(decision, 'BAC').deltaQty <= d('23'));
  t.end();
});

t.test('a book in breach comes within its limits at once; where it cannot, it only shrinks', (t) => {
  const state = (more: Partial<Limits> = {}): RiskState => deskOf(policyWith({ grossXEquity: 0.4, ...more }), [{ symbol: 'IBM', qty: '3000' }, { symbol: 'SPY', qty: '2000' }]);
  const wish = targetOf({ IBM: '0.28', SPY: '0.15', BAC: '0.04' });
  const repaired = decide(wish, state());
  t.same(repaired.legs.map(({ deltaQty }) => formatDecimal(deltaQty)), ['-433', '-733', '166']);
  t.same(spoken(repaired.verdicts), ['GROSS_EXPOSURE clip']);
  const shrunk = decide(wish, state({ turnoverXEquityPerDay: 0.08 }));
  t.same(shown(shrunk), { IBM: ['accepted', '0.28', '-200'], SPY: ['accepted', '0.15', '-500'], BAC: ['clipped', '0', '0'] });
  t.same(spoken(leg(shrunk, 'BAC').verdicts), ['GROSS_EXPOSURE clip']);
  t.end();
});

t.test('a flip out of a breach ends at the limit, with what may still fill of other orders', (t) => {
  const held = [{ symbol: 'SPY', qty: '-1376', buyOpen: '105' }];
  const tight = policyWith({ nameXEquity: 0.1376, netXEquity: 0.1376, grossXEquity: 0.1, sectorXEquity: 0.05, leverageX: 0.1 });
  t.same(shown(decide(targetOf({ SPY: '0.2' }), deskOf(tight, held))), { SPY: ['clipped', '0.05', '1771'] });
  const wider = decide(targetOf({ SPY: '0.2' }), deskOf(policyWith({ grossXEquity: 0.1 }), held));
  t.same(shown(wider), { SPY: ['clipped', '0.1', '2271'] });
  t.ok(spoken(leg(wider, 'SPY').verdicts).includes('GROSS_EXPOSURE clip'));
  t.end();
});

t.test('a target is judged by where it ends: neutral, 130/30, a rotation at the limit', (t) => {
  const neutral = decide(targetOf({ IBM: '0.2', SPY: '0.2', BAC: '-0.2', AIG: '-0.2' }), deskOf(policyWith({ netXEquity: 0.1 })));
  t.equal(neutral.decision, 'accepted');
  t.match(neutral.verdicts.find(({ code }) => code === 'NET_EXPOSURE'), { observed: '0', limit: '0.1' });
  const long = Object.fromEntries(['S001', 'S011', 'S021', 'S031', 'S041', 'S051'].map((symbol, i) => [symbol, i === 5 ? '0.05' : '0.25']));
  const facts = factsOf(Object.fromEntries([...Object.keys(long), 'IBM', 'SPY', 'BAC'].map((symbol) => [symbol, {}])));
  const extended = decide(targetOf({ ...long, IBM: '-0.15', SPY: '-0.15' }), deskOf(policyWith({ sectorXEquity: 2 })), facts);
  t.equal(extended.decision, 'accepted', spoken(extended.verdicts).join());
  const rotation = decide(targetOf({ IBM: '0', SPY: '0.2' }), deskOf(policyWith({ grossXEquity: 0.2 }), [{ symbol: 'IBM', qty: '2000' }]));
  t.same(shown(rotation), { IBM: ['accepted', '0', '-2000'], SPY: ['accepted', '0.2', '2000'] });
  t.end();
});

t.test('net is clipped on both sides at once: the wishes that lie across it are left alone', (t) => {
  const decision = decide(targetOf({ IBM: '0.2', SPY: '0.2', BAC: '-0.1', AIG: '-0.1' }), deskOf(policyWith({ netXEquity: 0.1 })));
  t.same(shown(decision), { IBM: ['clipped', '0.15', '1500'], SPY: ['clipped', '0.15', '1500'], BAC: ['accepted', '-0.1', '-1000'], AIG: ['accepted', '-0.1', '-1000'] });
  t.same(leg(decision, 'IBM').verdicts.at(-1), { code: 'NET_EXPOSURE', outcome: 'clip', observed: '0.2', limit: '0.15', unit: 'xEquity' });
  t.end();
});

t.test('orders at work may fill or not, plans are done: a plan makes room, an order only takes it', (t) => {
  const tight = policyWith({ grossXEquity: 0.2 });
  const held = { symbol: 'IBM', qty: '2000', strategy: 'alpha-2' };
  const wish = targetOf({ SPY: '0.2' });
  t.same(shown(decide(wish, deskOf(tight, [{ ...held, sellOpen: '2000' }]))), { SPY: ['clipped', '0', '0'] });
  t.same(shown(decide(wish, deskOf(tight, [{ ...held, sellOpen: '2000', planned: true }]))), { SPY: ['accepted', '0.2', '2000'] });
  t.end();
});

t.test('a purchase that a sale was to pay for is made smaller by what rounding to lots leaves unsold', (t) => {
  const decision = decide(targetOf({ IBM: '0.10005', SPY: '0.09995' }), deskOf(policyWith({ grossXEquity: 0.2 }), [{ symbol: 'IBM', qty: '2000' }]));
  t.same(shown(decision), { IBM: ['accepted', '0.10005', '-999'], SPY: ['accepted', '0.09995', '999'] });
  t.end();
});

t.test('complete closes the rest of its own book, and of no other', (t) => {
  const held = [{ symbol: 'IBM', qty: '1000' }, { symbol: 'BAC', qty: '-500' }, { symbol: 'SPY', qty: '700', strategy: 'alpha-2' }];
  const decision = decide(targetOf({ IBM: '0.1' }, { scope: 'complete' }), deskOf(undefined, held));
  t.same(shown(decision), { IBM: ['accepted', '0.1', '0'], BAC: ['accepted', '0', '500'] });
  t.equal(leg(decision, 'BAC').requested, null);
  t.end();
});

t.test('open orders are part of the present, and own is own', (t) => {
  const held = [{ symbol: 'IBM', qty: '500', buyOpen: '300' }, { symbol: 'IBM', qty: '1000', strategy: 'alpha-2' }];
  t.same(shown(decide(targetOf({ IBM: '0.1' }), deskOf(undefined, held))), { IBM: ['accepted', '0.1', '200'] });
  t.same(shown(decide(targetOf({ IBM: '0.2' }), deskOf(undefined, held))), { IBM: ['clipped', '0.15', '700'] }, 'the name limit counts both strategies');
  t.end();
});

t.test('quantities and notionals mean the same as weights', (t) => {
  const state = (): RiskState => deskOf(undefined, [{ symbol: 'IBM', qty: '300' }]);
  t.same(shown(decide(targetOf({ IBM: '1000.7' }, { basis: 'quantity' }), state())), { IBM: ['accepted', '1000.7', '700'] });
  t.same(shown(decide(targetOf({ IBM: '3000' }, { basis: 'quantity' }), state())), { IBM: ['clipped', '2500', '2200'] });
  t.same(shown(decide(targetOf({ IBM: '-100000' }, { basis: 'notional' }), state())), { IBM: ['accepted', '-100000', '-1300'] });
  t.same(shown(decide(targetOf({ IBM: '300000' }, { basis: 'notional' }), state())), { IBM: ['clipped', '250000', '2200'] });
  t.end();
});

t.test('the size of a parent is clipped to the order limits', (t) => {
  const decision = decide(targetOf({ IBM: '0.2' }), deskOf(policyWith({ orderNotionalMax: d('150000') })));
  t.same(shown(decision), { IBM: ['clipped', '0.15', '1500'] });
  t.same(spoken(leg(decision, 'IBM').verdicts), ['MAX_ORDER_NOTIONAL clip']);
  t.end();
});
