/** What a start does once the log is folded: it says who started, brings policy and accounts in force, adopts, asks the venues, goes on. */
import { isOpen } from '../execution/order-state.ts';
import type { Child } from '../execution/state.ts';
import type { EmergencyEntry, EmergencyLog } from '../compliance/emergency.ts';
import { draft, SYSTEM, type RecordBodies } from '../compliance/records.ts';
import { formatDecimal } from '../risk/domain/decimal.ts';
import type { Actor, Draft } from '../risk/domain/record.ts';
import type { PolicyInForce } from '../risk/policy.ts';
import type { SwitchFlipped, TargetWithdrawn } from '../risk/records.ts';
import { isLoosening, switchKey } from '../risk/switches.ts';
import { cancelBody, cancelDrafts, hasLeft, isCancellable, sendCancels, type CancelBody } from './flows/cancel.ts';
import { workedIn, workingIn } from './flows/flip-switch.ts';
import { schedule } from './flows/schedule.ts';
import { withdrawnDrafts } from './flows/withdraw.ts';
import type { House } from './house.ts';

/** The first records of a start, as one unit: nobody decides between them. */
export function openingDrafts(house: House, node: RecordBodies['node.started'], wanted: PolicyInForce): Draft[] {
  const { risk } = house.state;
  const { policy, hash, universeHash } = wanted;
  const drafts: Draft[] = [draft('node.started', SYSTEM, null, node)];
  if (risk.policy?.hash !== hash || risk.policy.universeHash !== universeHash) {
    drafts.push(draft('policy.activated', SYSTEM, 'first', { hash, id: policy.id, universeHash, version: policy.version }));
    for (const { id, account, attribution } of policy.strategies) {
      drafts.push(draft('strategy.registered', SYSTEM, 'first', { account, attribution, strategy: id }));
    }
  }
  for (const { id, currency, openingCash } of policy.accounts) {
    if (!risk.accounts.has(id)) drafts.push(draft('account.funded', SYSTEM, 'first', { account: id, amount: formatDecimal(openingCash), currency }));
  }
  return drafts;
}

/**
 * One line for the operator where the start brings other limits in force under the version that is in force, or under an older one: records
 * name a policy by its version and its hash, and people by its version alone. Null: nothing to say.
 */
export function policyWarning(before: PolicyInForce | null, { policy, hash }: PolicyInForce): string | null {
  if (before === null || before.hash === hash || before.policy.id !== policy.id || before.policy.version < policy.version) return null;
  const name = `${policy.id} version ${String(policy.version)}`;
  const advice = 'raise `version` in the policy file with every change';
  if (before.policy.version > policy.version) return `the policy in force until now is newer, version ${String(before.policy.version)}, than ${name}; ${advice}`;
  return `the policy in force until now has the same version and other content: ${name}; ${advice}`;
}

/**
 * Orders whose send may or may not have reached the venue: their outcome is unknown, their exposure stays reserved, and the venue is
 * asked. A create is never sent again; a cancel is, since a crash may have come between its record and its sending. What is not
 * durable was never sent: there is nothing to ask.
 */
export function askVenues(house: House): void {
  for (const venue of house.venues.values()) askVenue(house, venue.id);
}

export function askVenue(house: House, venue: string): void {
  const sent = (child: Child): boolean => child.order.venue === venue && hasLeft(house, child);
  const open = [...house.state.execution.children.values()].filter((child) => sent(child) && isOpen(child.state));
  const lost = open.filter((child) => child.state === 'pending');
  if (lost.length > 0) {
    house.journal.append(lost.map(({ order: { account, clOrdId, parent, strategy, symbol }, seq }) =>
      draft('order.unknown', SYSTEM, seq, { account, clOrdId, parent, reason: 'the connection ended before the venue answered', strategy, symbol, venue })))
      .durable.catch(house.fail);
  }
  house.venues.get(venue)?.reconcile(open.map((child) => child.order.clOrdId));
  sendCancels(house, open.filter((child) => child.state === 'pending_cancel').map((child) => child.order));
}

/** By its hash, the last entry that this life has taken over. */
const adoptedUpTo = new WeakMap<House['journal'], string>();

