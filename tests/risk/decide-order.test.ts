import t from 'tap';
import { decideOrder } from '../../risk/decide.ts';
import type { OrderCommand } from '../../risk/decision.ts';
import type { OrderTerms } from '../../risk/domain/order.ts';
import { plusMs } from '../../risk/domain/time.ts';
import type { CheckCode, Verdict } from '../../risk/domain/verdict.ts';
import type { Facts } from '../../risk/facts.ts';
import type { Limits } from '../../risk/policy.ts';
import type { RiskState } from '../../risk/state.ts';
import type { QUOTE} from './desk.ts';
import { ATTRIBUTION, d, deskOf, factsOf, flip, NOW, orderOf, policyWith, type Position } from './desk.ts';

const IBM = factsOf({ IBM: {} });
const decide = (command: OrderCommand<OrderTerms>, state: RiskState, facts: Facts = IBM): ReturnType<typeof decideOrder> => decideOrder(command, state, facts);
const denials = (verdicts: readonly Verdict[]): CheckCode[] => verdicts.filter(({ outcome }) => outcome === 'deny').map(({ code }) => code);
const verdictOf = (verdicts: readonly Verdict[], code: CheckCode): Verdict => verdicts.find((verdict) => verdict.code === code)!;

t.test('each row repairs one defect of the row before; the first denial is the row\'s', (t) => {
  const halted = (): RiskState => flip(flip(deskOf(), { kind: 'firm', id: '*' }, 'halted'), { kind: 'instrument', id: 'IBM' }, 'reducing');
  const reducing = (): RiskState => flip(deskOf(), { kind: 'instrument', id: 'IBM' }, 'reducing');
  const refusing = policyWith({}, { strategies: deskOf().policy!.policy.strategies.map((entry) => ({ ...entry, subjects: ['desk-2'] })) });
  const worst = orderOf({ symbol: 'NONE', orderQty: d('0.5'), limitPx: d('110.001') }, { attribution: { ...ATTRIBUTION, desk: ' ' }, subject: 'desk-1' });
  const named = { ...worst, attribution: ATTRIBUTION };
  const known = orderOf({ orderQty: d('1000000.5'), limitPx: d('110.001') });
  const lots = orderOf({ orderQty: d('1000000'), limitPx: d('110.001') });
  const ticks = orderOf({ orderQty: d('1000000'), limitPx: d('110') });
  const collared = orderOf({ orderQty: d('1000000'), limitPx: d('105') });
  const small = orderOf({ orderQty: d('4000') });
  const none = factsOf({});
  const stale = factsOf({ IBM: { quoteAt: plusMs(NOW, -30_001), advQty: 100_000 } }, { clockStepBackMs: 1001 });
  const thin = factsOf({ IBM: { advQty: 100_000 } }, { clockStepBackMs: 1001 });
  const jumped = factsOf({ IBM: {} }, { clockStepBackMs: 1001 });
  const rows: readonly (readonly [CheckCode | null, OrderCommand<OrderTerms>, RiskState, Facts])[] = [
    ['SWITCH_HALTED', worst, halted(), none],
    ['SWITCH_REDUCING', { ...worst, terms: { ...worst.terms, symbol: 'IBM' } }, reducing(), none],
    ['ATTRIBUTION', worst, deskOf(refusing), none],
    ['PERMISSION', named, deskOf(refusing), none],
    ['UNKNOWN_INSTRUMENT', named, deskOf(), none],
    ['LOT_SIZE', known, deskOf(), none],
    ['TICK_SIZE', lots, deskOf(), none],
    ['FACT_MISSING', ticks, deskOf(), none],
    ['MARKET_DATA_STALE', ticks, deskOf(), stale],
    ['PRICE_COLLAR', ticks, deskOf(), thin],
    ['MAX_ORDER_NOTIONAL', collared, deskOf(), thin],
    ['MAX_ORDER_QTY', small, deskOf(), thin],
    ['NAME_EXPOSURE', small, deskOf(), jumped],
    ['CLOCK', orderOf(), deskOf(), jumped],
    [null, orderOf(), deskOf(), IBM],
  ];
  for (const [code, command, state, facts] of rows) {
    const decision = decide(command, state, facts);
    t.equal(denials(decision.verdicts)[0] ?? null, code, code ?? 'accepted');
    t.equal(decision.decision, code === null ? 'accepted' : 'denied');
    t.equal(decision.approved, code === null ? command.terms : null);
    t.equal(decision.verdicts.length, 23, 'every check runs');
  }
  t.end();
});

