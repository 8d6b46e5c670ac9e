import fc from 'fast-check';
import t from 'tap';
import type { CheckList } from '../../risk/check.ts';
import { LEG_CHECKS, ORDER_CHECKS, PORTFOLIO_CHECKS } from '../../risk/checks/index.ts';
import { decideTarget } from '../../risk/decide-target.ts';
import { decideOrder } from '../../risk/decide.ts';
import type { OrderCommand, TargetCommand, TargetDecision } from '../../risk/decision.ts';
import { fromNumber, toNumber, ZERO, type Decimal } from '../../risk/domain/decimal.ts';
import type { OrderTerms, OrderType, Side } from '../../risk/domain/order.ts';
import { changeOf, exposureOf, type Change } from '../../risk/exposure.ts';
import type { Facts, SymbolFacts } from '../../risk/facts.ts';
import type { Limits } from '../../risk/policy.ts';
import type { Verdict } from '../../risk/domain/verdict.ts';
import type { RiskState } from '../../risk/state.ts';
import { packVerdicts, unpackVerdicts, verdictsText } from '../../risk/verdicts.ts';
import { d, deskOf, factsOf, flip, NOW, orderOf, policyWith, targetOf, type Position } from './desk.ts';

const SYMBOLS = ['IBM', 'SPY', 'BAC', 'AIG', 'S001', 'S011'];
const FACTS = factsOf(Object.fromEntries(SYMBOLS.map((symbol) => [symbol, {}])));
const whole = (min: number, max: number): fc.Arbitrary<string> => fc.integer({ min, max }).map(String);

const positions: fc.Arbitrary<readonly Position[]> = fc.uniqueArray(
  fc.record({
    symbol: fc.constantFrom(...SYMBOLS), qty: whole(-3000, 3000), buyOpen: whole(0, 300), sellOpen: whole(0, 300),
    strategy: fc.constantFrom('alpha-1', 'alpha-2'),
  }),
  { selector: ({ symbol, strategy }) => `${symbol} ${strategy}`, maxLength: 8 },
);
/** Tight enough to bind on the books above. */
const between = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
const limits: fc.Arbitrary<Partial<Limits>> = fc.record({
  nameXEquity: between(0.05, 0.3), sectorXEquity: between(0.05, 0.6), grossXEquity: between(0.1, 1.2), netXEquity: between(0.05, 0.6),
  leverageX: between(0.1, 1.2), turnoverXEquityPerDay: between(0.05, 1), volatilityAnnual: between(0.02, 0.3),
});
const order: fc.Arbitrary<OrderCommand<OrderTerms>> = fc
  .record({
    symbol: fc.constantFrom(...SYMBOLS), side: fc.constantFrom<Side>('buy', 'sell'), orderQty: whole(1, 4000).map(d),
    type: fc.constantFrom<OrderType>('limit', 'market'),
  })
  .map((terms) => orderOf({ ...terms, limitPx: terms.type === 'limit' ? d('100') : null }));
const weight = fc.integer({ min: -4000, max: 4000 });
const target: fc.Arbitrary<TargetCommand> = fc
  .record({
    legs: fc.dictionary(fc.constantFrom(...SYMBOLS), weight.map((w) => ({ target: fromNumber(w / 10_000, 4) })), { minKeys: 1 }),
    scope: fc.constantFrom<('listed' | 'complete')[]>('listed', 'complete'), mode: fc.constantFrom<('clip' | 'all_or_none')[]>('clip', 'all_or_none'),
  })
  .map(({ legs, ...more }) => targetOf(legs, more));

const LIMITS_AS_NUMBERS = [
  'nameXEquity', 'sectorXEquity', 'grossXEquity', 'netXEquity', 'leverageX', 'turnoverXEquityPerDay', 'volatilityAnnual', 'collarBps',
] as const;
const tighter = (given: Partial<Limits>, name: (typeof LIMITS_AS_NUMBERS)[number], by: number): Partial<Limits> =>
  ({ ...given, [name]: policyWith(given).policy.limits[name] * by });
const tightening = fc.record({ name: fc.constantFrom(...LIMITS_AS_NUMBERS), by: fc.double({ min: 0, max: 1, noNaN: true }) });

t.test('tightening a limit never turns a denied order into a pass', (t) => {
  fc.assert(fc.property(positions, limits, order, tightening, (held, given, command, { name, by }) => {
    const verdict = (chosen: Partial<Limits>): string => decideOrder(command, deskOf(policyWith(chosen), held), FACTS).decision;
    return !(verdict(given) === 'denied' && verdict(tighter(given, name, by)) === 'accepted');
  }), { numRuns: 500 });
  t.end();
});

