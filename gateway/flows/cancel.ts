import { draft, SYSTEM } from '../../compliance/records.ts';
import type { RecordBodies } from '../../compliance/records.ts';
import { isOpen } from '../../execution/order-state.ts';
import type { Child, Parent } from '../../execution/state.ts';
import type { Actor, Draft } from '../../risk/domain/record.ts';
import type { House } from '../house.ts';

export type CancelBody = RecordBodies['cancel.requested'];

/** A child that may still fill and whose cancel was not asked for yet. */
export const isCancellable = (child: Child): boolean => isOpen(child.state) && child.state !== 'pending_cancel';

/** The cancels of every open child of these parents, as bodies of records. */
export const cancelsOf = (parents: readonly Parent[], reason: string): readonly CancelBody[] =>
  parents.flatMap((parent) => parent.children.filter(isCancellable).map((child) => cancelBody(child, reason)));

export function cancelBody({ order }: Child, reason: string): CancelBody {
  const { account, clOrdId, parent, strategy, symbol, venue } = order;
  return { account, clOrdId, parent, reason, strategy, symbol, venue };
}

export const cancelDrafts = (cancels: readonly CancelBody[], cause: Draft['cause'], actor: Actor = SYSTEM): Draft<'cancel.requested', CancelBody>[] =>
  cancels.map((body) => draft('cancel.requested', actor, cause, body));

/**
 * Hands the cancels to their venues. A cancel needs no receipt: it is the one exception to fail-closed. An order that has not left yet
 * is not cancelled there, or its cancel would arrive first and be lost: the last look before its send holds it back.
 */
export function sendCancels(house: House, cancels: readonly Pick<CancelBody, 'clOrdId' | 'symbol' | 'venue'>[]): void {
  for (const { clOrdId, symbol, venue } of cancels) {
    const child = house.state.execution.children.get(clOrdId);
    if (child !== undefined && hasLeft(house, child)) house.venues.get(venue)?.cancel({ clOrdId, symbol });
  }
}

/** Whether an order may be at its venue: nothing leaves before its record is durable. */
export const hasLeft = (house: House, { seq }: Child): boolean => seq < house.journal.durableSize;
