import { draft } from '../../compliance/records.ts';
import type { SliceReleased } from '../../execution/records.ts';
import { findChild, findParent } from '../../execution/state.ts';
import { packVerdicts } from '../../risk/verdicts.ts';
import { ORDER_CHECKS } from '../../risk/checks/index.ts';
import { decideOrder } from '../../risk/decide.ts';
import { formatDecimal, ZERO } from '../../risk/domain/decimal.ts';
import { childOrder, type Attribution, type ChildOrder, type OrderTerms } from '../../risk/domain/order.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor, Draft, LogRecord } from '../../risk/domain/record.ts';
import { formatInstant } from '../../risk/domain/time.ts';
import type { OrderDecision } from '../../risk/decision.ts';
import type { Facts } from '../../risk/facts.ts';
import type { OrderDecided } from '../../risk/records.ts';
import { factsJson, midOf, readFacts, textOf } from '../facts.ts';
import { idOf, policyInForce, seqOf, venueFor, type House } from '../house.ts';
import { decisionAt, knownAs, lookUpForgotten } from './recall.ts';
import { sendOrWithhold, sliceReleased } from './send.ts';

export interface OrderSubmission {
  readonly actor: Actor;
  readonly clOrdId: string;
  readonly terms: OrderTerms;
  readonly attribution: Attribution | null;
  /** SHA-256 of the canonical request: equality of a repeat. */
  readonly requestHash: string;
}
/** Told of a decision as soon as it is taken: while the disk works there is time to prepare what is said of it. */
export type OnDecided = (decided: OrderDecided) => void;

export type OrderAnswer =
  | { readonly outcome: 'decided'; readonly decided: LogRecord<string, OrderDecided>; readonly receipt: Receipt; readonly repeat: boolean }
  | { readonly outcome: 'conflict' | 'busy' | 'over' };

/** A direct order: a parent with its one slice, decided, recorded and sent in one pass. */
export async function submitOrder(house: House, submission: OrderSubmission, onDecided: OnDecided = () => undefined): Promise<OrderAnswer> {
  // read
  const { terms, clOrdId } = submission;
  const earlier = await lookUpForgotten(house, 'order', terms.account, clOrdId);
  const known = knownAs(house, 'order', terms.account, clOrdId, earlier);
  if (known !== null) return repeatedOrder(house, known, submission.requestHash);
  if (isOurs(house, terms.account, clOrdId)) return { outcome: 'conflict' };
  if (terms.expireAt !== null && terms.expireAt <= house.timers.now()) return { outcome: 'over' };
  if (!house.admits()) return { outcome: 'busy' };
  const facts = readFacts(house, [terms.symbol]);
  const venue = venueFor(house);
  const seq = house.journal.nextSeq;
  const parent = idOf(house.journal.log, seq); // `findOrder` relies on it
  const child = childOrder(terms, { clOrdId: idOf(house.journal.log, seq + 1), origClOrdId: null, parent, venue });

  // decide
  const decision = decideOrder(
    { terms: child, subject: submission.actor.id, attribution: submission.attribution, forecast: null, venue, reservedQty: ZERO }, house.state.risk, facts,
  );

  // record
  const body = orderDecided(house, submission, parent, decision, facts, false);
  const drafts: Draft[] = [draft('order.decided', submission.actor, null, body)];
  if (decision.decision === 'accepted') drafts.push(draft('slice.released', submission.actor, 'first', directSlice(child)));
  const { records, durable } = house.journal.append(drafts, facts.now);
  onDecided(body);
  const [receipt, sliceReceipt] = await durable;

  // act
  if (decision.decision === 'accepted') sendOrWithhold(house, decision.approved, sliceReceipt as Receipt);
  return { outcome: 'decided', decided: records[0] as LogRecord<string, OrderDecided>, receipt: receipt as Receipt, repeat: false };
}

/** Whether an id is one that we gave in this account, or will give: two orders would go by it. */
function isOurs({ journal, state: { execution } }: House, account: string, id: string): boolean {
  const seq = seqOf(journal.log, id);
  if (seq === null) return false;
  const owner = findParent(execution, id) ?? findChild(execution, id)?.order;
  return seq >= journal.nextSeq || owner?.account === account;
}

/** What an id stands for is answered once it is durable, whether it is asked for again or was given to another order. */
async function repeatedOrder(house: House, seq: number, requestHash: string): Promise<OrderAnswer> {
  const { decided, receipt } = await decisionAt<OrderDecided>(house, seq);
  return decided.body.requestHash === requestHash ? { outcome: 'decided', decided, receipt, repeat: true } : { outcome: 'conflict' };
}

export function orderDecided<T extends OrderTerms>(
  house: House, { clOrdId, terms, requestHash }: OrderSubmission, parent: string, decision: OrderDecision<T>, facts: Facts, amends: boolean,
): OrderDecided {
  const inForce = policyInForce(house);
  const { policy, hash } = inForce;
  const symbolFacts = facts.symbols.get(terms.symbol);
  const { verdicts, observed } = packVerdicts(ORDER_CHECKS, decision.verdicts, inForce, terms.symbol);
  return {
    account: terms.account, amends, arrivalPx: textOf(midOf(symbolFacts)), attribution: decision.attribution, clOrdId, decision: decision.decision,
    expireAt: terms.expireAt === null ? null : formatInstant(terms.expireAt), facts: factsJson(symbolFacts), limitPx: textOf(terms.limitPx), observed,
    orderQty: formatDecimal(terms.orderQty), parent, participation: terms.participation, policy: { hash, id: policy.id, version: policy.version },
    requestHash, side: terms.side, source: facts.source, strategy: terms.strategy, symbol: terms.symbol, tif: terms.tif, type: terms.type, verdicts,
  };
}

/** The slice of a direct order: sent as it was asked, so there was one arm and no choice. */
export const directSlice = (child: ChildOrder): SliceReleased =>
  sliceReleased(child, { arm: 'direct', arms: [], due: null, facts: null, observed: [], verdicts: [], wantedQty: null });
