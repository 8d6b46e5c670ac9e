/** Orders in API form. */
import { contentHash } from '../../compliance/canonical.ts';
import { childLeavesOf, leavesOf, standingChild } from '../../execution/parents.ts';
import { avgPxOf } from '../../execution/shortfall.ts';
import type { SliceReleased } from '../../execution/records.ts';
import { findChild, findParent, orderKey, type Child, type ExecutionState, type Parent } from '../../execution/state.ts';
import { recall } from '../../execution/window.ts';
import { unpackVerdicts, verdictsText } from '../../risk/verdicts.ts';
import { ORDER_CHECKS } from '../../risk/checks/index.ts';
import { formatDecimal, parseDecimal } from '../../risk/domain/decimal.ts';
import type { OrderState } from '../../risk/domain/order.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { LogRecord } from '../../risk/domain/record.ts';
import type { PolicyInForce } from '../../risk/policy.ts';
import type { LegDecided, OrderDecided } from '../../risk/records.ts';
import { reaches, type Principal } from '../auth/principal.ts';
import { textOf } from '../facts.ts';
import { amendOrder, cancelOrder } from '../flows/amend-order.ts';
import { decisionAt } from '../flows/recall.ts';
import { submitOrder } from '../flows/submit-order.ts';
import { findOrder, policyInForce, type House } from '../house.ts';
import { denial, problem, Refusal } from '../http/errors.ts';
import { JsonText, textWith } from '../http/json.ts';
import { toAttribution } from '../http/schemas/attribution.ts';
import { fromOrderTerms, orderFault, toOrderTerms, type AmendBody, type OrderBody } from '../http/schemas/orders.ts';
import type { AccountHint, Answer, OrderQuery, Service } from '../http/service.ts';
import { formerView } from './former-order.ts';
import { accountFor, actorOf, busy, receiptView } from './views.ts';

type Orders = Pick<Service, 'submitOrder' | 'listOrders' | 'getOrder' | 'amendOrder' | 'cancelOrder'>;

export function orderService(house: House): Orders {
  return {
    submitOrder: (principal, body) => submit(house, principal, body),
    amendOrder: (principal, clOrdId, body, hint) => withOrder(house, principal, hint, clOrdId, (account) => amend(house, principal, account, clOrdId, body)),
    cancelOrder: (principal, clOrdId, hint) => withOrder(house, principal, hint, clOrdId, (account) => cancel(house, principal, account, clOrdId)),
    getOrder: (principal, clOrdId, hint) => withOrder(house, principal, hint, clOrdId, (account) => view(house, account, clOrdId)),
    listOrders: (principal, query) => Promise.resolve(list(house, principal, query)),
  };
}

async function submit(house: House, principal: Principal, body: OrderBody): Promise<Answer> {
  const asked = {
    actor: actorOf(principal), attribution: toAttribution(body.attribution), clOrdId: body.clOrdId, requestHash: contentHash(body), terms: toOrderTerms(body),
  };
  let verdicts: Promise<string> | null = null;
  const answer = await submitOrder(house, asked, (decided) => {
    const policy = policyInForce(house);
    if (decided.decision !== 'denied' && isQuiet(house)) verdicts = afterThisPoll().then(() => spokenVerdicts(decided, policy));
  });
  switch (answer.outcome) {
    case 'busy':
      return busy(house);
    case 'conflict':
      return problem('CONFLICT', 'This clOrdId stands for another order already');
    case 'over':
      throw new Refusal('INVALID_BODY', 'expireAt is over: it is to be after the present, by the clock of /health/ready');
    case 'decided':
      return decidedAnswer(house, answer.decided, answer.receipt, answer.repeat ? 200 : 201, { verdicts });
  }
}

/** Records on their way to the disk: with more of them others wait too, and there is no time to be had while it works. */
const QUIET_RECORDS_MAX = 8;
const isQuiet = ({ journal }: House): boolean => journal.nextSeq - journal.durableSize <= QUIET_RECORDS_MAX;

/** When the batch has left for the disk, and not before. */
const afterThisPoll = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

const spokenVerdicts = (decided: OrderDecided, policy: PolicyInForce): string => verdictsText(ORDER_CHECKS, decided, policy, decided.symbol);

/** The answer to a decision: a function of its records alone, so that a repeat gets the same. */
async function decidedAnswer(
  house: House, { body, seq }: LogRecord<string, OrderDecided>, receipt: Receipt, status: number, { progress = null, verdicts = null }: Partial<Said> = {},
): Promise<Answer> {
  const policy = await house.policyAt(seq);
  const { clOrdId, parent, symbol, side, orderQty, type } = body;
  if (body.decision === 'denied') {
    return denial(unpackVerdicts(ORDER_CHECKS, body, policy, symbol), { clOrdId, policy: body.policy, receipt: receiptView(receipt) });
  }
  const { cumQty, leavesQty, avgPx, state, venue } = progress ?? { cumQty: '0', leavesQty: orderQty, avgPx: null, state: 'pending', venue: null };
  const order = {
    clOrdId, parent, symbol, side, orderQty, cumQty, leavesQty, avgPx, state, venue, type, receipt: receiptView(receipt), decision: body.decision, policy: body.policy,
  };
  return { status, body: new JsonText(textWith(order, 'verdicts', (await verdicts) ?? spokenVerdicts(body, policy))) };
}

