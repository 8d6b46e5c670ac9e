/** The door for tokens, the same for both faces: remembered ones pass at once, the others are verified within a rate an address. */
import { BOUNDS, Buckets } from '../http/bounds.ts';
import { Refusal } from '../http/errors.ts';
import type { Authenticator } from './cache.ts';
import type { Principal } from './principal.ts';

export interface Gate {
  /** Synchronous, about a microsecond. Null says nothing about the token. */
  known(token: string): Principal | null;
  /** Verifies. Rejects with Refusal UNAUTHENTICATED or, past the address's rate of failures, RATE_LIMITED. `urgent` is never limited. */
  admit(token: string, source: string, urgent: boolean): Promise<Principal>;
}

export function createGate(auth: Authenticator, nowMs: () => number): Gate {
  const failures = new Buckets(BOUNDS.failedTokensPerSecond, BOUNDS.failedTokensBurst, nowMs);
  return {
    known: (token) => auth.cached(token),
    async admit(token, source, urgent) {
      // Taken before the work and given back after a success, so that a burst cannot all be verified before the first one has failed.
      const counted = !urgent && !auth.verifying(token);
      if (counted && !failures.take(source)) throw new Refusal('RATE_LIMITED');
      const principal = await auth.verify(token);
      if (principal === null) throw new Refusal('UNAUTHENTICATED');
      if (counted) failures.giveBack(source);
      return principal;
    },
  };
}
