/**
 * All state is a fold over the log: this is the fold. Live it runs inside `append`, at a restart over the stored records, in the
 * snapshot worker behind the live log; the same function in all three.
 */
import { foldExecution } from '../execution/reducer.ts';
import { emptyExecutionState, type ExecutionState } from '../execution/state.ts';
import { emptyRiskState } from '../risk/books.ts';
import type { LogRecord } from '../risk/domain/record.ts';
import { instant } from '../risk/domain/time.ts';
import { foldRisk, type Blobs } from '../risk/reducer.ts';
import type { RiskState } from '../risk/state.ts';
import { foldCompliance } from './reducer.ts';
import { emptyComplianceState, type ComplianceState } from './state.ts';

/** Changes whenever the fold of an old record would give another state: a snapshot of another version is not loaded. */
export const FOLD_VERSION = 6;

export interface State {
  readonly risk: RiskState;
  readonly execution: ExecutionState;
  readonly compliance: ComplianceState;
}

export const emptyState = (): State => ({ risk: emptyRiskState(), execution: emptyExecutionState(), compliance: emptyComplianceState() });

export function fold(state: State, record: LogRecord, blobs: Blobs): void {
  foldRisk(state.risk, record, blobs);
  foldExecution(state.execution, state.risk, record);
  foldCompliance(state.compliance, record);
}

/** A stored text as the record that reducers see. The text was hashed as it stands, so its shape is what was written. */
export function parseRecord(canonical: string): LogRecord {
  const stored = JSON.parse(canonical) as Omit<LogRecord, 'at'> & { readonly at: string };
  return { ...stored, at: instant(stored.at) };
}

/** The subject of every `policy.activated`. */
export const POLICIES = 'policies';

/** Keys by which the database finds what memory has forgotten: a decision by its caller's id, and an order's fills, its replacement and its end. */
export function subjectOf(kind: string, body: unknown): string | null {
  switch (kind) {
    case 'order.decided': {
      const { account, clOrdId } = body as { account: string; clOrdId: string };
      return `order:${account}/${clOrdId}`;
    }
    case 'target.decided': {
      const { account, targetId } = body as { account: string; targetId: string };
      return `target:${account}/${targetId}`;
    }
    case 'policy.activated':
      return POLICIES;
    case 'state.snapshotted':
      return `snapshot:${String((body as { size: number }).size)}`;
    case 'order.canceled':
    case 'order.expired':
    case 'order.rejected':
    case 'order.replaced':
    case 'order.filled':
      return `child:${(body as { clOrdId: string }).clOrdId}`;
    case 'slice.withheld': {
      const { clOrdId } = body as { clOrdId: string | null };
      return clOrdId === null ? null : `child:${clOrdId}`;
    }
    default:
      return null;
  }
}
