/**
 * The execution room's part of the fold: it copies what records say into parents, children and targets, and moves the books of the
 * risk room by what was filled and by the difference of what is reserved. It decides nothing.
 */
import { accountOf, applyFill, setMark } from '../risk/books.ts';
import { absolute, add, maximum, multiply, parseDecimal, subtract, ZERO, type Decimal } from '../risk/domain/decimal.ts';
import type { ChildOrder } from '../risk/domain/order.ts';
import type { LogRecord } from '../risk/domain/record.ts';
import { instant, type Ns } from '../risk/domain/time.ts';
import type { SymbolFactsJson } from '../risk/facts.ts';
import type { RiskRecords } from '../risk/records.ts';
import type { RiskState } from '../risk/state.ts';
import { isOpen, transition, type OrderEvent } from './order-state.ts';
import { endParent, settleParent, settleTarget } from './parents.ts';
import type { ExecutionRecords, OrderFilled, OrderRejected, OrderReplaced, SliceReleased } from './records.ts';
import { nearestProduct } from './shortfall.ts';
import { findChild, findParent, IDS_GENERATION, IDS_GENERATION_NS, isRepeat, orderKey, targetKey } from './state.ts';
import type { Child, ExecutionState, Parent } from './state.ts';
import { keep } from './window.ts';

type Folded = ExecutionRecords & Pick<RiskRecords, 'target.decided' | 'leg.decided' | 'target.withdrawn' | 'order.decided'>;
export type ExecutionKind = keyof Folded;

/** The two states that a record may change, and when. */
interface Into {
  readonly state: ExecutionState;
  readonly risk: RiskState;
  readonly at: Ns;
}
type Folds = { readonly [K in ExecutionKind]: (into: Into, record: LogRecord<K, Folded[K]>) => void };

const FOLDS: Folds = {
  'target.decided': decideTarget,
  'leg.decided': decideLeg,
  'target.withdrawn': (into, { body }) => {
    for (const id of body.parents) withdraw(into, id, 'withdrawn');
  },
  'order.decided': decideOrder,
  'slice.released': release,
  'slice.withheld': (into, { body }) => {
    const parent = liveParent(into, body.parent);
    if (body.due !== null) parent.lastDue = instant(body.due);
    if (body.clOrdId !== null) move(childOf(parent, body.clOrdId), body.why === 'canceled' ? 'canceled' : 'withheld');
    settleParent(into.state, into.risk, parent, into.at);
  },
  'cancel.requested': (into, { body }) => {
    apply(into, body, 'cancelRequested');
  },
  'order.acknowledged': (into, { body }) => {
    report(into, body, 'acknowledged');
  },
  'order.filled': fill,
  'order.canceled': (into, { body }) => {
    report(into, body, 'canceled', parseDecimal(body.cumQty));
  },
  'order.expired': (into, { body }) => {
    report(into, body, 'expired', parseDecimal(body.cumQty));
  },
  'order.replaced': replace,
  'order.rejected': reject,
  'order.unknown': (into, { body }) => {
    apply(into, body, 'lost');
  },
  'break.found': (into, { body }) => {
    arrive(into, body.venue, body.sourceSeq);
  },
  'parent.expired': (into, { body }) => {
    const parent = liveParent(into, body.parent);
    endParent(parent, 'expired', into.at, decimalOrNull(body.endPx));
    settleParent(into.state, into.risk, parent, into.at);
  },
};

export const EXECUTION_KINDS = Object.keys(FOLDS) as readonly ExecutionKind[];
const isExecutionKind = (kind: string): kind is ExecutionKind => Object.hasOwn(FOLDS, kind);

/**
 * Folds one record into both states; kinds of other rooms change nothing. Throws RangeError for what no correct log holds: a version
 * that no upcaster reads, a repeat of a venue's report, a child without a parent. A start on such a log must stop.
 */
export function foldExecution(state: ExecutionState, risk: RiskState, record: LogRecord): void {
  if (!isExecutionKind(record.kind)) return;
  if (record.v !== 1) throw new RangeError(`${record.kind} of version ${record.v} is not known to this build`);
  const fold = FOLDS[record.kind] as (into: Into, record: LogRecord) => void;
  fold({ state, risk, at: record.at }, record);
}

