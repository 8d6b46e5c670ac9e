/** Kill switches, releases and approvals on the wire. */
import { Type, type Static } from 'typebox';
import { ID_PATTERNS, isCleanText } from '../../../risk/domain/ids.ts';
import type { ScopeKind } from '../../../risk/records.ts';
import { shape } from '../shape.ts';
import { Reason, RequestId, STRICT } from './common.ts';

/** As long as the longest trader of a registration. */
const SCOPE_ID_LENGTH_MAX = 128;
const matches = (pattern: string) => {
  const form = new RegExp(pattern);
  return (id: string): boolean => form.test(id);
};

/** The form of an id in each kind of scope. A trader is a free word of the registration. */
const SCOPE_IDS: Record<ScopeKind, (id: string) => boolean> = {
  firm: (id) => id === '*',
  venue: matches(ID_PATTERNS.account),
  account: matches(ID_PATTERNS.account),
  strategy: matches(ID_PATTERNS.strategy),
  trader: (id) => isCleanText(id) && id.trim() !== '',
  instrument: matches(ID_PATTERNS.symbol),
};

const ScopeSchema = Type.Object({
  kind: Type.Enum(['firm', 'venue', 'account', 'strategy', 'trader', 'instrument']),
  id: Type.String({ minLength: 1, maxLength: SCOPE_ID_LENGTH_MAX }),
}, STRICT);

const SwitchSchema = Type.Object({
  requestId: Type.Optional(RequestId),
  scope: ScopeSchema,
  state: Type.Enum(['halted', 'reducing']),
  cancel: Type.Enum(['working', 'none']),
  reason: Reason,
}, STRICT);
const ReleaseSchema = Type.Object({ scope: ScopeSchema, reason: Reason }, STRICT);
const ApprovalSchema = Type.Object({ approve: Type.Boolean(), reason: Reason }, STRICT);

export type SwitchBody = Static<typeof SwitchSchema>;
export type ReleaseBody = Static<typeof ReleaseSchema>;
export type ApprovalBody = Static<typeof ApprovalSchema>;

const scopeFault = ({ scope }: { readonly scope: Static<typeof ScopeSchema> }): string | null =>
  (SCOPE_IDS[scope.kind](scope.id) ? null : `scope.id does not have the form of a ${scope.kind}`);

export const switchShape = shape(SwitchSchema, scopeFault);
export const releaseShape = shape(ReleaseSchema, scopeFault);
export const approvalShape = shape(ApprovalSchema);
