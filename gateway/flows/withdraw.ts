import { draft } from '../../compliance/records.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor } from '../../risk/domain/record.ts';
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
