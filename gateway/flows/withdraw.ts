import { draft } from '../../compliance/records.ts';
import type { Parent } from '../../execution/state.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor, Draft } from '../../risk/domain/record.ts';
import type { TargetWithdrawn } from '../../risk/records.ts';
import { recordInAnyCase } from '../emergency.ts';
import type { House } from '../house.ts';
import { pagesOf } from './pages.ts';
import { cancelDrafts, cancelsOf, sendCancels } from './cancel.ts';

export interface Withdrawal {
  readonly actor: Actor;
  readonly account: string;
  readonly targetId: string;
  readonly reason: string;
}

/**
 * Withdraws what is not done of a target: its parents end, their working children are cancelled. It works also while the log cannot be
 * written, and has no receipt then. Null: nothing of it lives.
 */
export async function withdrawTarget(house: House, { actor, account, targetId, reason }: Withdrawal): Promise<{ readonly receipt: Receipt | null } | null> {
  // read
  const parents = [...house.state.execution.parents.values()].filter((p) => p.account === account && p.targetId === targetId && p.end === null);
  if (parents.length === 0) return null;

  // decide: a withdrawal only ever reduces, so it always passes
  const cancels = cancelsOf(parents, reason);

  // record
  const drafts = [...withdrawnDrafts(parents, { actor, reason, cause: null }), ...cancelDrafts(cancels, 'first', actor)];
  const receipt = await recordInAnyCase(house, drafts);

  // act
  sendCancels(house, cancels);
  return { receipt };
}

/** Parents named in one record: a target has thousands, and a record at most 65,535 bytes. */
export const PARENTS_A_RECORD = 1_000;

type Why = Pick<Withdrawal, 'actor' | 'reason'> & Pick<Draft, 'cause'>;

/** The end of these parents of targets, by target, in as many records as it takes; without a cause, those after the first follow from it. */
export function withdrawnDrafts(parents: readonly Parent[], { actor, reason, cause }: Why): Draft<'target.withdrawn', TargetWithdrawn>[] {
  const byTarget = new Map<string, Parent[]>();
  for (const parent of parents) {
    const key = `${parent.account}/${parent.targetId ?? ''}`;
    const ofOne = byTarget.get(key);
    if (ofOne === undefined) byTarget.set(key, [parent]);
    else ofOne.push(parent);
  }
  const pages = [...byTarget.values()].flatMap((ofOne) => pagesOf(ofOne, PARENTS_A_RECORD));
  return pages.map((page, i) => {
    const { account, strategy, targetId } = page[0] as Parent;
    const body = { account, parents: page.map(({ id }) => id), reason, strategy, targetId: targetId as string };
    return draft('target.withdrawn', actor, i === 0 ? cause : (cause ?? 'first'), body);
  });
}
