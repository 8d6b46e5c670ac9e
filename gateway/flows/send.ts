import { draft, SYSTEM } from '../../compliance/records.ts';
import type { SliceWithheld } from '../../execution/records.ts';
import { chainQty } from '../../execution/parents.ts';
import { findChild, findParent } from '../../execution/state.ts';
import { formatDecimal, subtract } from '../../risk/domain/decimal.ts';
import type { ChildOrder } from '../../risk/domain/order.ts';
import type { Approved, Receipt } from '../../risk/domain/proof.ts';
import { scopeText } from '../../risk/gates.ts';
import { haltOn } from '../../risk/last-look.ts';
import { traderOf, type House } from '../house.ts';

/**
 * The last look before a send, in the turn of the send: a switch may have flipped while the record became durable, or a cancel may have
 * been asked for. What is withheld is recorded, so that the log never says "released" of an order that stayed.
 * A crash before this line leaves a released slice that no venue knows: recovery asks the venue and gets `absent`.
 */
export function sendOrWithhold(house: House, order: Approved<ChildOrder>, receipt: Receipt): void {
  const venue = house.venues.get(order.venue);
  if (venue === undefined) throw new Error(`no venue ${order.venue}`);
  const kept = reasonToKeep(house, order);
  if (kept === null) {
    venue.send(order, receipt);
    return;
  }
  house.journal.append([
    draft('slice.withheld', SYSTEM, receipt.seq, {
      clOrdId: order.clOrdId, decision: 'denied', due: null, judged: null, observed: [], orderQty: formatDecimal(order.orderQty), parent: order.parent, ...kept,
    }),
  ]);
}

function reasonToKeep(house: House, order: ChildOrder): Pick<SliceWithheld, 'why' | 'verdicts'> | null {
  const { execution, risk } = house.state;
  const child = findChild(execution, order.clOrdId);
  const parent = findParent(execution, order.parent);
  if (child?.state !== 'pending' || parent === null) return { why: 'canceled', verdicts: [] };
  const leaving = { order, leavesQty: subtract(order.orderQty, child.cumQty), reservedQty: chainQty(parent, child.chain), trader: traderOf(house, order.parent) };
  const halt = haltOn(leaving, risk);
  if (halt === null) return null;
  return { why: 'halted', verdicts: [{ code: 'SWITCH_HALTED', limit: 'active', observed: scopeText('halted', halt), outcome: 'deny', unit: 'none' }] };
}
