/** The records of the compliance room, and the one union of every kind that is ever written. */
import type { ExecutionRecords } from '../execution/records.ts';
import type { Actor, Draft } from '../risk/domain/record.ts';
import type { RiskRecords, Scope, SwitchState } from '../risk/records.ts';

/** A head of a log: how many records, and the hash of the last. */
export interface Fork {
  readonly log: string;
  readonly size: number;
  readonly hash: string;
}
/** The first record of every start: which build decided what follows, on which clock. */
export interface NodeStarted {
  readonly version: string;
  readonly commit: string | null;
  readonly lockfileHash: string;
  readonly policyHash: string;
  readonly node: string;
  readonly v8: string;
  readonly arch: string;
  /** `wall`, or `replay:<source>`: the clock that `at` follows. */
  readonly clock: string;
  /** Size of the log that was folded before this start. */
  readonly resumedAt: number;
  /** In the first record of a log that was begun because another could not go on: that log, and what was left of it. Null elsewhere. */
  readonly forkOf: Fork | null;
}
/** A request to loosen a switch. It binds to the SHA-256 of what is asked and to the engagement it would end. */
export interface ApprovalRequested {
  readonly id: string;
  readonly action: 'release';
  readonly scope: Scope;
  readonly from: SwitchState;
  readonly to: SwitchState;
  readonly engagement: number;
  readonly reason: string;
  readonly hash: string;
  /** The person: issuer and subject, folded to lower case. */
  readonly person: string;
  readonly expiresAt: string;
}
export interface ApprovalAnswered {
  readonly id: string;
  readonly hash: string;
  readonly reason: string;
  readonly person: string;
}
/** A refusal for lack of authority: who, what, with which code. */
export interface AccessDenied {
  readonly code: string;
  readonly method: string;
  readonly route: string;
  readonly source: string;
}
/** All other refusals of one source within one minute: a stranger must not fill a seven-year log. */
export interface AccessCounted {
  readonly source: string;
  readonly counts: Readonly<Record<string, number>>;
}
export interface AlertRaised {
  readonly code: string;
  readonly detail: string;
}
export interface CheckpointPublished {
  readonly size: number;
  /** Base64. */
  readonly root: string;
}
/** A snapshot of the state after the record `size − 1`, by a worker that folded the log behind the live one. */
export interface StateSnapshotted {
  readonly size: number;
  readonly hash: string;
  readonly foldVersion: number;
}
/** Cancels and halts that were done while the log could not be written, taken from the emergency file. */
export interface EmergencyAdopted {
  readonly entries: number;
  /** Hash of the file's last entry. */
  readonly head: string;
}

export interface ComplianceRecords {
  'node.started': NodeStarted;
  'approval.requested': ApprovalRequested;
  'approval.given': ApprovalAnswered;
  'approval.refused': ApprovalAnswered;
  'access.denied': AccessDenied;
  'access.counted': AccessCounted;
  'alert.raised': AlertRaised;
  'checkpoint.published': CheckpointPublished;
  'state.snapshotted': StateSnapshotted;
  'emergency.adopted': EmergencyAdopted;
}

/** Every kind of record and its body. A kind that a room adds is known here by itself. */
export type RecordBodies = RiskRecords & ExecutionRecords & ComplianceRecords;
export type RecordKind = keyof RecordBodies;

/**
 * Every kind, with the version that is written today. A kind that is added asks for its line here, for its largest body
 * (tests/compliance/largest.ts) and for a golden file (tests/compliance/golden/README.md).
 */
export const VERSIONS: Readonly<Record<RecordKind, number>> = {
  'access.counted': 1,
  'access.denied': 1,
  'account.funded': 1,
  'account.marked': 1,
  'alert.raised': 1,
  'approval.given': 1,
  'approval.refused': 1,
  'approval.requested': 1,
  'break.found': 1,
  'cancel.requested': 1,
  'checkpoint.published': 1,
  'emergency.adopted': 1,
  'leg.decided': 1,
  'node.started': 1,
  'order.acknowledged': 1,
  'order.canceled': 1,
  'order.decided': 1,
  'order.expired': 1,
  'order.filled': 1,
  'order.rejected': 1,
  'order.replaced': 1,
  'order.unknown': 1,
  'parent.expired': 1,
  'policy.activated': 1,
  'slice.released': 1,
  'slice.withheld': 1,
  'state.snapshotted': 1,
  'strategy.registered': 1,
  'switch.flipped': 1,
  'target.decided': 1,
  'target.withdrawn': 1,
};
export const KINDS = Object.keys(VERSIONS) as readonly RecordKind[];

/** The only maker of drafts: the kind decides the type of the body. */
export function draft<K extends RecordKind>(kind: K, actor: Actor, cause: Draft['cause'], body: RecordBodies[K]): Draft<K, RecordBodies[K]> {
  return { kind, v: VERSIONS[kind], actor, cause, body };
}

export const SYSTEM: Actor = { id: 'portcullis', role: 'system' };
