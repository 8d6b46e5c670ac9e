/** The compliance state as JSON and back, exactly, for snapshots. */
import { formatInstant, instant } from '../risk/domain/time.ts';
import type { Json } from '../risk/domain/record.ts';
import type { Approval, ComplianceState } from './state.ts';

type StoredApproval = Omit<Approval, 'expiresAtNs'>;

interface Stored {
  readonly approvals: readonly StoredApproval[];
  readonly switchRequests: readonly (readonly [string, number])[];
}

export function dumpCompliance({ approvals, switchRequests }: ComplianceState): Json {
  return {
    approvals: [...approvals.values()].map(({ expiresAtNs, ...approval }) => ({ ...approval, expiresAt: formatInstant(expiresAtNs) })) as unknown as Json,
    switchRequests: [...switchRequests],
  };
}

export function loadCompliance(json: Json): ComplianceState {
  const { approvals, switchRequests } = json as unknown as Stored;
  return {
    approvals: new Map(approvals.map((approval) => [approval.id, { ...approval, expiresAtNs: instant(approval.expiresAt) }])),
    switchRequests: new Map(switchRequests),
  };
}