/** What is known of a decision's answer beyond its records: what has become of the order since, and its verdicts as text, where they are made already. */
interface Said {
  readonly progress: Progress | null;
  readonly verdicts: Promise<string> | null;
}

/** What has become of an order since its first decision. */
interface Progress {
  readonly cumQty: string;
  readonly leavesQty: string;
  readonly avgPx: string | null;
  readonly state: OrderState;
  readonly venue: string | null;
}

const NOT_AMENDABLE = 'The order cannot be amended: it is done, not yet at the venue, being cancelled, filled to the new quantity, or of a target, '
  + 'which a newer target changes';

async function amend(house: House, principal: Principal, account: string, clOrdId: string, body: AmendBody): Promise<Answer> {
  const parent = parentNamed(house, account, clOrdId);
  const standing = parent === null ? null : standingChild(parent);
  const fault = standing === null ? null : orderFault({ ...fromOrderTerms(clOrdId, standing.order), ...body });
  if (fault !== null) throw new Refusal('INVALID_BODY', fault);
  const answer = await amendOrder(house, {
    actor: actorOf(principal), account, clOrdId, limitPx: body.limitPx === undefined ? null : parseDecimal(body.limitPx),
    orderQty: body.orderQty === undefined ? null : parseDecimal(body.orderQty), requestHash: contentHash(body),
  });
  switch (answer.outcome) {
    case 'busy':
      return busy(house);
    case 'unknown':
      return problem('NOT_FOUND', 'There is no such order');
    case 'done':
      return problem('CONFLICT', NOT_AMENDABLE);
    case 'decided':
      return amendedAnswer(house, answer.decided, answer.receipt);
  }
}

/** What the amendment was decided to be, with the order's progress: what was filled stays filled. */
function amendedAnswer(house: House, decided: LogRecord<string, OrderDecided>, receipt: Receipt): Promise<Answer> {
  const parent = findParent(house.state.execution, decided.body.parent);
  if (parent === null) return decidedAnswer(house, decided, receipt, 200);
  const leavesQty = formatDecimal(leavesOf({ ...parent, orderQty: parseDecimal(decided.body.orderQty) }));
  const venue = standingChild(parent)?.order.venue ?? null;
  const progress = { cumQty: formatDecimal(parent.cumQty), leavesQty, avgPx: textOf(avgPxOf(parent)), state: stateOf(parent), venue };
  return decidedAnswer(house, decided, receipt, 200, { progress });
}

async function cancel(house: House, principal: Principal, account: string, clOrdId: string): Promise<Answer> {
  const answer = await cancelOrder(house, { actor: actorOf(principal), account, clOrdId });
  switch (answer.outcome) {
    case 'unknown':
      return problem('NOT_FOUND', 'There is no such order');
    case 'done':
      return { status: 202, body: { clOrdId, state: await lastStateOf(house, account, clOrdId), receipt: null } };
    case 'requested':
      return { status: 202, body: { clOrdId, state: 'pending_cancel', receipt: receiptView(answer.receipt) } };
  }
}

/** From memory where it is remembered: a cancel does not wait for a log that cannot be read. */
async function lastStateOf(house: House, account: string, clOrdId: string): Promise<unknown> {
  const parent = parentNamed(house, account, clOrdId);
  return parent === null ? (findChild(house.state.execution, clOrdId)?.state ?? (await formerView(house, account, clOrdId))?.['state']) : stateOf(parent);
}

function parentNamed(house: House, account: string, clOrdId: string): Parent | null {
  const parent = findOrder(house, account, clOrdId) ?? findParent(house.state.execution, clOrdId);
  return parent?.account === account ? parent : null;
}

/** Runs on the account that the id belongs to. Another's id is as unknown as one that does not exist. */
async function withOrder(house: House, principal: Principal, hint: AccountHint, clOrdId: string, run: (account: string) => Promise<Answer>): Promise<Answer> {
  const { execution, execution: { ids } } = house.state;
  const generated = (findParent(execution, clOrdId) ?? findChild(execution, clOrdId)?.order)?.account;
  const { account, isAmbiguous } = accountFor(house, principal, hint, (each) => each === generated || recall(ids, orderKey(each, clOrdId)) !== undefined);
  if (isAmbiguous) return problem('CONFLICT', 'More than one account has this clOrdId: say which with ?account=');
  return account === null ? problem('NOT_FOUND', 'There is no such order') : run(account);
}

