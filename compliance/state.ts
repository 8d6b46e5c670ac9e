import type { Ns } from '../risk/domain/time.ts';
import type { ApprovalRequested } from './records.ts';

export type ApprovalState = 'pending' | 'given' | 'refused' | 'void';

export interface Approval extends ApprovalRequested {
  state: ApprovalState;
  readonly requestedSeq: number;
  readonly requestedBy: string;
  readonly expiresAtNs: Ns;
}

/** What the compliance room folds: who asked for what, and which request of a switch was already done. */
export interface ComplianceState {
  readonly approvals: Map<string, Approval>;
  /** `requestId` of a switch → seq of its flip: a repeat halts once. */
  readonly switchRequests: Map<string, number>;
}

export const emptyComplianceState = (): ComplianceState => ({ approvals: new Map(), switchRequests: new Map() });
