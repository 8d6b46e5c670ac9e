import { draft, SYSTEM } from '../../compliance/records.ts';
import { isOpen } from '../../execution/order-state.ts';
import { formatDecimal } from '../../risk/domain/decimal.ts';
import type { ChildOrder } from '../../risk/domain/order.ts';
import type { Approved, Receipt } from '../../risk/domain/proof.ts';
import { scopesOf, strictest } from '../../risk/switches.ts';
import { traderOf, type House } from '../house.ts';

const HALTED = { why: 'halted', verdicts: [{ code: 'SWITCH_HALTED', limit: 'active', observed: 'halted', outcome: 'deny', unit: 'none' }] } as const;
const CANCELED = { why: 'canceled', verdicts: [] } as const;

/**
 * The last look before a send, in the turn of the send: while the record became durable a switch may have flipped, or the order may
 * have been cancelled or, its venue not knowing it, ended. What is withheld is recorded, so that the log never says "released" of an
 * order that stayed; of one that has ended it says so already.
 * A crash before this line leaves a released slice that no venue knows: recovery asks the venue and gets `absent`.
 */
export function sendOrWithhold(house: House, order: Approved<ChildOrder>, receipt: Receipt): void {
  const venue = house.venues.get(order.venue);
  if (venue === undefined) throw new Error(`no venue ${order.venue}`);
  const child = house.state.execution.children.get(order.clOrdId);
  if (child === undefined || !isOpen(child.state)) return;
  const { state } = strictest(house.state.risk, scopesOf({ ...order, trader: traderOf(house, order.parent) }));
  if (state !== 'halted' && child.state === 'pending') {
    venue.send(order, receipt);
    return;
  }
  house.journal.append([
    draft('slice.withheld', SYSTEM, receipt.seq, {
      clOrdId: order.clOrdId, decision: 'denied', due: null, judged: null, observed: [], orderQty: formatDecimal(order.orderQty), parent: order.parent,
      ...(state === 'halted' ? HALTED : CANCELED),
    }),
  ]).durable.catch(house.fail);
}
