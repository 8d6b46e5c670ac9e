import { draft } from '../../compliance/records.ts';
import { workingChild } from '../../execution/parents.ts';
import { isOpen } from '../../execution/order-state.ts';
import { findChild, findParent, type Child, type Parent } from '../../execution/state.ts';
import { decideOrder } from '../../risk/decide.ts';
import type { Decimal } from '../../risk/domain/decimal.ts';
import type { ChildOrder } from '../../risk/domain/order.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor, Draft, LogRecord } from '../../risk/domain/record.ts';
import type { OrderDecided } from '../../risk/records.ts';
import { recordInAnyCase } from '../emergency.ts';
import { readFacts } from '../facts.ts';
import { findOrder, idOf, type House } from '../house.ts';
import { cancelBody, cancelDrafts, sendCancels } from './cancel.ts';
import { decidedSeqOf } from './recall.ts';
import { sendOrWithhold } from './send.ts';
import { directSlice, orderDecided } from './submit-order.ts';
import { withdrawnDrafts } from './withdraw.ts';

export interface Amendment {
  readonly actor: Actor;
  readonly account: string;
  readonly clOrdId: string;
  readonly orderQty: Decimal | null;
  readonly limitPx: Decimal | null;
  readonly requestHash: string;
}
export type AmendAnswer =
  | { readonly outcome: 'decided'; readonly decided: LogRecord<string, OrderDecided>; readonly receipt: Receipt }
  | { readonly outcome: 'unknown' | 'done' | 'busy' };

/** A direct order that still works, with the child that works it. */
function workingOrder(house: House, account: string, clOrdId: string): { readonly parent: Parent; readonly child: Child } | null {
  const parent = findOrder(house, account, clOrdId);
  const child = parent === null ? null : workingChild(parent);
  return parent === null || child === null ? null : { parent, child };
}

/** The venue has said that it has the order, and nothing else is under way with it. */
const isReplaceable = ({ state }: Child): boolean => state === 'new' || state === 'partially_filled';

/** Why nothing can be amended under an id: it was never decided; or it is done, or is a target's. */
async function absence(house: House, account: string, clOrdId: string): Promise<'unknown' | 'done'> {
  if (findNamed(house, account, clOrdId) !== null) return 'done';
  return (await decidedSeqOf(house, 'order', account, clOrdId)) === null ? 'unknown' : 'done';
}

/** A venue replaces only what it has acknowledged. So long its word is waited for on an order, or a replacement, that was sent just now. */
const WORD_WITHIN_MS = 1_000;

/** Quantity or price of a working order, judged on the order it would become: a cancel/replace under a new id of ours. */
export async function amendOrder(house: House, amendment: Amendment): Promise<AmendAnswer> {
  // read
  const { actor, account, clOrdId } = amendment;
  const onItsWay = workingOrder(house, account, clOrdId)?.child;
  if (onItsWay?.state === 'pending') await house.heardOf(onItsWay.order.clOrdId, WORD_WITHIN_MS);
  const working = workingOrder(house, account, clOrdId);
  if (working === null) return { outcome: await absence(house, account, clOrdId) };
  if (!house.admits()) return { outcome: 'busy' };
  const { parent, child } = working;
  const { order } = child;
  const orderQty = amendment.orderQty ?? order.orderQty;
  if (orderQty <= child.cumQty || !isReplaceable(child)) return { outcome: 'done' };
  const limitPx = amendment.limitPx ?? order.limitPx;
  const facts = readFacts(house, [order.symbol]);
  const seq = house.journal.nextSeq;
  const becomes: ChildOrder = { ...order, clOrdId: idOf(house.journal.log, seq + 1), origClOrdId: order.clOrdId, orderQty, limitPx };

  // decide: of the order it would become, the books already hold the order as it is
  const { attribution } = parent;
  const command = { terms: becomes, subject: actor.id, attribution, forecast: null, venue: order.venue, reservedQty: order.orderQty };
  const decision = decideOrder(command, house.state.risk, facts);

  // record
  const decided = orderDecided(house, { actor, clOrdId, terms: becomes, attribution, requestHash: amendment.requestHash }, parent.id, decision, facts, true);
  const drafts: Draft[] = [draft('order.decided', actor, parent.decidedSeq, decided)];
  if (decision.decision === 'accepted') drafts.push(draft('slice.released', actor, 'first', directSlice(becomes)));
  const { records, durable } = house.journal.append(drafts, facts.now);
  const [receipt, sliceReceipt] = await durable;

  // act
  if (decision.decision === 'accepted') sendOrWithhold(house, decision.approved, sliceReceipt as Receipt);
  return { outcome: 'decided', decided: records[0] as LogRecord<string, OrderDecided>, receipt: receipt as Receipt };
}

export type CancelAnswer = { readonly outcome: 'requested'; readonly receipt: Receipt | null } | { readonly outcome: 'unknown' | 'done' };

/** A cancel always passes, and works also while the log cannot be written. A target's leg ends with it; a slice ends alone, and its leg goes on. */
export async function cancelOrder(house: House, { actor, account, clOrdId }: Pick<Amendment, 'actor' | 'account' | 'clOrdId'>): Promise<CancelAnswer> {
  // read
  let named = findNamed(house, account, clOrdId);
  if (named === null) {
    const outcome = await absence(house, account, clOrdId);
    named = findNamed(house, account, clOrdId); // it may have been decided meanwhile
    if (named === null) return { outcome };
  }
  const { parent, children } = named;
  const open = children.filter(({ state }) => isOpen(state));
  const endsLeg = parent.id === clOrdId && parent.targetId !== null && parent.end === null;
  if (open.length === 0 && !endsLeg) return { outcome: 'done' };

  // record: of an order and the one that is to replace it, either may be the one that works
  const reason = 'asked by the strategy';
  const cancels = open.map((child) => cancelBody(child, reason));
  const withdrawn = endsLeg ? withdrawnDrafts([parent], { actor, reason, cause: parent.decidedSeq }) : [];
  const drafts = [...withdrawn, ...cancelDrafts(cancels, endsLeg ? 'first' : parent.decidedSeq, actor)];
  const receipt = await recordInAnyCase(house, drafts);

  // act
  sendCancels(house, cancels);
  return { outcome: 'requested', receipt };
}

/** An order by its caller's id or by ours, with all its children; or one of its slices alone. */
function findNamed(house: House, account: string, id: string): { readonly parent: Parent; readonly children: readonly Child[] } | null {
  const { execution } = house.state;
  const whole = findOrder(house, account, id) ?? findParent(execution, id);
  if (whole !== null) return whole.account === account ? { parent: whole, children: whole.children } : null;
  const slice = findChild(execution, id);
  const parent = slice === null ? null : findParent(execution, slice.order.parent);
  return slice === null || parent?.account !== account ? null : { parent, children: [slice] };
}
