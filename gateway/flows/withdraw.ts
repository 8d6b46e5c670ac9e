import { draft } from '../../compliance/records.ts';
import type { State } from '../../compliance/fold.ts';
import { workingQty } from '../../execution/parents.ts';
import type { Parent } from '../../execution/state.ts';
import { reserve } from '../../risk/books.ts';
import { negate, subtract, type Decimal } from '../../risk/domain/decimal.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor, Draft } from '../../risk/domain/record.ts';
import type { House } from '../house.ts';
import { actOnCancels, cancelDrafts, cancelsOf } from './cancel.ts';
import { firstOf, receiptOrTrouble } from './receipt.ts';

export interface Withdrawal {
  readonly actor: Actor;
  readonly account: string;
  readonly targetId: string;
  readonly reason: string;
}
/** Without a receipt: the log cannot be written now, and the emergency file has the proof. */
export type WithdrawAnswer = { readonly outcome: 'withdrawn'; readonly receipt: Receipt | null } | { readonly outcome: 'done' };

/** Withdraws what is not done of a target: its parents end, their working children are cancelled. Done: nothing of it lives. */
export async function withdrawTarget(house: House, { actor, account, targetId, reason }: Withdrawal): Promise<WithdrawAnswer> {
  // read
  const parents = [...house.state.execution.parents.values()].filter((p) => p.account === account && p.targetId === targetId && p.end === null);
  if (parents.length === 0) return { outcome: 'done' };

  // decide: a withdrawal only ever reduces, so it always passes
  const cancels = cancelsOf(parents, reason);

  // record
  const { durable } = house.journal.append([...withdrawals(parents, reason, null, actor), ...cancelDrafts(cancels, 'first', actor)]);
  const receipt = await receiptOrTrouble(house, firstOf(durable));

  // act
  actOnCancels(house, actor, receipt, cancels);
  return { outcome: 'withdrawn', receipt };
}

/** Parents named in one record: a target of 5,000 legs still fits into 65,535 bytes. */
const PARENTS_A_RECORD = 1_000;

/** The records that end these parents of targets, by target. */
export function withdrawals(parents: readonly Parent[], reason: string, cause: Draft['cause'], actor: Actor): Draft[] {
  const byTarget = new Map<string, Parent[]>();
  for (const parent of parents) {
    const key = `${parent.account}/${parent.targetId ?? ''}`;
    const ofOne = byTarget.get(key);
    if (ofOne === undefined) byTarget.set(key, [parent]);
    else ofOne.push(parent);
  }
  return [...byTarget.values()].flatMap((ofOne) => {
    const drafts: Draft[] = [];
    for (let i = 0; i < ofOne.length; i += PARENTS_A_RECORD) {
      const { account, strategy, targetId } = ofOne[0] as Parent;
      const ids = ofOne.slice(i, i + PARENTS_A_RECORD).map(({ id }) => id);
      drafts.push(draft('target.withdrawn', actor, cause, { account, parents: ids, reason, strategy, targetId: targetId as string }));
    }
    return drafts;
  });
}

/**
 * Runs a decision on the books as they would be after the unreleased remainder of these parents was withdrawn, and puts the books
 * back. Synchronous, so nobody sees the books in between; what is in flight stays reserved.
 */
export function asIfWithdrawn<T>(state: State, parents: readonly Parent[], decide: () => T): T {
  const freed = parents.map((parent) => ({ parent, qty: subtract(parent.reserved, workingQty(parent)) }));
  const move = (sign: (qty: Decimal) => Decimal): void => {
    for (const { parent, qty } of freed) {
      const account = state.risk.accounts.get(parent.account);
      if (account !== undefined) reserve(account, parent.strategy, parent.symbol, parent.side, sign(qty));
    }
  };
  move(negate);
  try {
    return decide();
  } finally {
    move((qty) => qty);
  }
}
