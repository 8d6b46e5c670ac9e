import { switchKey } from '../risk/switches.ts';
import { instant } from '../risk/domain/time.ts';
import type { LogRecord } from '../risk/domain/record.ts';
import type { SwitchFlipped } from '../risk/records.ts';
import type { ApprovalAnswered, ApprovalRequested } from './records.ts';
import type { ComplianceState } from './state.ts';

/** Approvals and request ids. Copies, never decides: whether an answer was allowed was decided before it was recorded. */
export function foldCompliance(state: ComplianceState, record: LogRecord): void {
  switch (record.kind) {
    case 'approval.requested': {
      const body = record.body as ApprovalRequested;
      state.approvals.set(body.id, { ...body, state: 'pending', requestedSeq: record.seq, requestedBy: record.actor.id, expiresAtNs: instant(body.expiresAt) });
      return;
    }
    case 'approval.given':
      answer(state, (record.body as ApprovalAnswered).id, 'given');
      return;
    case 'approval.refused':
      answer(state, (record.body as ApprovalAnswered).id, 'refused');
      return;
    case 'switch.flipped':
      flipped(state, record as LogRecord<string, SwitchFlipped>);
      return;
    default:
  }
}

function answer(state: ComplianceState, id: string, outcome: 'given' | 'refused'): void {
  const approval = state.approvals.get(id);
  if (approval === undefined) throw new Error(`an answer to an approval that the log does not know: ${id}`);
  approval.state = outcome;
}

/** A newer engagement voids what was asked about an older one. */
function flipped(state: ComplianceState, { seq, body }: LogRecord<string, SwitchFlipped>): void {
  if (body.requestId !== null) state.switchRequests.set(body.requestId, seq);
  for (const approval of state.approvals.values()) {
    if (approval.state === 'pending' && switchKey(approval.scope) === switchKey(body.scope)) approval.state = 'void';
  }
}
