/** What a start does once the log is folded: it says who started, brings policy and accounts in force, adopts, asks the venues, goes on. */
import { isOpen } from '../execution/order-state.ts';
import { readEmergency, type EmergencyLog } from '../compliance/emergency.ts';
import { draft, SYSTEM, type RecordBodies } from '../compliance/records.ts';
import { formatDecimal } from '../risk/domain/decimal.ts';
import type { Actor, Draft } from '../risk/domain/record.ts';
import type { Ns } from '../risk/domain/time.ts';
import type { PolicyInForce } from '../risk/policy.ts';
import type { SwitchFlipped } from '../risk/records.ts';
import { isTightening, switchKey } from '../risk/switches.ts';
import { hasLeft, isCancellable, type CancelBody } from './flows/cancel.ts';
import { workedIn } from './flows/flip-switch.ts';
import { schedule } from './flows/schedule.ts';
import { withdrawals } from './flows/withdraw.ts';
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
 * Orders whose send may or may not have reached the venue: their outcome is unknown, their exposure stays reserved, and the venue is
 * asked. A create is never sent again. One whose record is still on its way has not left: it is not asked about, and leaves when it may.
 */
export function askVenues(house: House): void {
  for (const venue of house.venues.values()) askVenue(house, venue.id);
}

export function askVenue(house: House, venue: string): void {
  const open = [...house.state.execution.children.values()].filter((child) => child.order.venue === venue && isOpen(child.state) && hasLeft(house, child));
  const lost = open.filter((child) => child.state === 'pending');
  if (lost.length > 0) {
    house.journal.append(lost.map(({ order: { account, clOrdId, parent, strategy, symbol }, seq }) =>
      draft('order.unknown', SYSTEM, seq, { account, clOrdId, parent, reason: 'the connection ended before the venue answered', strategy, symbol, venue })))
      .durable.catch(house.fail);
  }
  house.venues.get(venue)?.reconcile(open.map((child) => child.order.clOrdId));
}

/**
 * Takes over what was done while the log could not be written. What the queue has written meanwhile is not repeated: a halt that is in
 * force, a cancel that is known. Only then is the file set aside; a crash before that adopts again, and finds nothing left to add.
 */
export function adoptEmergency(house: House, file: EmergencyLog, path: string): void {
  const { entries } = readEmergency(path);
  const last = entries.at(-1);
  if (last === undefined) return;
  const drafts: Draft[] = [draft('emergency.adopted', SYSTEM, null, { entries: entries.length, head: last.hash })];
  for (const { at, kind, body: stored } of entries) {
    const { actor, body } = stored as unknown as { readonly actor: Actor; readonly body: SwitchFlipped & CancelBody };
    if (kind === 'switch.flipped') {
      drafts.push(...adoptedFlip(house, actor, body, at));
    } else {
      const child = house.state.execution.children.get(body.clOrdId);
      if (child !== undefined && isCancellable(child)) drafts.push(draft(kind, actor, 'first', body));
    }
  }
  house.journal.append(drafts).durable.then(() => { file.archive(); }).catch(house.fail);
}

/** A flip that the log has lost, with what it ended. One that the log knows, or that was released or tightened since, is history. */
function adoptedFlip(house: House, actor: Actor, flipped: SwitchFlipped, at: Ns): Draft[] {
  const now = house.state.risk.switches.get(switchKey(flipped.scope));
  const previous = now?.state ?? 'active';
  if ((now !== undefined && now.since >= at) || !isTightening(previous, flipped.state)) return [];
  const parents = flipped.cancel === 'none' ? [] : workedIn(house, flipped.scope);
  return [
    draft('switch.flipped', actor, 'first', { ...flipped, engagement: (now?.engagement ?? 0) + 1, previous }),
    ...withdrawals(parents, flipped.reason, 'first', actor),
  ];
}

/** Live parents go on where they stopped. */
export function resumeParents(house: House): void {
  for (const id of [...house.state.execution.parents.keys()]) schedule(house, id);
}
