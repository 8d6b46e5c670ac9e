/** Answers on the wire: what the OpenAPI document promises, and what tests hold answers against. */
import { Type } from 'typebox';
import { ORDER_STATES, ORDER_TYPES, SIDES } from '../../../risk/domain/order.ts';
import { CHECK_CODES } from '../../../risk/domain/verdict.ts';
import { EDGE_CODES } from '../errors.ts';
import { nullable, STRICT } from './common.ts';

const VerdictView = Type.Object({
  code: Type.Enum([...CHECK_CODES]),
  outcome: Type.Enum(['pass', 'clip', 'deny', 'off']),
  observed: nullable(Type.String()),
  limit: nullable(Type.String()),
  unit: Type.Enum(['xEquity', 'currency', 'units', 'bps', 'ms', 'fraction', 'none']),
}, STRICT);
const Verdicts = Type.Array(VerdictView);

const ReceiptView = Type.Object({ log: Type.String(), seq: Type.Integer({ minimum: 0 }), hash: Type.String() }, STRICT);
const PolicyView = Type.Object({ id: Type.String(), version: Type.Integer(), hash: Type.String() });

const LegView = Type.Object({
  symbol: Type.String(),
  requested: nullable(Type.String()),
  allowed: Type.String(),
  deltaQty: Type.String(),
  clOrdId: nullable(Type.String()),
  verdicts: Verdicts,
});
export const TargetView = Type.Object({
  targetId: Type.String(),
  decision: Type.Enum(['accepted', 'clipped', 'denied']),
  receipt: nullable(ReceiptView),
  policy: PolicyView,
  verdicts: Verdicts,
  legs: Type.Array(LegView),
});
export const OrderView = Type.Object({
  clOrdId: Type.String(),
  parent: Type.String(),
  symbol: Type.String(),
  side: Type.Enum([...SIDES]),
  orderQty: Type.String(),
  cumQty: Type.String(),
  leavesQty: Type.String(),
  avgPx: nullable(Type.String()),
  state: Type.Enum([...ORDER_STATES]),
  venue: nullable(Type.String()),
  type: Type.Enum([...ORDER_TYPES]),
  receipt: nullable(ReceiptView),
  verdicts: Verdicts,
});
export const PositionView = Type.Object({
  symbol: Type.String(), qty: Type.String(), avgPx: nullable(Type.String()), mark: nullable(Type.String()), notional: nullable(Type.String()),
});
export const SwitchView = Type.Object({
  scope: Type.Object({ kind: Type.String(), id: Type.String() }, STRICT), state: Type.String(), since: Type.String(), by: Type.String(), reason: Type.String(),
});
export const FlipView = Type.Object({
  receipt: nullable(ReceiptView), cancels: Type.Object({ requested: Type.Integer(), acknowledged: Type.Integer() }),
});
export const ApprovalIdView = Type.Object({ approvalId: Type.String() });
export const RecordsView = Type.Object({
  items: Type.Array(Type.Object({ canonical: Type.String(), hash: Type.String() }, STRICT)), next: nullable(Type.Integer()),
}, STRICT);
export const InclusionView = Type.Object({ seq: Type.Integer(), size: Type.Integer(), hashes: Type.Array(Type.String()) }, STRICT);
export const ConsistencyView = Type.Object({ from: Type.Integer(), to: Type.Integer(), hashes: Type.Array(Type.String()) }, STRICT);
export const TextView = Type.String();
export const LiveView = Type.Object({ live: Type.Boolean() }, STRICT);
export const ReadyView = Type.Object({ ready: Type.Boolean(), now: Type.String(), head: Type.Integer(), waitingFor: Type.Optional(Type.String()) }, STRICT);
/** An object whose members the house may add to. */
export const OpenView = Type.Object({});
export const listOf = <S extends Parameters<typeof Type.Array>[0]>(item: S) => Type.Object({ items: Type.Array(item) });

export const ProblemView = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.Enum([...EDGE_CODES]),
  verdicts: Type.Optional(Verdicts),
  receipt: Type.Optional(nullable(ReceiptView)),
});