async function view(house: House, account: string, clOrdId: string): Promise<Answer> {
  const parent = parentNamed(house, account, clOrdId);
  if (parent !== null) return { status: 200, body: await orderOf(house, parent) };
  const former = await formerView(house, account, clOrdId);
  if (former !== null) return { status: 200, body: former };
  const slice = await sliceView(house, account, clOrdId);
  return slice === null ? problem('NOT_FOUND', 'There is no such order') : { status: 200, body: slice };
}

/** A slice of a target, while its parent is remembered. Null where there is none in this account. */
async function sliceView(house: House, account: string, clOrdId: string): Promise<Record<string, unknown> | null> {
  const { execution } = house.state;
  const child = findChild(execution, clOrdId);
  if (child?.order.account !== account) return null;
  const { decided: { body }, receipt } = await decisionAt<SliceReleased>(house, child.seq);
  const verdicts = unpackVerdicts(ORDER_CHECKS, body, await house.policyAt(child.seq), body.symbol);
  return { ...childView(child, findParent(execution, child.order.parent)?.targetId ?? null), receipt: receiptView(receipt), verdicts };
}

/** A parent as one order: a caller's direct order under its own id, a target's leg under ours. */
async function orderOf(house: House, parent: Parent): Promise<Record<string, unknown>> {
  const { decided: { body }, receipt } = await decisionAt<OrderDecided | LegDecided>(house, parent.decidedSeq);
  const order = 'type' in body ? body : null;
  const verdicts = order === null ? [] : unpackVerdicts(ORDER_CHECKS, order, await house.policyAt(parent.decidedSeq), order.symbol);
  return { ...parentView(parent), receipt: receiptView(receipt), verdicts };
}

/** From memory. A leg that has released nothing is no order yet: the router will say which. */
function parentView(parent: Parent): Record<string, unknown> {
  const order = standingChild(parent)?.order;
  const { type, limitPx } = order ?? parent.asked ?? { type: 'market', limitPx: null };
  return {
    clOrdId: parent.clOrdId ?? parent.id, parent: parent.id, account: parent.account, strategy: parent.strategy, targetId: parent.targetId,
    symbol: parent.symbol, side: parent.side, orderQty: formatDecimal(parent.orderQty), cumQty: formatDecimal(parent.cumQty),
    leavesQty: formatDecimal(leavesOf(parent)), avgPx: textOf(avgPxOf(parent)), state: stateOf(parent), venue: order?.venue ?? null, type,
    limitPx: textOf(limitPx), seq: parent.decidedSeq, receipt: null, verdicts: [],
  };
}

/** A direct order is as its child is, but filled as soon as its quantity is, whatever replacement is still on its way. */
function stateOf({ clOrdId, end, cumQty, children }: Parent): OrderState {
  if (clOrdId !== null) return end?.reason === 'filled' ? 'filled' : (standingChild({ children })?.state ?? 'denied');
  if (end === null) return cumQty > 0n ? 'partially_filled' : children.length === 0 ? 'pending' : 'new';
  return end.reason === 'filled' ? 'filled' : end.reason === 'expired' ? 'expired' : 'canceled';
}

function childView(child: Child, targetId: string | null): Record<string, unknown> {
  const { clOrdId, parent, account, strategy, symbol, side, orderQty, type, venue, limitPx } = child.order;
  return {
    clOrdId, parent, account, strategy, targetId, symbol, side, orderQty: formatDecimal(orderQty), cumQty: formatDecimal(child.cumQty),
    leavesQty: formatDecimal(childLeavesOf(child)), avgPx: textOf(avgPxOf(child)), state: child.state, venue, type, limitPx: textOf(limitPx), seq: child.seq,
    receipt: null, verdicts: [],
  };
}

const LIST_MAX = 1_000;

/** Direct orders and the slices of targets that live or finished lately, by the seq of their decision. */
function list(house: House, principal: Principal, { account, state, symbol, after }: OrderQuery): Answer {
  const items = [...ordersOf(house.state.execution)].filter((each) =>
    reaches(principal, each['account'] as string) && (account === undefined || each['account'] === account) && (state === undefined || each['state'] === state) &&
    (symbol === undefined || each['symbol'] === symbol) && (after === undefined || (each['seq'] as number) > after));
  items.sort((a, b) => (a['seq'] as number) - (b['seq'] as number));
  const page = items.slice(0, LIST_MAX);
  return { status: 200, body: { items: page, next: items.length > page.length ? page.at(-1)?.['seq'] : null } };
}

function* ordersOf({ parents, finishedLegs, finishedParents }: ExecutionState): Generator<Record<string, unknown>> {
  for (const parent of [...finishedParents.old.values(), ...finishedParents.young.values(), ...finishedLegs.values(), ...parents.values()]) {
    if (parent.clOrdId === null) for (const child of parent.children) yield childView(child, parent.targetId);
    else yield parentView(parent);
  }
}
