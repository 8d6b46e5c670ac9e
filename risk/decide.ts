/**
 * What may be done. Pure and synchronous: state, facts and a command in, a decision with every verdict out. `Approved` is made here
 * and nowhere else; what is done about a decision is the flows' business.
 */
import type { OrderCommand, OrderDecision } from './decision.ts';
import { allPass, factMissing, judge } from './check.ts';
import { ORDER_CHECKS } from './checks/index.ts';
import type { Approved } from './domain/proof.ts';
import type { OrderTerms } from './domain/order.ts';
import type { Facts } from './facts.ts';
import { readOrder } from './order-input.ts';
import type { RiskState } from './state.ts';

/**
 * Decides one order: a direct one, an amendment (as the order that it would become) or a slice of a parent. `reservedQty` is what
 * the books already hold for it, so nothing counts twice. Every check of ORDER_CHECKS gives a verdict, in that order; any denial
 * denies. Without a policy in force the one verdict is FACT_MISSING.
 */
export function decideOrder<T extends OrderTerms>(command: OrderCommand<T>, state: RiskState, facts: Facts): OrderDecision<T> {
  if (state.policy === null) return { decision: 'denied', approved: null, verdicts: [factMissing(['policy'])], attribution: command.attribution };
  const input = readOrder(command, state.policy, state, facts);
  const verdicts = judge(ORDER_CHECKS, input);
  const { attribution } = input;
  if (attribution === null || !allPass(verdicts)) return { decision: 'denied', approved: null, verdicts, attribution };
  return { decision: 'accepted', approved: command.terms as Approved<T>, verdicts, attribution };
}
