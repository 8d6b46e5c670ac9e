/** Verified tokens, remembered by their SHA-256, the last one as it is, so that a signature is checked once a minute and not once a request. */
import { hash } from 'node:crypto';
import type { Principal } from './principal.ts';

const ENTRIES_MAX = 10_000;
const KEPT_MS = 60_000;

export interface Authenticator {
  /** The principal of a token verified within the last minute; null says nothing about the token. About a microsecond. */
  cached(token: string): Principal | null;
  /** Whether this very token is being verified at this moment: waiting for it costs nothing. */
  verifying(token: string): boolean;
  /** Verifies. Null: the token is not good. Calls at once for one token share one verification. */
  verify(token: string): Promise<Principal | null>;
}

interface Entry {
  readonly principal: Principal;
  readonly untilMs: number;
}

const keyOf = (token: string): string => hash('sha256', token, 'base64');

/** Wraps `verify`. `wallNowMs` is the wall clock: tokens follow it, whatever clock the market keeps. */
export function createAuthenticator(verify: (token: string, nowMs: number) => Promise<Principal | null>, wallNowMs: () => number): Authenticator {
  const entries = new Map<string, Entry>();
  const running = new Map<string, Promise<Principal | null>>();

  async function verifyOnce(token: string, key: string): Promise<Principal | null> {
    const principal = await verify(token, wallNowMs());
    const nowMs = wallNowMs();
    if (principal === null || principal.expiresAtMs <= nowMs) return principal; // within the verifier's tolerance, and not kept
    entries.delete(key);
    const oldest = entries.size >= ENTRIES_MAX ? entries.keys().next() : null;
    if (oldest?.done === false) entries.delete(oldest.value);
    entries.set(key, { principal, untilMs: Math.min(principal.expiresAtMs, nowMs + KEPT_MS) });
    return principal;
  }

  /** The token asked for last: a strategy shows the same one in every request, and to compare costs less than to hash. */
  let last: { readonly token: string; readonly entry: Entry } | null = null;

  return {
    cached(token) {
      if (last?.token === token && wallNowMs() < last.entry.untilMs) return last.entry.principal;
      const key = keyOf(token);
      const entry = entries.get(key);
      if (entry === undefined) return null;
      if (wallNowMs() < entry.untilMs) {
        last = { token, entry };
        return entry.principal;
      }
      entries.delete(key);
      return null;
    },
    verifying: (token) => running.has(keyOf(token)),
    verify(token) {
      const key = keyOf(token);
      const known = running.get(key);
      if (known !== undefined) return known;
      const verification = verifyOnce(token, key).finally(() => running.delete(key));
      running.set(key, verification);
      return verification;
    },
  };
}
