/** Answers on the wire: what the OpenAPI document promises, and what tests hold answers against. Every member is named. */
import { Type } from 'typebox';
import { ORDER_STATES, ORDER_TYPES, SIDES } from '../../../risk/domain/order.ts';
import { CHECK_CODES } from '../../../risk/domain/verdict.ts';
import { EDGE_CODES } from '../errors.ts';
import { nullable, STRICT } from './common.ts';

const Text = Type.String();
const TextOrNull = nullable(Text);
const Count = Type.Integer({ minimum: 0 });
export const listOf = <S extends Parameters<typeof Type.Array>[0]>(item: S) => Type.Object({ items: Type.Array(item) }, STRICT);

const UNITS = ['xEquity', 'currency', 'units', 'bps', 'ms', 'fraction', 'none'];
const VerdictView = Type.Object({
  code: Type.Enum([...CHECK_CODES]), outcome: Type.Enum(['pass', 'clip', 'deny', 'off']), observed: TextOrNull, limit: TextOrNull, unit: Type.Enum(UNITS),
}, STRICT);
const Verdicts = Type.Array(VerdictView);

const ReceiptView = Type.Object({ log: Text, seq: Count, hash: Text }, STRICT);
const PolicyView = Type.Object({ id: Text, version: Type.Integer(), hash: Text }, STRICT);
const Decision = Type.Enum(['accepted', 'clipped', 'denied']);

const LegView = Type.Object({ symbol: Text, requested: TextOrNull, allowed: Text, deltaQty: Text, clOrdId: TextOrNull, verdicts: Verdicts }, STRICT);
const TARGET = { targetId: Text, decision: Decision, receipt: nullable(ReceiptView), policy: PolicyView, verdicts: Verdicts, legs: Type.Array(LegView) };
export const TargetView = Type.Object(TARGET, STRICT);

/** `opportunity`, and with it the whole, is null where nobody has quoted a price for what was not done. */
const ShortfallView = Type.Object({
  delay: Text, spread: Text, impact: Text, opportunity: TextOrNull, fees: Text, total: TextOrNull, bps: nullable(Type.Number()),
}, STRICT);
const ParentView = Type.Object({
  clOrdId: Text, symbol: Text, side: Type.Enum([...SIDES]), orderQty: Text, cumQty: Text, leavesQty: Text, arrivalPx: TextOrNull,
  state: Type.Enum(['working', 'filled', 'withdrawn', 'superseded', 'expired', 'canceled', 'rejected', 'denied']), children: Count,
  shortfall: nullable(ShortfallView),
}, STRICT);
export const TargetProgressView = Type.Object({
  ...TARGET, account: Text, strategy: Text, asOf: Text, decidedAt: Text, horizonSeconds: Type.Number(), parents: Type.Array(ParentView), done: Type.Boolean(),
}, STRICT);
export const TargetLineView = Type.Object({
  targetId: Text, account: Text, strategy: Text, decision: Decision, seq: Count, parents: Count, open: Count,
}, STRICT);
export const WithdrawnView = Type.Object({ targetId: Text, state: Type.Enum(['withdrawn', 'done']), receipt: nullable(ReceiptView) }, STRICT);

const ORDER = {
  clOrdId: Text, parent: Text, symbol: Text, side: Type.Enum([...SIDES]), orderQty: Text, cumQty: Text, leavesQty: Text, avgPx: TextOrNull,
  state: Type.Enum([...ORDER_STATES]), venue: TextOrNull, type: Type.Enum([...ORDER_TYPES]), receipt: nullable(ReceiptView), verdicts: Verdicts,
};
export const OrderDecidedView = Type.Object({ ...ORDER, decision: Decision, policy: PolicyView }, STRICT);
export const OrderView = Type.Object({ ...ORDER, account: Text, strategy: Text, targetId: TextOrNull, limitPx: TextOrNull, seq: Count }, STRICT);
export const OrdersView = Type.Object({ items: Type.Array(OrderView), next: nullable(Count) }, STRICT);
export const CancelView = Type.Object({ clOrdId: Text, state: Type.Enum([...ORDER_STATES]), receipt: nullable(ReceiptView) }, STRICT);

