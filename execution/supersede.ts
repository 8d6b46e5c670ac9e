/** How a newer target takes over from the older ones of its strategy. Pure: the flow decides by it, and so does replay. */
import { plan, reserve } from '../risk/books.ts';
import { negate, type Decimal } from '../risk/domain/decimal.ts';
import type { TargetPortfolio } from '../risk/domain/target.ts';
import type { RiskState } from '../risk/state.ts';
import type { ExecutionState, Parent } from './state.ts';

/** The symbols that a decision needs facts of: the legs, and for `complete` whatever else the strategy has a book in. */
export function symbolsOf(risk: RiskState, { account, strategy, scope, legs }: TargetPortfolio): ReadonlySet<string> {
  const symbols = new Set(legs.map((leg) => leg.symbol));
  if (scope === 'listed') return symbols;
  for (const [symbol, line] of risk.accounts.get(account)?.lines ?? []) if (line.books.has(strategy)) symbols.add(symbol);
  return symbols;
}

/** Live parents that a target takes over from: its strategy's, in these symbols. */
export function supersededParents(execution: ExecutionState, { account, strategy }: TargetPortfolio, symbols: ReadonlySet<string>): readonly Parent[] {
  return [...execution.parents.values()].filter(
    (parent) => parent.end === null && parent.targetId !== null && parent.account === account && parent.strategy === strategy && symbols.has(parent.symbol),
  );
}

/**
 * Runs a decision on the books as they would be after the unreleased remainder of these parents was withdrawn, and puts the books
 * back. Synchronous, so nobody sees the books in between; what is in flight stays reserved.
 */
export function asIfWithdrawn<T>(risk: RiskState, parents: readonly Parent[], decide: () => T): T {
  const move = (sign: (qty: Decimal) => Decimal): void => {
    for (const { account: id, planned, side, strategy, symbol } of parents) {
      const account = risk.accounts.get(id);
      if (account === undefined) continue;
      reserve(account, strategy, symbol, side, sign(planned));
      plan(account, symbol, side, sign(planned));
    }
  };
  move(negate);
  try {
    return decide();
  } finally {
    move((qty) => qty);
  }
}
