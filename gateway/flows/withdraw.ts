import { draft, SYSTEM } from '../../compliance/records.ts';
import type { Parent } from '../../execution/state.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor, Draft } from '../../risk/domain/record.ts';
import type { House } from '../house.ts';
import { cancelDrafts, cancelsOf, sendCancels } from './cancel.ts';

export interface Withdrawal {
  readonly actor: Actor;
  readonly account: string;
  readonly targetId: string;
  readonly reason: string;
}

/**
 * Withdraws what is not done of a target: its parents end, their working children are cancelled, also while the log cannot be written;
 * then there is no receipt yet. Null: nothing of it lives.
 */
export async function withdrawTarget(house: House, { actor, account, targetId, reason }: Withdrawal): Promise<{ readonly receipt: Receipt | null } | null> {
  // read
  const parents = [...house.state.execution.parents.values()].filter((p) => p.account === account && p.targetId === targetId && p.end === null);
  const [first] = parents;
  if (first === undefined) return null;

  // decide: a withdrawal only ever reduces, so it always passes
  const cancels = cancelsOf(parents, reason);

  // record
  const withdrawn = draft('target.withdrawn', actor, null, { account, parents: parents.map((p) => p.id), reason, strategy: first.strategy, targetId });
  const { durable } = house.journal.append([withdrawn, ...cancelDrafts(cancels, 'first', actor)]);
  const receipt = (await house.unlessUnwritable(durable))?.[0] ?? null;
  if (receipt === null) house.emergency.record(actor, null, cancels);

  // act
  sendCancels(house, cancels);
  return { receipt };
}

/** Parents named in one record: a target of 5,000 legs still fits into 65,535 bytes. */
const PARENTS_A_RECORD = 1_000;

/** What ends the unreleased remainder of these parents, by target; direct orders have none. Caused by the first record of the unit. */
export function withdrawalDrafts(parents: readonly Parent[], reason: string, actor: Actor = SYSTEM): Draft[] {
  const byTarget = new Map<string, Parent[]>();
  for (const parent of parents) {
    if (parent.targetId === null) continue;
    const key = `${parent.account}/${parent.targetId}`;
    const others = byTarget.get(key);
    if (others === undefined) byTarget.set(key, [parent]);
    else others.push(parent);
  }
  return [...byTarget.values()].flatMap((ofTarget) => {
    const { account, strategy, targetId } = ofTarget[0] as Parent;
    const drafts: Draft[] = [];
    for (let i = 0; i < ofTarget.length; i += PARENTS_A_RECORD) {
      const ids = ofTarget.slice(i, i + PARENTS_A_RECORD).map((parent) => parent.id);
      drafts.push(draft('target.withdrawn', actor, 'first', { account, parents: ids, reason, strategy, targetId: targetId as string }));
    }
    return drafts;
  });
}