interface Row {
  readonly name: string;
  readonly code: CheckCode;
  readonly ok: boolean;
  readonly observed?: string;
  readonly terms?: Partial<OrderTerms>;
  readonly command?: Partial<OrderCommand<OrderTerms>>;
  readonly facts?: Facts;
  readonly limits?: Partial<Limits>;
  readonly held?: readonly Position[];
}
const quote = (given: Partial<typeof QUOTE>): Facts => factsOf({ IBM: given });

const ROWS: readonly Row[] = [
  { name: 'one lot', code: 'LOT_SIZE', ok: true, terms: { orderQty: d('1') }, observed: '1' },
  { name: 'half a lot', code: 'LOT_SIZE', ok: false, terms: { orderQty: d('0.5') } },
  { name: 'zero', code: 'LOT_SIZE', ok: false, terms: { orderQty: d('0') } },
  { name: 'negative', code: 'LOT_SIZE', ok: false, terms: { orderQty: d('-1') } },
  { name: 'a limit order without a price', code: 'TICK_SIZE', ok: false, terms: { limitPx: null }, observed: 'none' },
  { name: 'a market order without a price', code: 'TICK_SIZE', ok: true, terms: { type: 'market', limitPx: null } },
  { name: 'a negative price', code: 'TICK_SIZE', ok: false, terms: { limitPx: d('-100') } },
  { name: 'as old as allowed', code: 'MARKET_DATA_STALE', ok: true, facts: quote({ quoteAt: plusMs(NOW, -30_000) }), observed: '30000' },
  { name: 'a nanosecond older', code: 'MARKET_DATA_STALE', ok: false, facts: quote({ quoteAt: plusMs(NOW, -30_000.000001) }) },
  { name: '5 s ahead', code: 'MARKET_DATA_STALE', ok: true, facts: quote({ quoteAt: plusMs(NOW, 5000) }), observed: '-5000' },
  { name: 'further ahead', code: 'MARKET_DATA_STALE', ok: false, facts: quote({ quoteAt: plusMs(NOW, 5001) }) },
  { name: 'crossed', code: 'MARKET_DATA_STALE', ok: false, facts: quote({ bidPx: d('100.02') }), observed: 'crossed' },
  { name: 'locked', code: 'MARKET_DATA_STALE', ok: true, facts: quote({ bidPx: d('100.01') }) },
  { name: 'one-sided', code: 'FACT_MISSING', ok: false, facts: quote({ askPx: null }), observed: 'quote,exposure' },
  { name: 'a side at zero', code: 'FACT_MISSING', ok: false, facts: quote({ bidPx: d('0') }), observed: 'quote,exposure' },
  { name: 'at the upper collar', code: 'PRICE_COLLAR', ok: true, terms: { limitPx: d('105') }, observed: '500' },
  { name: 'a tick above', code: 'PRICE_COLLAR', ok: false, terms: { limitPx: d('105.01') }, observed: '501' },
  { name: 'at the lower collar, a buy too', code: 'PRICE_COLLAR', ok: true, terms: { limitPx: d('95') } },
  { name: 'a tick below', code: 'PRICE_COLLAR', ok: false, terms: { limitPx: d('94.99') } },
  { name: 'a negative price is far, not near', code: 'PRICE_COLLAR', ok: false, terms: { limitPx: d('-100') } },
  { name: 'T18: a market order in a wide market', code: 'PRICE_COLLAR', ok: false, terms: { type: 'market', limitPx: null },
    facts: quote({ bidPx: d('90'), askPx: d('110') }), observed: '1000' },
  { name: 'a market order in a narrow one', code: 'PRICE_COLLAR', ok: true, terms: { type: 'market', limitPx: null }, observed: '1' },
  { name: 'at the notional limit', code: 'MAX_ORDER_NOTIONAL', ok: true, terms: { orderQty: d('5000') }, observed: '500000' },
  { name: 'a lot above', code: 'MAX_ORDER_NOTIONAL', ok: false, terms: { orderQty: d('5001') }, observed: '500100' },
  { name: 'T2: a market order has the notional of the far touch', code: 'MAX_ORDER_NOTIONAL', ok: false,
    terms: { type: 'market', limitPx: null, orderQty: d('5000') }, observed: '500050' },
  { name: 'at the share of the volume', code: 'MAX_ORDER_QTY', ok: true, facts: quote({ advQty: 10_000 }), observed: '0.01' },
  { name: 'a lot above', code: 'MAX_ORDER_QTY', ok: false, facts: quote({ advQty: 10_000 }), terms: { orderQty: d('101') }, observed: '0.0101' },
  { name: 'at the name limit', code: 'NAME_EXPOSURE', ok: true, terms: { orderQty: d('2500') }, observed: '0.25' },
  { name: 'a lot above', code: 'NAME_EXPOSURE', ok: false, terms: { orderQty: d('2501') }, observed: '0.2501' },
  { name: 'open orders count', code: 'NAME_EXPOSURE', ok: false, held: [{ symbol: 'IBM', buyOpen: '2401' }] },
  { name: 'a reduction in a breach', code: 'NAME_EXPOSURE', ok: true, held: [{ symbol: 'IBM', qty: '4000' }], terms: { side: 'sell' } },
  { name: 'a flip from one breach to another', code: 'NAME_EXPOSURE', ok: false, held: [{ symbol: 'IBM', qty: '4000' }],
    terms: { side: 'sell', orderQty: d('6501') } },
  { name: 'the gross of all names', code: 'GROSS_EXPOSURE', ok: false, limits: { grossXEquity: 0.2 },
    held: [{ symbol: 'SPY', qty: '-1000' }, { symbol: 'BAC', qty: '950' }], observed: '0.205' },
  { name: 'a lot less', code: 'GROSS_EXPOSURE', ok: true, limits: { grossXEquity: 0.205 },
    held: [{ symbol: 'SPY', qty: '-1000' }, { symbol: 'BAC', qty: '950' }], observed: '0.205' },
  { name: 'what is sold counts until it is gone', code: 'GROSS_EXPOSURE', ok: false, limits: { grossXEquity: 0.1 },
    held: [{ symbol: 'SPY', qty: '1000', sellOpen: '1000' }] },
  { name: 'a short offsets no open buy', code: 'NET_EXPOSURE', ok: false, limits: { netXEquity: 0.1 },
    held: [{ symbol: 'SPY', qty: '1000', sellOpen: '500' }], observed: '0.11' },
  { name: 'from too long to less long', code: 'NET_EXPOSURE', ok: true, limits: { netXEquity: 0.1 }, held: [{ symbol: 'IBM', qty: '2000' }],
    terms: { side: 'sell' } },
  { name: 'from too long to too short', code: 'NET_EXPOSURE', ok: false, limits: { netXEquity: 0.1 }, held: [{ symbol: 'IBM', qty: '2000' }],
    terms: { side: 'sell', orderQty: d('3001') } },
  { name: 'at the sector limit', code: 'SECTOR_EXPOSURE', ok: true, limits: { sectorXEquity: 0.01 }, observed: '0.01' },
  { name: 'a lot above', code: 'SECTOR_EXPOSURE', ok: false, limits: { sectorXEquity: 0.01 }, terms: { orderQty: d('101') } },
  { name: 'at the leverage', code: 'LEVERAGE', ok: true, limits: { leverageX: 0.01 }, observed: '0.01' },
  { name: 'a lot above', code: 'LEVERAGE', ok: false, limits: { leverageX: 0.01 }, terms: { orderQty: d('101') } },
  { name: 'at the turnover', code: 'TURNOVER', ok: true, limits: { turnoverXEquityPerDay: 0.02 },
    held: [{ symbol: 'SPY', qty: '1000', sellOpen: '100' }], observed: '0.02' },
  { name: 'a lot above', code: 'TURNOVER', ok: false, limits: { turnoverXEquityPerDay: 0.02 }, held: [{ symbol: 'SPY', qty: '1000', sellOpen: '101' }] },
  { name: 'without a forecast', code: 'KELLY_CAP', ok: true, limits: { kelly: { fraction: 0.5, unratedWeight: 0.01, require: false } }, observed: '0.01' },
  { name: 'a lot above', code: 'KELLY_CAP', ok: false, limits: { kelly: { fraction: 0.5, unratedWeight: 0.01, require: false } },
    terms: { orderQty: d('101') } },
  { name: 'a forecast is required', code: 'KELLY_CAP', ok: false, limits: { kelly: { fraction: 0.5, unratedWeight: 0.2, require: true } } },
  { name: 'but not to reduce', code: 'KELLY_CAP', ok: true, limits: { kelly: { fraction: 0.5, unratedWeight: 0.2, require: true } },
    held: [{ symbol: 'IBM', qty: '100' }], terms: { side: 'sell' } },
  { name: 'volatility above the cap', code: 'VOLATILITY_CAP', ok: false, limits: { volatilityAnnual: 0.0001 } },
  { name: 'at the hard stop', code: 'DRAWDOWN_GOVERNOR', ok: false, held: [{ symbol: 'SPY', qty: '2000' }, { symbol: 'IBM', qty: '8000' }],
    facts: quote({ bidPx: d('75'), askPx: d('75') }), observed: '0.2' },
  { name: 'a reduction there', code: 'DRAWDOWN_GOVERNOR', ok: true, held: [{ symbol: 'SPY', qty: '2000' }, { symbol: 'IBM', qty: '8000' }],
    facts: quote({ bidPx: d('75'), askPx: d('75') }), terms: { side: 'sell' } },
  { name: 'ten times the notional', code: 'FAT_FINGER', ok: true, terms: { orderQty: d('50000') }, observed: '10' },
  { name: 'a lot above', code: 'FAT_FINGER', ok: false, terms: { orderQty: d('50001') } },
  { name: 'as far back as allowed', code: 'CLOCK', ok: true, facts: factsOf({ IBM: {} }, { clockStepBackMs: 1000 }), observed: '1000' },
  { name: 'further', code: 'CLOCK', ok: false, facts: factsOf({ IBM: {} }, { clockStepBackMs: 1000.001 }) },
];

