import { draft, SYSTEM } from '../../compliance/records.ts';
import { isOpen } from '../../execution/order-state.ts';
import { committedQty } from '../../execution/parents.ts';
import type { SliceReleased, SliceWithheld } from '../../execution/records.ts';
import type { Child, Parent } from '../../execution/state.ts';
import { formatDecimal, subtract } from '../../risk/domain/decimal.ts';
import type { ChildOrder } from '../../risk/domain/order.ts';
import type { Approved, Receipt } from '../../risk/domain/proof.ts';
import type { Verdict } from '../../risk/domain/verdict.ts';
import { formatInstant } from '../../risk/domain/time.ts';
import { lastLook } from '../../risk/last-look.ts';
import { textOf } from '../facts.ts';
import type { House } from '../house.ts';

/** The record before a send. */
export function sliceReleased(
  child: ChildOrder, how: Pick<SliceReleased, 'arm' | 'arms' | 'due' | 'facts' | 'observed' | 'verdicts'> & { readonly wantedQty: string | null },
): SliceReleased {
  return {
    account: child.account, arm: how.arm, arms: how.arms, clOrdId: child.clOrdId, decision: 'accepted', due: how.due,
    expireAt: child.expireAt === null ? null : formatInstant(child.expireAt), facts: how.facts, limitPx: textOf(child.limitPx), observed: how.observed,
    orderQty: formatDecimal(child.orderQty), origClOrdId: child.origClOrdId, parent: child.parent, participation: child.participation, side: child.side,
    strategy: child.strategy, symbol: child.symbol, tif: child.tif, type: child.type, venue: child.venue, verdicts: how.verdicts, wantedQty: how.wantedQty,
  };
}

/**
 * The last look before a send, in the turn of the send: while the record became durable a switch may have flipped, or the order may
 * have been cancelled or, its venue not knowing it, ended. What is withheld is recorded, so that the log never says "released" of an
 * order that stayed; of one that has ended it says so already.
 * A crash before this line leaves a released slice that no venue knows: recovery asks the venue and gets `absent`.
 */
export function sendOrWithhold(house: House, order: Approved<ChildOrder>, receipt: Receipt): void {
  const venue = house.venues.get(order.venue);
  if (venue === undefined) throw new Error(`no venue ${order.venue}`);
  const { children, parents } = house.state.execution;
  const child = children.get(order.clOrdId);
  const parent = parents.get(order.parent);
  if (child === undefined || parent === undefined || !isOpen(child.state)) return;
  const verdicts = denials(house, parent, child);
  const why = verdicts.length > 0 ? 'switched' : child.state !== 'pending' ? 'canceled' : exceeds(parent) ? 'exceeds' : null;
  if (why === null) venue.send(order, receipt);
  else withhold(house, child, { verdicts, why }, receipt);
}

/** A late fill of another slice may have come: together they are never more than the parent. */
const exceeds = (parent: Parent): boolean => parent.targetId !== null && committedQty(parent) > parent.orderQty;

/** Of a direct order the books hold the largest of its chain, of a slice its own leaves. */
function denials(house: House, parent: Parent, { order, cumQty }: Child): readonly Verdict[] {
  const leavesQty = subtract(order.orderQty, cumQty);
  const reservedQty = parent.clOrdId === null ? leavesQty : parent.reserved;
  return lastLook(order, { trader: parent.attribution?.trader ?? null, leavesQty, reservedQty }, house.state.risk);
}

/** Without a verdict its cancel was asked for, or its venue lost it: that record stands before this one. */
function withhold(house: House, { order }: Child, { verdicts, why }: Pick<SliceWithheld, 'verdicts' | 'why'>, { seq }: Receipt): void {
  if (!house.journal.accepts('reserved')) return; // at the end of a stop: it never left, so the next start asks the venue and gets `absent`
  const { account, clOrdId, orderQty, parent, strategy, symbol } = order;
  const withheld = draft('slice.withheld', SYSTEM, seq, {
    account, clOrdId, decision: 'denied', due: null, judged: null, observed: [], orderQty: formatDecimal(orderQty), parent, strategy, symbol, verdicts, why,
  });
  house.journal.append([withheld]).durable.catch(house.fail);
}
