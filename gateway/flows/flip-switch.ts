import { draft, SYSTEM } from '../../compliance/records.ts';
import { isOpen } from '../../execution/order-state.ts';
import type { Child, Parent } from '../../execution/state.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor, LogRecord } from '../../risk/domain/record.ts';
import type { Scope, SwitchFlipped, SwitchState } from '../../risk/records.ts';
import { FIRM, isLoosening, scopesOf, switchKey, type Touched } from '../../risk/switches.ts';
import { recordInAnyCase, type EmergencyDraft } from '../emergency.ts';
import { traderOf, venueFor, type House } from '../house.ts';
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
/** Without a receipt: the log cannot be written now, and the emergency file has the proof. */
export type SwitchAnswer =
  | { readonly outcome: 'flipped'; readonly flipped: SwitchFlipped; readonly cancels: readonly CancelBody[]; readonly receipt: Receipt | null }
  | { readonly outcome: 'repeat'; readonly flipped: SwitchFlipped; readonly receipt: Receipt }
  | { readonly outcome: 'repeat'; readonly receipt: null }
  | { readonly outcome: 'conflict' | 'loosens' };

/**
 * Halts or reduces a scope, and cancels what works in it. Tightening takes one person and acts at once; it must act also when the log
 * cannot be written, and then the emergency file takes the proof. A halt of what is halted engages anew: what was asked before, to
 * release it, is void.
 */
export async function flipSwitch(house: House, command: SwitchCommand): Promise<SwitchAnswer> {
  // read
  const { actor, reason, requestId, scope } = command;
  const done = requestId === null ? undefined : house.state.compliance.switchRequests.get(requestId);
  if (done !== undefined) return repeated(house, command, done);
  const flipped = flip(house, command);
  const cancels = cancelsIn(house, command);
  const parents = command.cancel === 'none' ? [] : workedIn(house, scope);

  // decide: a halt of what is halted engages anew, and voids what was asked about the engagement before
  if (isLoosening(flipped.previous, flipped.state)) return { outcome: 'loosens' };

  // record
  const drafts: EmergencyDraft[] = [
    draft('switch.flipped', actor, null, flipped), ...withdrawnDrafts(parents, { actor, reason, cause: 'first' }), ...cancelDrafts(cancels, 'first', actor),
  ];
  const receipt = await recordInAnyCase(house, drafts);

  // act
  sendCancels(house, cancels);
  return { outcome: 'flipped', flipped, cancels, receipt };
}

/** The gateway's own halt: everything that works is cancelled, and two people release it. */
export function haltFirm(house: House, reason: string): void {
  flipSwitch(house, { actor: SYSTEM, cancel: 'working', reason, requestId: null, scope: FIRM, state: 'halted' }).catch(house.fail);
}

/** A repeated request halts once; one that means something else under the same id has not been done. */
async function repeated(house: House, command: SwitchCommand, seq: number): Promise<SwitchAnswer> {
  const { scope, state, cancel, reason } = command;
  const receipt = await house.unlessUnwritable(house.journal.whenDurable(seq));
  if (receipt === null) return isInForce(house, command) ? { outcome: 'repeat', receipt } : { outcome: 'conflict' };
  const [record] = (await house.records(seq, seq + 1)) as readonly LogRecord<string, SwitchFlipped>[];
  if (record === undefined) throw new Error(`record ${String(seq)} is durable and cannot be read`);
  const { body } = record;
  const isSame = switchKey(body.scope) === switchKey(scope) && body.state === state && body.cancel === cancel && body.reason === reason;
  return isSame ? { outcome: 'repeat', flipped: body, receipt } : { outcome: 'conflict' };
}

/** While the log cannot be read its record cannot be compared: only of what is in force, with nothing left to cancel, may be said that it is done. */
function isInForce(house: House, { scope, state, cancel, reason }: SwitchCommand): boolean {
  const now = house.state.risk.switches.get(switchKey(scope));
  return now?.state === state && now.reason === reason && (cancel === 'none' || workingIn(house, scope).length === 0);
}

/** What a flip would cancel; nothing is recorded. */
export function previewFlip(house: House, command: SwitchCommand): { readonly flipped: SwitchFlipped; readonly cancels: readonly CancelBody[] } {
  return { flipped: flip(house, command), cancels: cancelsIn(house, command) };
}

const cancelsIn = (house: House, { cancel, scope, reason }: SwitchCommand): readonly CancelBody[] =>
  (cancel === 'none' ? [] : openIn(house, scope).map((child) => cancelBody(child, reason)));

function flip(house: House, { requestId, scope, state, cancel, reason }: SwitchCommand): SwitchFlipped {
  const now = house.state.risk.switches.get(switchKey(scope));
  return { approval: null, cancel, engagement: (now?.engagement ?? 0) + 1, previous: now?.state ?? 'active', reason, requestId, scope, state };
}

/** Children in the scope that may still fill: a cancel that was asked for before may be lost, so a kill asks for it again. */
function openIn(house: House, scope: Scope): readonly Child[] {
  return [...house.state.execution.children.values()].filter(
    (child) => isOpen(child.state) && touches(scope, { ...child.order, trader: traderOf(house, child.order.parent) }),
  );
}

/** Those of them whose cancel was not asked for yet. */
export const workingIn = (house: House, scope: Scope): readonly Child[] => openIn(house, scope).filter(isCancellable);

/** Targets' parents in the scope that still live: their unreleased remainder ends with the halt, and no release brings an old wish back to life. */
export function workedIn(house: House, scope: Scope): readonly Parent[] {
  const venue = venueFor(house);
  return [...house.state.execution.parents.values()].filter(({ account, attribution, end, strategy, symbol, targetId }) =>
    end === null && targetId !== null && touches(scope, { account, strategy, symbol, trader: attribution?.trader ?? null, venue }));
}

const touches = (scope: Scope, touched: Touched): boolean => scopesOf(touched).some((each) => switchKey(each) === switchKey(scope));