function decideTarget({ state, at }: Into, { seq, body }: LogRecord<'target.decided', Folded['target.decided']>): void {
  const { targetId, account, strategy, decision, legs, attribution } = body;
  remember(state, targetKey(account, targetId), seq, at);
  const target = { targetId, account, strategy, seq, decision, attribution, legsToCome: legs, open: 0, parents: [] };
  state.targets.set(targetKey(account, targetId), target);
  settleTarget(state, target);
}

function decideLeg(into: Into, { seq, body }: LogRecord<'leg.decided', Folded['leg.decided']>): void {
  const { state, risk, at } = into;
  const target = state.targets.get(targetKey(body.account, body.targetId));
  if (target === undefined) throw new RangeError('a leg without its target');
  for (const id of body.withdraws) withdraw(into, id, 'superseded');
  target.legsToCome -= 1;
  if (body.clOrdId === null) {
    settleTarget(state, target);
    return;
  }
  target.open += 1;
  target.parents.push(body.clOrdId);
  const deltaQty = parseDecimal(body.deltaQty);
  const { schedule } = body;
  const side = deltaQty < 0n ? 'sell' : 'buy';
  const { attribution } = target;
  const forecast = { mu: body.mu, sigma: body.sigma };
  const own = { id: body.clOrdId, clOrdId: null, targetId: body.targetId, attribution, forecast, side, asked: null, orderQty: absolute(deltaQty), schedule } as const;
  const parent = newParent(body, seq, at, own);
  state.parents.set(parent.id, parent);
  value(risk, parent, parent.arrivalPx);
  settleParent(state, risk, parent, at);
}

/** What a decision reserves is valued at the mid that it saw, until the account is marked. */
function value(risk: RiskState, { account, symbol }: Parent, mid: Decimal | null): void {
  if (mid !== null) setMark(accountOf(risk, account), symbol, mid);
}

/** An amendment changes nothing by itself: its `slice.released` does, and then the venue. */
function decideOrder({ state, risk, at }: Into, { seq, body }: LogRecord<'order.decided', Folded['order.decided']>): void {
  if (body.amends) return;
  remember(state, orderKey(body.account, body.clOrdId), seq, at);
  const { parent: id, clOrdId, attribution, side } = body;
  const asked = body.decision === 'denied' ? { type: body.type, limitPx: decimalOrNull(body.limitPx) } : null;
  const own = { id, clOrdId, targetId: null, attribution, forecast: null, side, asked, orderQty: parseDecimal(body.orderQty), schedule: [] } as const;
  const parent = newParent(body, seq, at, own);
  if (body.decision === 'denied') endParent(parent, 'denied', at);
  else value(risk, parent, parent.arrivalPx);
  state.parents.set(parent.id, parent);
  settleParent(state, risk, parent, at);
}

type Own = Pick<Parent, 'id' | 'clOrdId' | 'targetId' | 'attribution' | 'forecast' | 'side' | 'asked' | 'orderQty' | 'schedule'>;

/** One literal for both kinds of parent, so that all have one shape. */
function newParent(body: Folded['leg.decided'] | Folded['order.decided'], seq: number, at: Ns, own: Own): Parent {
  return {
    id: own.id, clOrdId: own.clOrdId, targetId: own.targetId, account: body.account, strategy: body.strategy, attribution: own.attribution,
    forecast: own.forecast, symbol: body.symbol, side: own.side, asked: own.asked, orderQty: own.orderQty, decidedSeq: seq, decidedAt: at,
    arrivalPx: decimalOrNull(body.arrivalPx), halfSpread: halfOf(body.facts, subtract),
    schedule: own.schedule, expireAt: body.expireAt === null ? null : instant(body.expireAt), lastDue: null, cumQty: ZERO, cost: ZERO, releaseCost: ZERO,
    fees: ZERO, reserved: ZERO, planned: ZERO, end: null, children: [],
  };
}

