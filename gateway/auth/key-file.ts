/** Private Ed25519 keys in DATA_DIR: made at the first start, readable by their owner alone. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Its message is one line for the operator. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** The key in `dataDir/name`, made when there is none. Throws KeyFileError when it is open to others, or no Ed25519 key. */
export function openKeyFile(dataDir: string, name: string): KeyPair {
  const path = join(dataDir, name);
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) createKey(dataDir, path);
  const stat = lstatSync(path);
  if (!stat.isFile()) throw new KeyFileError(`${name} is not a regular file`);
  if ((stat.mode & 0o077) !== 0) throw new KeyFileError(`${name} is open to group or others: chmod 600 it, or delete it for a new key`);
  const privateKey = parseKey(readFileSync(path), name);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function parseKey(pem: Buffer, name: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new KeyFileError(`${name} holds no private key`);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new KeyFileError(`${name} holds no Ed25519 key`);
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