/**
 * Takes over what was done while the log could not be written. What the queue has written meanwhile is not repeated: a flip that it
 * holds, a withdrawal or a cancel that is known. Only then is the file set aside; a crash before that adopts again, and finds nothing
 * left to add. What was done since is adopted first.
 *
 * An entry is looked at once in a life: of a former one it may name an order that was lost with its records, and whose id, made of their
 * seqs, is another order's now.
 */
export function adoptEmergency(house: House, file: EmergencyLog): void {
  const all = file.entries();
  const before = adoptedUpTo.get(house.journal);
  const entries = all.slice(all.findIndex(({ hash }) => hash === before) + 1);
  const last = entries.at(-1);
  if (last === undefined) return;
  const drafts: Draft[] = [draft('emergency.adopted', SYSTEM, null, { entries: all.length, head: last.hash })];
  const adoption: Adoption = { flips: new Map(), withdrawn: new Set(), cancelled: new Set() };
  const now = house.journal.now(); // before the seq is read: a step of the clock is a record
  const seq = house.journal.nextSeq;
  for (const entry of entries) drafts.push(...adopted(house, entry, adoption, seq + drafts.length));
  const { durable } = house.journal.append(drafts, now);
  adoptedUpTo.set(house.journal, last.hash);
  durable.then(() => {
    if (file.entries().at(-1)?.hash === last.hash) file.archive();
    else adoptEmergency(house, file);
  }).catch(house.fail);
}

/** What was adopted so far: switches by scope, parents and children by id. */
interface Adoption {
  readonly flips: Map<string, SwitchFlipped>;
  readonly withdrawn: Set<string>;
  readonly cancelled: Set<string>;
}

/** The records that an entry becomes; the first of them will have this seq. */
function adopted(house: House, { kind, body: stored }: EmergencyEntry, adoption: Adoption, seq: number): readonly Draft[] {
  const { actor, body } = stored as unknown as { readonly actor: Actor; readonly body: SwitchFlipped & CancelBody & TargetWithdrawn };
  const { parents, children } = house.state.execution;
  switch (kind) {
    case 'switch.flipped':
      return adoptedFlip(house, actor, body, adoption, seq);
    case 'target.withdrawn': {
      const live = body.parents.filter((id) => parents.get(id)?.end === null && !adoption.withdrawn.has(id));
      for (const id of live) adoption.withdrawn.add(id);
      return live.length === 0 ? [] : [draft(kind, actor, 'first', { ...body, parents: live })];
    }
    case 'cancel.requested': {
      const child = children.get(body.clOrdId);
      const isNew = child !== undefined && isCancellable(child) && !adoption.cancelled.has(body.clOrdId);
      adoption.cancelled.add(body.clOrdId);
      return isNew ? [draft(kind, actor, 'first', body)] : [];
    }
  }
}

/**
 * Engagements are counted: one that is not beyond the log's is in it, whether it holds or was released since. One beyond it voids what was
 * asked about the one before, also where the scope is halted still because a release was lost. A kill that the log does not know is done
 * again on what lives in its scope: a crash brought back what memory had seen end. The flip is the cause of it: who asks again is told of it.
 */
function adoptedFlip(house: House, actor: Actor, body: SwitchFlipped, { flips, withdrawn, cancelled }: Adoption, seq: number): readonly Draft[] {
  const key = switchKey(body.scope);
  const now = flips.get(key) ?? house.state.risk.switches.get(key) ?? { state: 'active', engagement: 0 };
  if (body.engagement <= now.engagement || isLoosening(now.state, body.state)) return [];
  const flip = { ...body, previous: now.state };
  flips.set(key, flip);
  const drafts: Draft[] = [draft('switch.flipped', actor, 'first', flip)];
  if (body.cancel === 'none') return drafts;
  const parents = workedIn(house, body.scope).filter(({ id }) => !withdrawn.has(id));
  const children = workingIn(house, body.scope).filter(({ order }) => !cancelled.has(order.clOrdId));
  for (const { id } of parents) withdrawn.add(id);
  for (const { order } of children) cancelled.add(order.clOrdId);
  const { reason } = body;
  drafts.push(...withdrawnDrafts(parents, { actor, reason, cause: seq }), ...cancelDrafts(children.map((child) => cancelBody(child, reason)), seq, actor));
  return drafts;
}

/** Live parents go on where they stopped. */
export function resumeParents(house: House): void {
  for (const id of [...house.state.execution.parents.keys()]) schedule(house, id);
}
