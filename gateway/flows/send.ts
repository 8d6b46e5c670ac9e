import { draft, SYSTEM } from '../../compliance/records.ts';
import { formatDecimal } from '../../risk/domain/decimal.ts';
import type { ChildOrder } from '../../risk/domain/order.ts';
import type { Approved, Receipt } from '../../risk/domain/proof.ts';
import { scopesOf, strictest } from '../../risk/switches.ts';
import { traderOf, type House } from '../house.ts';

/**
 * The last look before a send, in the turn of the send: a switch may have flipped while the record became durable. What is withheld
 * is recorded, so that the log never says "released" of an order that stayed.
 * A crash before this line leaves a released slice that no venue knows: recovery asks the venue and gets `absent`.
 */
export function sendOrWithhold(house: House, order: Approved<ChildOrder>, receipt: Receipt): void {
  const venue = house.venues.get(order.venue);
  if (venue === undefined) throw new Error(`no venue ${order.venue}`);
  const { account, strategy, symbol } = order;
  const { state } = strictest(house.state.risk, scopesOf({ account, strategy, symbol, trader: traderOf(house, order.parent), venue: order.venue }));
  if (state !== 'halted') {
    venue.send(order, receipt);
    return;
  }
  house.journal.append([
    draft('slice.withheld', SYSTEM, receipt.seq, {
      clOrdId: order.clOrdId, decision: 'denied', due: null, judged: null, observed: [], orderQty: formatDecimal(order.orderQty), parent: order.parent,
      why: 'halted',
      verdicts: [{ code: 'SWITCH_HALTED', limit: 'active', observed: 'halted', outcome: 'deny', unit: 'none' }],
    }),
  ]);
}
