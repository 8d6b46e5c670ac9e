import { draft } from '../../compliance/records.ts';
import type { Child, Parent } from '../../execution/state.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor, Draft } from '../../risk/domain/record.ts';
import type { Scope, SwitchFlipped, SwitchState } from '../../risk/records.ts';
import { isLoosening, scopesOf, switchKey, type Touched } from '../../risk/switches.ts';
import { traderOf, type House } from '../house.ts';
import { venueFor } from './submit-order.ts';
import { cancelBody, cancelDrafts, isCancellable, sendCancels, type CancelBody } from './cancel.ts';
import { withdrawnDrafts } from './withdraw.ts';

export interface SwitchCommand {
  readonly actor: Actor;
  readonly requestId: string | null;
  readonly scope: Scope;
  readonly state: Exclude<SwitchState, 'active'>;
  readonly cancel: 'working' | 'none';
  readonly reason: string;
}
export type SwitchAnswer =
  | { readonly outcome: 'flipped'; readonly flipped: SwitchFlipped; readonly cancels: readonly CancelBody[]; readonly receipt: Receipt | null }
  | { readonly outcome: 'repeat'; readonly seq: number; readonly receipt: Receipt }
  | { readonly outcome: 'loosens' };

/**
 * Halts or reduces a scope, and cancels what works in it. Tightening takes one person and acts at once; it must act also when the log
 * cannot be written, and then the emergency file takes the proof. A halt of what is halted engages anew: what was asked before, to
 * release it, is void.
 */
export async function flipSwitch(house: House, command: SwitchCommand): Promise<SwitchAnswer> {
  // read
  const done = command.requestId === null ? undefined : house.state.compliance.switchRequests.get(command.requestId);
  if (done !== undefined) return { outcome: 'repeat', seq: done, receipt: await house.journal.whenDurable(done) };
  const flipped = flip(house, command);

  // decide
  if (isLoosening(flipped.previous, flipped.state)) return { outcome: 'loosens' };
  const cancels = cancelsIn(house, command);

  // record
  const drafts: Draft[] = [
    draft('switch.flipped', command.actor, null, flipped),
    ...(command.cancel === 'none' ? [] : withdrawals(house, command)),
    ...cancelDrafts(cancels, 'first', command.actor),
  ];
  const { durable } = house.journal.append(drafts);
  const receipt = (await house.unlessUnwritable(durable))?.[0] ?? null;
  if (receipt === null) house.emergency.record(command.actor, flipped, cancels);

  // act
  sendCancels(house, cancels);
  return { outcome: 'flipped', flipped, cancels, receipt };
}

/** What a flip would cancel; nothing is recorded. */
export function previewFlip(house: House, command: SwitchCommand): { readonly flipped: SwitchFlipped; readonly cancels: readonly CancelBody[] } {
  return { flipped: flip(house, command), cancels: cancelsIn(house, command) };
}

const cancelsIn = (house: House, { cancel, scope, reason }: SwitchCommand): readonly CancelBody[] =>
  (cancel === 'none' ? [] : workingIn(house, scope).map((child) => cancelBody(child, reason)));

function flip(house: House, { requestId, scope, state, cancel, reason }: SwitchCommand): SwitchFlipped {
  const now = house.state.risk.switches.get(switchKey(scope));
  return { approval: null, cancel, engagement: (now?.engagement ?? 0) + 1, previous: now?.state ?? 'active', reason, requestId, scope, state };
}

/** Children in the scope that may still fill. */
export function workingIn(house: House, scope: Scope): readonly Child[] {
  return [...house.state.execution.children.values()].filter(
    (child) => isCancellable(child) && touches(scope, { ...child.order, trader: traderOf(house, child.order.parent) }),
  );
}

const touches = (scope: Scope, touched: Touched): boolean => scopesOf(touched).some((each) => switchKey(each) === switchKey(scope));

/** The unreleased remainder of parents in the scope ends with the halt: a release brings no old wish back to life. */
export function withdrawals(house: House, { actor, scope, reason }: Pick<SwitchCommand, 'actor' | 'scope' | 'reason'>): Draft[] {
  const venue = venueFor(house);
  const byTarget = new Map<string, Parent[]>();
  for (const parent of house.state.execution.parents.values()) {
    if (parent.end !== null || parent.targetId === null || !touches(scope, { ...parent, venue })) continue;
    const key = `${parent.account}/${parent.targetId}`;
    const parents = byTarget.get(key);
    if (parents === undefined) byTarget.set(key, [parent]);
    else parents.push(parent);
  }
  return [...byTarget.values()].flatMap((parents) => withdrawnDrafts(parents, { actor, reason, cause: 'first' }));
}