t.test('tightening a limit never turns a denied target into an accepted one', (t) => {
  fc.assert(fc.property(positions, limits, target, tightening, (held, given, command, { name, by }) => {
    const verdict = (chosen: Partial<Limits>): string => decideTarget(command, deskOf(policyWith(chosen), held), FACTS).decision;
    const before = verdict(given);
    const after = verdict(tighter(given, name, by));
    return !(before === 'denied' && after !== 'denied' && command.target.mode === 'all_or_none') && !(before !== 'accepted' && after === 'accepted');
  }), { numRuns: 300 });
  t.end();
});

/** Every measure of the account with the decision's trades reserved: within its limit, or no worse than before. Written out, not through the checks. */
function isWithin(state: RiskState, decision: TargetDecision): boolean {
  const policy = state.policy!;
  const account = state.accounts.get('ACC1')!;
  const changes = new Map(decision.legs.map(({ symbol, deltaQty }): [string, Change] => {
    const size = Math.abs(toNumber(deltaQty));
    return [symbol, changeOf(deltaQty < 0n ? 'sell' : 'buy', 100, size, size)];
  }));
  const before = exposureOf(account, policy, NOW, 'planned');
  const after = exposureOf(account, policy, NOW, 'planned', changes);
  const keeps = (now: number, was: number, limit: number): boolean => now <= limit + 1e-3 || now <= was + 1e-6;
  const { limits: l } = policy.policy;
  const e = before.equity;
  const names = [...account.lines.values()].every((line) => {
    const change = changes.get(line.symbol);
    const up = (line.qtyN + line.buyOpenN) * 100;
    const down = (line.sellOpenN - line.qtyN) * 100;
    return keeps(up + (change?.buyQty ?? 0) * 100, up, l.nameXEquity * e) && keeps(down + (change?.sellQty ?? 0) * 100, down, l.nameXEquity * e);
  });
  return names && keeps(after.gross, before.gross, l.grossXEquity * e) && keeps(after.gross, before.gross, l.leverageX * (e - after.unsettled))
    && keeps(after.longNet, before.longNet, l.netXEquity * e) && keeps(-after.shortNet, -before.shortNet, l.netXEquity * e)
    && keeps(after.turnoverUsed, before.turnoverUsed, l.turnoverXEquityPerDay * e)
    && keeps(Math.sqrt(after.variance), Math.sqrt(before.variance), l.volatilityAnnual * e)
    && [...after.sectorGross].every(([sector, gross]) => keeps(gross, before.sectorGross.get(sector)!, l.sectorXEquity * e));
}

t.test('whatever comes out of a target is within every limit, and clip mode finds it', (t) => {
  let traded = 0;
  fc.assert(fc.property(positions, limits, target, (held, given, command) => {
    const state = deskOf(policyWith(given), held);
    const decision = decideTarget(command, state, FACTS);
    if (decision.legs.some(({ deltaQty }) => deltaQty !== 0n)) traded++;
    return isWithin(state, decision) && (command.target.mode === 'all_or_none' || decision.decision !== 'denied');
  }), { numRuns: 500 });
  t.ok(traded > 100, `${traded} of 500 trade`);
  t.end();
});

t.test('what is left of a target passes as it is', (t) => {
  fc.assert(fc.property(limits, target, (given, command) => {
    const state = deskOf(policyWith(given));
    const decision = decideTarget(command, state, FACTS);
    if (decision.decision === 'denied') return true;
    const left = Object.fromEntries(decision.legs.map(({ symbol, deltaQty }) => [symbol, { target: deltaQty }]));
    return decideTarget(targetOf(left, { basis: 'quantity', mode: 'all_or_none' }), state, FACTS).decision === 'accepted';
  }), { numRuns: 300 });
  t.end();
});

