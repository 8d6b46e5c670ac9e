/** Target portfolios that a strategy nobody here wrote posted each day from 2023 to 2026 (cvxportfolio's dow30 example), through the decision. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { applyFill, setMark } from '../../risk/books.ts';
import { decideTarget } from '../../risk/decide-target.ts';
import { absolute, fromNumber, ZERO } from '../../risk/domain/decimal.ts';
import type { Instrument } from '../../risk/domain/instrument.ts';
import { exposureOf } from '../../risk/exposure.ts';
import type { Limits, PolicyInForce } from '../../risk/policy.ts';
import type { RiskState } from '../../risk/state.ts';
import { needsShared, shared } from '../shared.ts';
import { d, deskOf, factsOf, NOW, policyWith, targetOf } from './desk.ts';

type Days = Readonly<Record<string, Readonly<Record<string, number>>>>;
const FILE = 'realdata/target-portfolios/dow30_daily_target_weights.json.gz';
const CASH = 'USDOLLAR';

function read(): readonly (readonly [day: string, weights: readonly (readonly [symbol: string, weight: number])[]])[] {
  const days = JSON.parse(gunzipSync(readFileSync(shared(FILE))).toString()) as Days;
  return Object.entries(days).map(([day, weights]) => [day, Object.entries(weights).filter(([symbol]) => symbol !== CASH)]);
}

/** The names of the file as a universe: prices made up, one for each name, sectors of four. */
function policyOf(symbols: readonly string[], limits: Partial<Limits>): PolicyInForce {
  const base = policyWith({ kelly: { fraction: 0.5, unratedWeight: 1, require: false }, nameXEquity: 0.3, ...limits });
  const template = base.universe.get('IBM')!;
  const instruments = symbols.map((symbol, i): [string, Instrument] => [symbol, { ...template, symbol, sector: `Sector ${Math.floor(i / 4)}` }]);
  return { ...base, universe: new Map(instruments) };
}

/** Fills everything that was decided at its mid, two days before now: the next day's turnover starts afresh. */
function fillAll(state: RiskState, decision: ReturnType<typeof decideTarget>): void {
  const account = state.accounts.get('ACC1')!;
  for (const { symbol, deltaQty } of decision.legs) {
    setMark(account, symbol, d('100'));
    if (deltaQty === 0n) continue;
    const side = deltaQty > 0n ? 'buy' : 'sell';
    applyFill(account, { strategy: 'alpha-1', symbol, side, lastQty: absolute(deltaQty), lastPx: d('100'), fee: ZERO, at: NOW, settlesAt: null });
  }
  account.traded.clear();
  account.tradedSum = ZERO;
}

t.test('every day decides, and what comes out is within the limits', needsShared(FILE), (t) => {
  const days = read();
  const symbols = [...new Set(days.flatMap(([, weights]) => weights.map(([symbol]) => symbol)))].sort();
  const facts = factsOf(Object.fromEntries(symbols.map((symbol) => [symbol, {}])));
  for (const limits of [{}, { grossXEquity: 0.6, nameXEquity: 0.1, turnoverXEquityPerDay: 0.05 }]) {
    const policy = policyOf(symbols, limits);
    const state = deskOf(policy);
    const outcomes = new Map<string, number>();
    for (const [, weights] of days) {
      const legs = Object.fromEntries(weights.map(([symbol, weight]) => [symbol, { target: fromNumber(weight, 12) }]));
      const decision = decideTarget(targetOf(legs, { scope: 'complete' }), state, facts);
      outcomes.set(decision.decision, (outcomes.get(decision.decision) ?? 0) + 1);
      fillAll(state, decision);
      const { gross, equity } = exposureOf(state.accounts.get('ACC1')!, policy, NOW, 'planned');
      if (!(gross <= policy.policy.limits.grossXEquity * equity * (1 + 1e-8))) t.fail(`gross ${gross}`);
    }
    t.equal(outcomes.get('denied') ?? 0, 0, `${days.length} days: ${JSON.stringify([...outcomes])}`);
    t.equal(outcomes.has('accepted'), limits.grossXEquity === undefined);
  }
  t.end();
});
