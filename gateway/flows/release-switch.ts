import { contentHash } from '../../compliance/canonical.ts';
import { draft } from '../../compliance/records.ts';
import type { Approval } from '../../compliance/state.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor, Draft } from '../../risk/domain/record.ts';
import { formatInstant, plusMs } from '../../risk/domain/time.ts';
import type { Scope, SwitchFlipped, SwitchState } from '../../risk/records.ts';
import { FIRM, isLoosening, switchKey } from '../../risk/switches.ts';
import { idOf, policyInForce, type House } from '../house.ts';

/** A person is an issuer and a subject, in lower case: two tokens of one person are one person. */
export interface Officer {
  readonly actor: Actor;
  readonly person: string;
}

/** A request to loosen lives half an hour. */
const RELEASE_EXPIRES_MS = 30 * 60_000;

export type ReleaseAnswer = { readonly outcome: 'requested'; readonly approvalId: string; readonly receipt: Receipt } | { readonly outcome: 'nothing-to-release' };

/** First of two persons: asks to loosen a switch. Binds to the switch's present engagement; a newer halt voids it. */
export async function requestRelease(
  house: House, { actor, person }: Officer, { scope, to, reason }: { readonly scope: Scope; readonly to: SwitchState; readonly reason: string },
): Promise<ReleaseAnswer> {
  // read
  const current = house.state.risk.switches.get(switchKey(scope));

  // decide
  if (current === undefined || !isLoosening(current.state, to)) return { outcome: 'nothing-to-release' };
  const id = idOf(house.journal.log, house.journal.nextSeq);
  const asked = { action: 'release' as const, engagement: current.engagement, from: current.state, scope: { id: scope.id, kind: scope.kind }, to };
  const expiresAt = formatInstant(plusMs(house.timers.now(), RELEASE_EXPIRES_MS));

  // record
  const requested = draft('approval.requested', actor, null, { ...asked, expiresAt, hash: contentHash(asked), id, person, reason });
  const [receipt] = await house.journal.append([requested]).durable;
  return { outcome: 'requested', approvalId: id, receipt: receipt as Receipt };
}

export type ApprovalAnswer =
  | { readonly outcome: 'given' | 'refused'; readonly approval: Approval; readonly receipt: Receipt }
  | { readonly outcome: 'unknown' | 'void' | 'expired' | 'same-person' | 'killed' };

/** Second of two persons: allows or refuses. Of answers at the same time one wins, because an answer is folded in the turn that gives it. */
export async function answerApproval(
  house: House, { actor, person }: Officer, id: string, { approve, reason }: { readonly approve: boolean; readonly reason: string },
): Promise<ApprovalAnswer> {
  // read
  const approval = house.state.compliance.approvals.get(id);
  if (approval === undefined) return { outcome: 'unknown' };

  // decide
  const isAlone = approval.person === person;
  const fault = faultOf(house, approval, isAlone, approve);
  if (fault !== null) {
    await recordAttempt(house, actor, approval, fault);
    return { outcome: fault };
  }

  // record
  const answered = { hash: approval.hash, id, person, reason };
  const drafts: Draft[] = approve
    ? [draft('approval.given', actor, approval.requestedSeq, answered), draft('switch.flipped', actor, 'first', loosened(approval))]
    : [draft('approval.refused', actor, approval.requestedSeq, answered)];
  if (isAlone) drafts.push(draft('alert.raised', actor, 'first', { code: 'BREAK_GLASS', detail: `${switchKey(approval.scope)} was released by one person alone` }));
  const [receipt] = await house.journal.append(drafts).durable;
  return { outcome: approve ? 'given' : 'refused', approval, receipt: receipt as Receipt };
}

type Fault = 'same-person' | 'void' | 'expired' | 'killed';
const CODE_OF: Readonly<Record<Fault, string>> = { 'same-person': 'SAME_PERSON', void: 'CONFLICT', expired: 'EXPIRED', killed: 'CONFLICT' };

/** Why an approval cannot be answered so; null when it can. */
function faultOf(house: House, approval: Approval, isAlone: boolean, approve: boolean): Fault | null {
  if (isAlone && !(approve && policyInForce(house).policy.breakGlass)) return 'same-person';
  const current = house.state.risk.switches.get(switchKey(approval.scope));
  if (approval.state !== 'pending' || current?.engagement !== approval.engagement) return 'void';
  if (house.timers.now() > approval.expiresAtNs) return 'expired';
  return approve && switchKey(approval.scope) === switchKey(FIRM) && house.killed() !== null ? 'killed' : null;
}

/** The attempt names who made it; its cause, the request, names who asked, for what and why. */
async function recordAttempt(house: House, actor: Actor, { id, requestedSeq }: Approval, fault: Fault): Promise<void> {
  const denied = { code: CODE_OF[fault], method: 'POST', route: `/v1/approvals/${id}`, source: '' };
  await house.journal.append([draft('access.denied', actor, requestedSeq, denied)]).durable;
}

/** A release keeps the engagement it ends; the next tightening begins a new one. */
function loosened({ id, scope, from, to, engagement, reason }: Approval): SwitchFlipped {
  return { approval: id, cancel: 'none', engagement, previous: from, reason, requestId: null, scope, state: to };
}
