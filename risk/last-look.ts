/** The last look at the switches, in the turn of the send: one may have flipped while the record became durable. */
import type { Decimal } from './domain/decimal.ts';
import type { ChildOrder } from './domain/order.ts';
import { gatesOf } from './gates.ts';
import { before, NOTHING_HELD, reduces, tradeOf, type Holding } from './position.ts';
import type { Scope } from './records.ts';
import type { RiskState } from './state.ts';

/** An order about to leave: what is left of it, what the books hold for it, and who answers for it. */
export interface Leaving {
  readonly order: ChildOrder;
  readonly leavesQty: Decimal;
  readonly reservedQty: Decimal;
  readonly trader: string | null;
}

/** The halt that stops the order; null when none does. Where the policy arms closings, a proven one passes, as it did when it was decided. */
export function haltOn({ order, leavesQty, reservedQty, trader }: Leaving, state: RiskState): Scope | null {
  if (state.policy === null) throw new RangeError('an order without a policy');
  const { halted, armed } = gatesOf(state, state.policy.policy, { ...order, trader });
  if (halted !== null || armed === null) return halted;
  const line = state.accounts.get(order.account)?.lines.get(order.symbol);
  const without = (holding: Holding | undefined): Holding => before(holding ?? NOTHING_HELD, order.side, reservedQty);
  return reduces(without(line), without(line?.books.get(order.strategy)), tradeOf(order.side, leavesQty)) ? null : armed;
}