export const AccountView = Type.Object({
  account: Text, currency: Text, equity: TextOrNull, cash: Text, peak: Text, unsettledCash: Text, drawdown: TextOrNull, governor: TextOrNull, markedAt: Text,
}, STRICT);
export const PositionView = Type.Object({ symbol: Text, qty: Text, avgPx: TextOrNull, mark: TextOrNull, notional: TextOrNull }, STRICT);
export const LimitView = Type.Object({
  account: Text, code: Type.Enum([...CHECK_CODES]), observed: Text, limit: Text, headroom: Text, utilisation: TextOrNull, unit: Type.Enum(UNITS),
}, STRICT);
export const InstrumentView = Type.Object({
  symbol: Text, name: Text, sector: Text, assetClass: Type.Enum(['equity', 'crypto']), currency: Text, lotSize: Text, tickSize: Text, settlementDays: Count,
  referencePx: Text, advQty: Type.Number(), sigmaAnnual: Type.Number(), beta: Type.Number(), spreadBps: Type.Number(),
}, STRICT);

const ScopeView = Type.Object({ kind: Type.Enum(['firm', 'venue', 'account', 'strategy', 'trader', 'instrument']), id: Text }, STRICT);
const SwitchState = Type.Enum(['active', 'reducing', 'halted']);
export const SwitchView = Type.Object({ scope: ScopeView, state: SwitchState, since: Text, by: Text, reason: Text }, STRICT);
const FLIP = { scope: ScopeView, state: SwitchState, receipt: nullable(ReceiptView), cancels: Type.Object({ requested: Count, acknowledged: Count }, STRICT) };
/** Without `previous` where the flip stands in the emergency log alone. */
export const FlipView = Type.Object({ ...FLIP, previous: Type.Optional(SwitchState) }, STRICT);
export const FlipPreviewView = Type.Object({ ...FLIP, previous: SwitchState, orders: Type.Array(Text) }, STRICT);
export const ApprovalIdView = Type.Object({ approvalId: Text, receipt: nullable(ReceiptView) }, STRICT);
export const ApprovalView = Type.Object({
  id: Text, action: Text, scope: ScopeView, from: SwitchState, to: SwitchState, engagement: Count, reason: Text, hash: Text,
  state: Type.Enum(['pending', 'given', 'refused', 'void', 'expired']), requestedBy: Text, expiresAt: Text,
}, STRICT);
export const ApprovalAnswerView = Type.Object({
  approvalId: Text, state: Type.Enum(['given', 'refused']), scope: ScopeView, receipt: nullable(ReceiptView),
}, STRICT);

export const RecordsView = Type.Object({ items: Type.Array(Type.Object({ canonical: Text, hash: Text }, STRICT)), next: nullable(Count) }, STRICT);
export const InclusionView = Type.Object({ seq: Count, size: Count, hashes: Type.Array(Text) }, STRICT);
export const ConsistencyView = Type.Object({ from: Count, to: Count, hashes: Type.Array(Text) }, STRICT);
export const TextView = Type.String();
export const LiveView = Type.Object({ live: Type.Boolean() }, STRICT);
export const ReadyView = Type.Object({ ready: Type.Boolean(), now: Text, head: Type.Integer(), waitingFor: Type.Optional(Text) }, STRICT);
/** The OpenAPI document itself. */
export const DocumentView = Type.Object({});

/** RFC 9457. A denial names what was denied, and under which policy. */
export const ProblemView = Type.Object({
  type: Text, title: Text, status: Type.Integer(), detail: Text, code: Type.Enum([...EDGE_CODES]), verdicts: Type.Optional(Verdicts),
  receipt: Type.Optional(nullable(ReceiptView)), policy: Type.Optional(PolicyView), targetId: Type.Optional(Text), legs: Type.Optional(Type.Array(LegView)),
  clOrdId: Type.Optional(Text),
}, STRICT);
