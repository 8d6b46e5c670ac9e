/** The records of the compliance room, and the one union of every kind that is ever written. */
import type { ExecutionRecords } from '../execution/records.ts';
import type { Actor, Draft } from '../risk/domain/record.ts';
import type { RiskRecords, Scope, SwitchState } from '../risk/records.ts';

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

/** The only maker of drafts: the kind decides the type of the body. */
export function draft<K extends RecordKind>(kind: K, actor: Actor, cause: Draft['cause'], body: RecordBodies[K]): Draft<K, RecordBodies[K]> {
  return { kind, v: 1, actor, cause, body };
}

export const SYSTEM: Actor = { id: 'portcullis', role: 'system' };