function withdraw({ state, risk, at }: Into, id: string, reason: 'withdrawn' | 'superseded'): void {
  const parent = state.parents.get(id);
  if (parent === undefined) return; // It finished before: nothing was left to withdraw.
  endParent(parent, reason, at);
  settleParent(state, risk, parent, at);
}

function release(into: Into, { seq, body }: LogRecord<'slice.released', SliceReleased>): void {
  const parent = liveParent(into, body.parent);
  const replaces = body.origClOrdId === null ? null : childOf(parent, body.origClOrdId);
  const child: Child = {
    order: orderOf(body), seq, arm: body.arm, releaseMid: body.facts === null ? parent.arrivalPx : halfOf(body.facts, add),
    chain: replaces?.chain ?? body.clOrdId, state: 'pending', acceptedAt: null, cumQty: replaces?.cumQty ?? ZERO,
    cost: replaces?.cost ?? ZERO, execIds: [], toldQty: replaces?.toldQty ?? ZERO, endedCumQty: null,
  };
  parent.children.push(child);
  into.state.children.set(body.clOrdId, child);
  if (body.due !== null) parent.lastDue = instant(body.due);
  settleParent(into.state, into.risk, parent, into.at);
}

function orderOf(body: SliceReleased): ChildOrder {
  const { clOrdId, origClOrdId, parent, account, strategy, symbol, side, type, tif, participation, venue } = body;
  return {
    clOrdId, origClOrdId, parent, account, strategy, symbol, side, type, tif, participation, venue,
    orderQty: parseDecimal(body.orderQty), limitPx: decimalOrNull(body.limitPx), expireAt: body.expireAt === null ? null : instant(body.expireAt),
  };
}

/** The books take every fill, also of a parent that nobody remembers: what was traded is ours. */
function fill(into: Into, { body }: LogRecord<'order.filled', OrderFilled>): void {
  const { account, strategy, symbol, side } = body;
  const lastQty = parseDecimal(body.lastQty);
  const lastPx = parseDecimal(body.lastPx);
  const fee = parseDecimal(body.fee);
  arrive(into, body.venue, body.sourceSeq);
  applyFill(accountOf(into.risk, account), {
    strategy, symbol, side, lastQty, lastPx, fee, at: into.at, settlesAt: body.settlesAt === null ? null : instant(body.settlesAt),
  });
  const parent = findParent(into.state, body.parent);
  if (parent === null) return;
  const child = childOf(parent, body.clOrdId);
  child.acceptedAt ??= instant(body.venueAt);
  const counted = { toldQty: parseDecimal(body.cumQty), lastQty, cost: multiply(lastQty, lastPx) };
  for (const other of parent.children) if (other.chain === child.chain && other.seq >= child.seq) count(other, counted);
  child.execIds.push(body.execId);
  if (child.state !== 'filled') move(child, child.cumQty >= child.order.orderQty ? 'filled' : 'partiallyFilled');
  parent.cumQty = add(parent.cumQty, lastQty);
  parent.cost = add(parent.cost, counted.cost);
  parent.releaseCost = add(parent.releaseCost, nearestProduct(lastQty, child.releaseMid ?? parent.arrivalPx ?? lastPx));
  parent.fees = add(parent.fees, fee);
  settleParent(into.state, into.risk, parent, into.at);
}

/** A fill of an order counts for those that replace it too, and may be the last that such a one waits for. */
function count(child: Child, fill: Pick<Child, 'toldQty' | 'cost'> & { readonly lastQty: Decimal }): void {
  child.cumQty = add(child.cumQty, fill.lastQty);
  child.cost = add(child.cost, fill.cost);
  child.toldQty = maximum(child.toldQty, fill.toldQty);
  if (child.acceptedAt !== null && isOpen(child.state) && child.cumQty >= child.order.orderQty) move(child, 'filled');
}