t.test('a leg in clip mode ends between its wish, where it is and nothing', (t) => {
  fc.assert(fc.property(positions, limits, target, (held, given, command) => {
    const state = deskOf(policyWith({ ...given, kelly: { fraction: 0.5, unratedWeight: 10, require: false } }), held);
    return decideTarget(command, state, FACTS).legs.every(({ symbol, requested, deltaQty }) => {
      const book = state.accounts.get('ACC1')!.lines.get(symbol)?.books.get('alpha-1');
      const present = toNumber(((book?.qty ?? 0n) + (book?.buyOpen ?? 0n) - (book?.sellOpen ?? 0n)) as Decimal);
      const equity = exposureOf(state.accounts.get('ACC1')!, state.policy!, NOW, 'planned').equity;
      const ends = [(toNumber(requested ?? ZERO) * equity) / 100, present, 0];
      const end = present + toNumber(deltaQty);
      return end >= Math.min(...ends) - 1e-6 && end <= Math.max(...ends) + 1e-6;
    });
  }), { numRuns: 300 });
  t.end();
});

t.test('missing any single fact denies', (t) => {
  const gone: Partial<SymbolFacts>[] = [{ bidPx: null }, { askPx: null }, { quoteAt: null }, { sigmaAnnual: null }, { advQty: null }];
  const rows: Facts[] = [
    ...gone.map((fact) => factsOf({ IBM: fact })), factsOf({}), factsOf({ IBM: {} }, { clockStepBackMs: null }),
    factsOf({ IBM: { advQty: NaN } }), factsOf({ IBM: { advQty: 0 } }), factsOf({ IBM: { sigmaAnnual: -1 } }),
  ];
  t.equal(decideOrder(orderOf(), deskOf(), factsOf({ IBM: {} })).decision, 'accepted');
  for (const facts of rows) {
    t.equal(decideOrder(orderOf(), deskOf(), facts).decision, 'denied');
    t.equal(decideTarget(targetOf({ IBM: '0.1' }), deskOf(), facts).decision, 'denied');
  }
  const unmarked = (): RiskState => deskOf(undefined, [{ symbol: 'S001', qty: '1', mark: null }]);
  t.equal(decideOrder(orderOf(), unmarked(), factsOf({ IBM: {} })).decision, 'denied');
  t.equal(decideOrder(orderOf({ account: 'ACC2' }), deskOf(), factsOf({ IBM: {} })).decision, 'denied', 'T2: no account, no order');
  t.end();
});

t.test('T1: under reducing nothing grows and nothing changes its sign; reductions pass Kelly', (t) => {
  fc.assert(fc.property(positions, order, (held, command) => {
    const require = policyWith({ kelly: { fraction: 0.5, unratedWeight: 0, require: true } });
    const state = flip(deskOf(require, held), { kind: 'account', id: 'ACC1' }, 'reducing');
    const { verdicts } = decideOrder(command, state, FACTS);
    const line = state.accounts.get('ACC1')!.lines.get(command.terms.symbol);
    const book = line?.books.get('alpha-1');
    const sign = command.terms.side === 'buy' ? 1n : -1n;
    const shrinks = (has: { qty: bigint; buyOpen: bigint; sellOpen: bigint } | undefined): boolean =>
      has !== undefined && sign * (has.qty + (sign === 1n ? has.buyOpen : -has.sellOpen) + sign * command.terms.orderQty) <= 0n;
    const outcome = (code: string): boolean => verdicts.find((verdict) => verdict.code === code)!.outcome === 'pass';
    const reduction = shrinks(line) && shrinks(book);
    return outcome('SWITCH_REDUCING') === reduction && (!reduction || outcome('KELLY_CAP'));
  }), { numRuns: 500 });
  t.end();
});

t.test('packed verdicts unpack to what was decided, also as a text', (t) => {
  const someFacts = fc.constantFrom(FACTS, factsOf({ IBM: { quoteAt: null } }));
  fc.assert(fc.property(positions, limits, order, target, someFacts, (held, given, command, wished, facts) => {
    const policy = policyWith(given);
    const sameUnpacked = <I>(list: CheckList<I>, verdicts: readonly Verdict[], symbol: string | null): void => {
      const packed = packVerdicts(list, verdicts, policy, symbol);
      t.same(unpackVerdicts(list, packed, policy, symbol), verdicts);
      t.equal(verdictsText(list, packed, policy, symbol), JSON.stringify(verdicts));
    };
    sameUnpacked(ORDER_CHECKS, decideOrder(command, deskOf(policy, held), facts).verdicts, command.terms.symbol);
    const whole = decideTarget(wished, deskOf(policy, held), facts);
    sameUnpacked(PORTFOLIO_CHECKS, whole.verdicts, null);
    for (const leg of whole.legs) sameUnpacked(LEG_CHECKS, leg.verdicts, leg.symbol);
  }), { numRuns: 60 });
  t.end();
});