t.test('at the limit, one step above, negative, absent, stale', (t) => {
  for (const row of ROWS) {
    const verdict = verdictOf(decide(orderOf(row.terms, row.command), deskOf(policyWith(row.limits), row.held), row.facts).verdicts, row.code);
    t.equal(verdict.outcome, row.ok ? 'pass' : 'deny', `${row.code}: ${row.name} (${verdict.observed ?? 'null'} of ${verdict.limit ?? 'null'})`);
    if (row.observed !== undefined) t.equal(verdict.observed, row.observed, `${row.code}: ${row.name}`);
  }
  t.end();
});

t.test('without a policy there is one verdict', (t) => {
  const decision = decide(orderOf(), deskOf(null));
  t.same(decision.verdicts, [{ code: 'FACT_MISSING', outcome: 'deny', observed: 'policy', limit: 'none', unit: 'none' }]);
  t.end();
});

t.test('attribution comes from the registration unless the order gives its own', (t) => {
  t.equal(decide(orderOf(), deskOf()).attribution?.algorithmId, 'ALGO0001');
  t.equal(decide(orderOf({}, { attribution: ATTRIBUTION }), deskOf()).attribution?.algorithmId, 'ALGO9');
  const unregistered = decide(orderOf({ strategy: 'alpha-9' }), deskOf());
  t.equal(unregistered.attribution, null);
  t.same(denials(unregistered.verdicts).slice(0, 2), ['ATTRIBUTION', 'PERMISSION']);
  t.end();
});