function replace(into: Into, { body }: LogRecord<'order.replaced', OrderReplaced>): void {
  const parent = findParent(into.state, body.parent);
  if (parent !== null) {
    move(childOf(parent, body.origClOrdId), 'replaced');
    // The wish of a direct order is its order; a target's leg wishes what it wished, however its slices are re-priced.
    if (parent.clOrdId !== null) parent.orderQty = childOf(parent, body.clOrdId).order.orderQty;
  }
  const child = parent === null ? null : childOf(parent, body.clOrdId);
  const told = parseDecimal(body.cumQty);
  const leavesNothing = child !== null && told >= child.order.orderQty; // fills have overtaken the smaller total: nothing more will be said of it
  report(into, body, 'acknowledged', leavesNothing ? told : null);
  if (parent === null || child === null || !leavesNothing) return;
  move(child, 'filled');
  settleParent(into.state, into.risk, parent, into.at);
}

/**
 * A refused replacement is an order of its own that ended; a refused cancel leaves the order at work. Two refusals change nothing: of an
 * order that the venue has accepted, for it speaks of a second arrival; of a cancel that came before its order, which is still asked for.
 */
function reject(into: Into, { body }: LogRecord<'order.rejected', OrderRejected>): void {
  const isAccepted = (findChild(into.state, body.clOrdId)?.acceptedAt ?? null) !== null;
  const isOfCancel = body.of === 'cancel';
  if (isAccepted === isOfCancel) report(into, body, isOfCancel ? 'cancelRejected' : 'rejected');
  else arrive(into, body.venue, body.sourceSeq);
}

type Named = Pick<OrderRejected, 'parent' | 'clOrdId'>;

/** A venue's report: counted once, then applied. */
function report(into: Into, body: Named & Pick<OrderRejected, 'venue' | 'venueAt' | 'sourceSeq'>, event: OrderEvent, endedCumQty: Decimal | null = null): void {
  arrive(into, body.venue, body.sourceSeq);
  apply(into, body, event, endedCumQty, event === 'acknowledged' ? instant(body.venueAt) : null);
}

function apply(into: Into, body: Named, event: OrderEvent, endedCumQty: Decimal | null = null, acceptedAt: Ns | null = null): void {
  const parent = findParent(into.state, body.parent);
  if (parent === null) return; // Finished long ago: a late word about it changes nothing here.
  const child = childOf(parent, body.clOrdId);
  child.acceptedAt ??= acceptedAt;
  child.endedCumQty = endedCumQty ?? child.endedCumQty;
  move(child, event);
  settleParent(into.state, into.risk, parent, into.at);
}

function move(child: Child, event: OrderEvent): void {
  child.state = transition(child.state, event, child.cumQty > 0n).state;
}

function arrive({ state }: Into, venue: string, sourceSeq: number): void {
  if (isRepeat(state, venue, sourceSeq)) throw new RangeError(`report ${sourceSeq} of ${venue} is in the log twice`);
  if (sourceSeq !== 0) state.venues.set(venue, sourceSeq);
}

function liveParent({ state }: Into, id: string): Parent {
  const parent = state.parents.get(id);
  if (parent === undefined) throw new RangeError('a record of a parent that is not live');
  return parent;
}

function childOf(parent: Parent, clOrdId: string): Child {
  const child = parent.children.find(({ order }) => order.clOrdId === clOrdId);
  if (child === undefined) throw new RangeError('a record of a child that was never released');
  return child;
}

/** A generation of ids is full after two days, or when it is too large: by the record's time, so at replay as it was live. */
function remember(state: ExecutionState, key: string, seq: number, at: Ns): void {
  const forgets = keep(state.ids, key, seq, ({ size }) => size >= IDS_GENERATION || (size > 0 && at - state.idsSince > IDS_GENERATION_NS));
  if (state.ids.young.size === 1) state.idsSince = at;
  state.forgotten ||= forgets;
}

const decimalOrNull = (text: string | null): Decimal | null => (text === null ? null : parseDecimal(text));

/** Half the sum of bid and ask is the mid, half the difference the half spread; null without both sides. */
function halfOf({ bidPx, askPx }: SymbolFactsJson, of: (a: Decimal, b: Decimal) => Decimal): Decimal | null {
  return bidPx === null || askPx === null ? null : ((of(parseDecimal(askPx), parseDecimal(bidPx)) / 2n) as Decimal);
}
