/** Token → principal, or nothing. Nothing in a token is ever fetched, opened or queried; why it failed is told to nobody. */
import type { KeyObject } from 'node:crypto';
import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose';
import { isAccountId, isSubject } from '../../risk/domain/ids.ts';
import { ACCOUNTS_MAX, AUDIENCE, TOKEN_TYPE, TTL_SECONDS_MAX } from './issuer.ts';
import { isRole, personOf, type Principal } from './principal.ts';

const TOKEN_BYTES_MAX = 4096;
const TOLERANCE_SECONDS = 5;
const HEADER_NAMES = new Set(['alg', 'typ', 'kid']);
const KID = /^[A-Za-z0-9._-]{1,64}$/;
/** Three base64url parts; checked before anything is decoded. */
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** The issuer that is trusted, with its public keys by `kid`. */
export interface Trust {
  readonly issuer: string;
  readonly keys: ReadonlyMap<string, KeyObject>;
}

/** The key that the token's header selects; null for a header with any other name in it, so that `jwk`, `jku`, `x5c`, `crit` never act. */
function keyOf(token: string, trust: Trust): KeyObject | null {
  const header = decodeProtectedHeader(token);
  if (!Object.keys(header).every((name) => HEADER_NAMES.has(name))) return null;
  return typeof header.kid === 'string' && KID.test(header.kid) ? (trust.keys.get(header.kid) ?? null) : null;
}

function principalOf(claims: JWTPayload, issuer: string): Principal | null {
  const { sub, role, accounts, exp, iat } = claims;
  if (!isSubject(sub) || !isRole(role) || typeof exp !== 'number' || typeof iat !== 'number') return null;
  if (exp - iat > TTL_SECONDS_MAX) return null;
  if (!Array.isArray(accounts) || accounts.length > ACCOUNTS_MAX || !accounts.every(isAccountId)) return null;
  return Object.freeze({ sub, role, accounts: new Set(accounts), expiresAtMs: exp * 1000, person: personOf(issuer, sub) });
}

/**
 * Verifies a compact JWT of at most 4,096 bytes by the wall clock (`nowMs`): EdDSA only, exact issuer and audience, `at+jwt`, at most
 * 24 hours old and long, 5 s of tolerance (RFC 8725, RFC 9068). Null for every token that fails.
 */
export async function verifyToken(token: string, trust: Trust, nowMs: number): Promise<Principal | null> {
  if (token.length > TOKEN_BYTES_MAX || !COMPACT.test(token)) return null;
  try {
    const key = keyOf(token, trust);
    if (key === null) return null;
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['EdDSA'], issuer: trust.issuer, audience: AUDIENCE, typ: TOKEN_TYPE, requiredClaims: ['sub', 'exp', 'iat', 'role', 'accounts'],
      maxTokenAge: TTL_SECONDS_MAX, clockTolerance: TOLERANCE_SECONDS, currentDate: new Date(nowMs),
    });
    return principalOf(payload, trust.issuer);
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return null;
    throw error;
  }
}