t.test('what is reserved for the order does not count twice', (t) => {
  const slice = orderOf({ orderQty: d('2500') }, { subject: null, reservedQty: d('2500') });
  const decision = decide(slice, deskOf(undefined, [{ symbol: 'IBM', buyOpen: '2500' }]));
  t.equal(decision.decision, 'accepted');
  t.equal(verdictOf(decision.verdicts, 'NAME_EXPOSURE').observed, '0.25');
  t.equal(verdictOf(decision.verdicts, 'PERMISSION').observed, 'parent');
  const tightened = deskOf(policyWith({ nameXEquity: 0.2 }), [{ symbol: 'IBM', buyOpen: '2500' }]);
  t.same(denials(decide(slice, tightened).verdicts), ['NAME_EXPOSURE'], 'a slice is judged by the limits in force at its release');
  t.end();
});

t.test('what is sent fits whatever fills first; what was not planned leaves room for the plans too', (t) => {
  const net = policyWith({ netXEquity: 0.1 });
  const facts = factsOf({ IBM: {}, BAC: {} });
  const plans = (sold: string): readonly Position[] => [
    { symbol: 'IBM', buyOpen: '1300', planned: true }, { symbol: 'SPY', qty: sold, sellOpen: String(400 + Number(sold)), planned: true },
  ];
  const slice = (qty: string): OrderCommand<OrderTerms> => orderOf({ orderQty: d(qty) }, { subject: null, reservedQty: d(qty) });
  const denied = (command: OrderCommand<OrderTerms>, sold: string): readonly string[] => denials(decide(command, deskOf(net, plans(sold)), facts).verdicts);
  t.same(denied(slice('1000'), '0'), []);
  t.same(denied(slice('1001'), '0'), ['NET_EXPOSURE'], 'the sale may never fill');
  t.same(denied(slice('1300'), '-400'), [], 'now it has');
  const direct = (qty: string): OrderCommand<OrderTerms> => orderOf({ symbol: 'BAC', orderQty: d(qty) });
  t.same(denied(direct('100'), '0'), [], 'the plans end at 0.09');
  t.same(denied(direct('101'), '0'), ['NET_EXPOSURE']);
  t.equal(verdictOf(decide(direct('100'), deskOf(net, plans('0')), facts).verdicts, 'NET_EXPOSURE').observed, '0.1');
  t.same(denials(decide(direct('1100'), deskOf(net, [{ symbol: 'SPY', sellOpen: '400', planned: true }]), facts).verdicts), ['NET_EXPOSURE'], 'a sale that is only planned makes no room');
  t.end();
});

t.test('T3: an amendment is judged on the order that it would become', (t) => {
  const state = deskOf(undefined, [{ symbol: 'IBM', buyOpen: '100' }]);
  const amended = (qty: string): readonly Verdict[] => decide(orderOf({ orderQty: d(qty) }, { reservedQty: d('100') }), state).verdicts;
  t.same(denials(amended('2500')), []);
  t.same(denials(amended('2501')), ['NAME_EXPOSURE', 'KELLY_CAP']);
  t.ok(denials(amended('5001')).includes('MAX_ORDER_NOTIONAL'));
  t.end();
});
