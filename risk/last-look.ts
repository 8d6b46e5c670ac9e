/** The switches once more, in the turn of a send: they may have flipped while the record of an approved order became durable. */
import { checkList, factMissing, judge } from './check.ts';
import type { SwitchInput } from './checks/inputs.ts';
import { switchHalted, switchReducing } from './checks/switches.ts';
import type { Decimal } from './domain/decimal.ts';
import type { ChildOrder } from './domain/order.ts';
import type { Verdict } from './domain/verdict.ts';
import { gatesOf } from './gates.ts';
import { before, NOTHING_HELD, reduces, tradeOf, type Holding } from './position.ts';
import type { RiskState } from './state.ts';

const LAST_LOOK = checkList<SwitchInput>(switchHalted, switchReducing);

/** What is known of an order that is about to leave. */
export interface Leaving {
  readonly trader: string | null;
  /** What may still be filled of it. */
  readonly leavesQty: Decimal;
  /** What the books hold for it: its leaves, or those of the larger order that it replaces. */
  readonly reservedQty: Decimal;
}

/** What denies the order now; empty when it may leave. The same two checks that its decision began with. */
export function lastLook(order: ChildOrder, { trader, leavesQty, reservedQty }: Leaving, state: RiskState): readonly Verdict[] {
  const { policy } = state;
  if (policy === null) return [factMissing(['policy'])];
  const { account, side, strategy, symbol, venue } = order;
  const gates = gatesOf(state, policy.policy, { account, strategy, symbol, trader, venue });
  if (gates.halted === null && gates.armed === null && gates.reducing === null) return [];
  const line = state.accounts.get(account)?.lines.get(symbol);
  const without = (holding: Holding | undefined): Holding => before(holding ?? NOTHING_HELD, side, reservedQty);
  const isReduction = reduces(without(line), without(line?.books.get(strategy)), tradeOf(side, leavesQty));
  const input: SwitchInput = { gates, instrument: null, unmarked: [], policy, reduces: isReduction };
  return judge(LAST_LOOK, input).filter(({ outcome }) => outcome === 'deny');
}
