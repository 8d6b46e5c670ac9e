/** The local development issuer: one Ed25519 key in DATA_DIR, beside a gateway that only this machine reaches. */
import { createHash, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { isAccountId, isSubject } from '../../risk/domain/ids.ts';
import type { Role } from '../../risk/domain/record.ts';
import { openKeyFile } from './key-file.ts';
import { isRole } from './principal.ts';

export const LOCAL_ISSUER = 'urn:portcullis:local';
export const AUDIENCE = 'portcullis';
export const TOKEN_TYPE = 'at+jwt';
export const ACCOUNTS_MAX = 64;
export const TTL_SECONDS_MAX = 24 * 3600;
export const KEY_FILE = 'issuer.key.pem';

/** Its message is one line for the operator. */
export class IssuerError extends Error {
  override readonly name = 'IssuerError';
}

export interface Issuer {
  readonly id: string;
  readonly kid: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}
export interface Grant {
  readonly sub: string;
  readonly role: Role;
  readonly accounts: readonly string[];
  readonly ttlSeconds: number;
}

/** Opens the issuer of `dataDir`, making its key at the first start. Throws KeyFileError when the key is not private or not a key. */
export function openIssuer(dataDir: string): Issuer {
  const { publicKey, privateKey } = openKeyFile(dataDir, KEY_FILE);
  const kid = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('hex').slice(0, 16);
  return { id: LOCAL_ISSUER, kid, publicKey, privateKey };
}

/** The first fault of a grant by the predicates that `verify` uses, or null. */
function grantFault(grant: { readonly [K in keyof Grant]: unknown }): string | null {
  if (!isRole(grant.role)) return 'role is not one of the five';
  if (!isSubject(grant.sub)) return 'sub does not have the form of a subject';
  if (!Array.isArray(grant.accounts) || grant.accounts.length > ACCOUNTS_MAX) return `accounts are at most ${ACCOUNTS_MAX}`;
  if (!grant.accounts.every(isAccountId)) return 'account does not have the form of an account';
  const ttl = grant.ttlSeconds;
  if (typeof ttl !== 'number' || !Number.isInteger(ttl) || ttl < 1 || ttl > TTL_SECONDS_MAX) return `ttl is 1 to ${TTL_SECONDS_MAX} seconds`;
  return null;
}

/** A signed token. `nowMs` is the wall clock's. Throws IssuerError on a grant that no verifier would take. */
export async function issueToken(issuer: Issuer, grant: Grant, nowMs: number): Promise<string> {
  const fault = grantFault(grant);
  if (fault !== null) throw new IssuerError(fault);
  const issuedAt = Math.floor(nowMs / 1000);
  return new SignJWT({ role: grant.role, accounts: [...grant.accounts] })
    .setProtectedHeader({ alg: 'EdDSA', typ: TOKEN_TYPE, kid: issuer.kid })
    .setIssuer(issuer.id).setAudience(AUDIENCE).setSubject(grant.sub)
    .setIssuedAt(issuedAt).setExpirationTime(issuedAt + grant.ttlSeconds)
    .sign(issuer.privateKey);
}
