/** Who trades, and who answers for it (RTS 6 Articles 12 and 15). */
import { checkOf } from '../check.ts';
import type { Attribution } from '../domain/order.ts';
import type { AuthorityInput } from './inputs.ts';

const PARTS: Record<keyof Attribution, true> = { algorithmId: true, trader: true, desk: true, client: true, capacity: true };

function missingParts(attribution: Attribution | null): readonly string[] {
  const parts = Object.keys(PARTS) as (keyof Attribution)[];
  return attribution === null ? parts : parts.filter((part) => attribution[part].trim() === '');
}

/** Every part of the attribution is there: as given, or from the strategy's registration. */
export const attribution = checkOf<AuthorityInput>()({
  code: 'ATTRIBUTION', unit: 'none', needs: [], limit: () => 'complete',
  decide: (input) => {
    const missing = missingParts(input.attribution);
    return { ok: missing.length === 0, observed: missing.length === 0 ? 'complete' : `without ${missing.join(',')}` };
  },
});

/** The strategy is registered on this account and permits the subject. A slice passes as its parent did, while the strategy is registered. */
export const permission = checkOf<AuthorityInput>()({
  code: 'PERMISSION', unit: 'none', needs: [], limit: () => 'permitted',
  decide: ({ registration, subject }) => {
    if (registration === null) return { ok: false, observed: 'unregistered' };
    if (subject === null) return { ok: true, observed: 'parent' };
    const ok = registration.subjects === 'any' || registration.subjects.includes(subject);
    return { ok, observed: ok ? 'permitted' : 'refused' };
  },
});
