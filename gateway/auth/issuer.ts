/** The local development issuer: one Ed25519 key in DATA_DIR, beside a gateway that only this machine reaches. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { isAccountId, isSubject } from '../../risk/domain/ids.ts';
import type { Role } from '../../risk/domain/record.ts';
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

/** Opens the issuer of `dataDir`, making its key at the first start. Throws IssuerError when the key is not private or not a key. */
export function openIssuer(dataDir: string): Issuer {
  const path = join(dataDir, KEY_FILE);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) createKey(dataDir, path);
  const stat = lstatSync(path);
  if (!stat.isFile()) throw new IssuerError(`${KEY_FILE} is not a regular file`);
  if ((stat.mode & 0o077) !== 0) throw new IssuerError(`${KEY_FILE} is open to group or others: chmod 600 it, or delete it for a new key`);
  const privateKey = parseKey(readFileSync(path));
  const publicKey = createPublicKey(privateKey);
  const kid = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('hex').slice(0, 16);
  return { id: LOCAL_ISSUER, kid, publicKey, privateKey };
}

function parseKey(pem: Buffer): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new IssuerError(`${KEY_FILE} holds no private key`);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new IssuerError(`${KEY_FILE} holds no Ed25519 key`);
  return key;
}

/** Written aside and linked into place: a crash leaves a whole key or none, and of two starts at once one key wins. */
function createKey(dataDir: string, path: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'w' });
  try {
    linkSync(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside);
  }
}

/** The first fault of a grant by the predicates that `verify` uses, or null. */
export function grantFault(grant: { readonly [K in keyof Grant]: unknown }): string | null {
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
