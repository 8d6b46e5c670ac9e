import { switchKey } from '../risk/switches.ts';
import { instant, NS_PER_DAY, type Ns } from '../risk/domain/time.ts';
import type { LogRecord } from '../risk/domain/record.ts';
import type { SwitchFlipped } from '../risk/records.ts';
import type { ApprovalAnswered, ApprovalRequested } from './records.ts';
import type { ComplianceState } from './state.ts';

type Fold = (state: ComplianceState, record: LogRecord) => void;

const FOLDS: Readonly<Record<string, Fold>> = {
  'approval.requested': (state, record) => {
    const body = record.body as ApprovalRequested;
    forget(state, record.at);
    state.approvals.set(body.id, { ...body, state: 'pending', requestedSeq: record.seq, requestedBy: record.actor.id, expiresAtNs: instant(body.expiresAt) });
  },
  'approval.given': (state, { body }) => { answer(state, (body as ApprovalAnswered).id, 'given'); },
  'approval.refused': (state, { body }) => { answer(state, (body as ApprovalAnswered).id, 'refused'); },
  'switch.flipped': (state, record) => { flipped(state, record as LogRecord<string, SwitchFlipped>); },
};

/**
 * Approvals and request ids. Copies, never decides: whether an answer was allowed was decided before it was recorded. Throws RangeError for
 * a version that no upcaster reads.
 */
export function foldCompliance(state: ComplianceState, record: LogRecord): void {
  const fold = Object.hasOwn(FOLDS, record.kind) ? FOLDS[record.kind] : undefined;
  if (fold === undefined) return;
  if (record.v !== 1) throw new RangeError(`${record.kind} of version ${record.v} is not known to this build`);
  fold(state, record);
}

/** Memory is bounded, by the record's time: what expired a day ago is read from the log. */
function forget(state: ComplianceState, at: Ns): void {
  for (const [id, { expiresAtNs }] of state.approvals) if (expiresAtNs + NS_PER_DAY < at) state.approvals.delete(id);
}

/** Requests of switches remembered: officers, not programs, make them. */
const REQUESTS_MAX = 10_000;

function answer(state: ComplianceState, id: string, outcome: 'given' | 'refused'): void {
  const approval = state.approvals.get(id);
  if (approval === undefined) throw new Error(`an answer to an approval that the log does not know: ${id}`);
  approval.state = outcome;
}

/** A newer engagement voids what was asked about an older one. */
function flipped(state: ComplianceState, { seq, body }: LogRecord<string, SwitchFlipped>): void {
  if (body.requestId !== null) state.switchRequests.set(body.requestId, seq);
  const [oldest] = state.switchRequests.keys();
  if (oldest !== undefined && state.switchRequests.size > REQUESTS_MAX) state.switchRequests.delete(oldest);
  for (const approval of state.approvals.values()) {
    if (approval.state === 'pending' && switchKey(approval.scope) === switchKey(body.scope)) approval.state = 'void';
  }
}
