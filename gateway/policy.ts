/** The policy and the universe that the settings name: read, parsed, hashed, stored as blobs. */
import { readFileSync, statSync } from 'node:fs';
import { canonicalize, contentHash } from '../compliance/canonical.ts';
import type { LogStore } from '../compliance/journal.ts';
import { parsePolicy, policyFromJson, policyJson } from '../risk/policy-file.ts';
import type { PolicyInForce } from '../risk/policy.ts';
import { parseUniverse, universeFromJson, universeJson } from '../risk/universe.ts';

/** Reads both files. Errors: one line that names the file and the place in it, never the text. */
export function readPolicy(policyPath: string, universePath: string): PolicyInForce {
  const policy = inFile(policyPath, parsePolicy);
  const universe = inFile(universePath, parseUniverse);
  return { policy, hash: contentHash(policyJson(policy)), universe, universeHash: contentHash(universeJson(universe)) };
}

function inFile<T>(path: string, parse: (text: string) => T): T {
  if (!statSync(path).isFile()) throw new Error(`${path} is not a regular file`);
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Before the record that names them: a hash in the log always has its text. */
export async function storePolicy(store: LogStore, { policy, hash, universe, universeHash }: PolicyInForce): Promise<void> {
  await store.putBlob(hash, canonicalize(policyJson(policy)));
  await store.putBlob(universeHash, canonicalize(universeJson(universe)));
}

/** Policies by hash, for answers about decisions that an older one made. Needs the universe's hash too: `policy.activated` names both. */
export async function formerPolicy(store: LogStore, hash: string, universeHash: string): Promise<PolicyInForce> {
  const [policy, universe] = await Promise.all([store.getBlob(hash), store.getBlob(universeHash)]);
  if (policy === null || universe === null) throw new Error(`the blob of the policy ${hash} is missing`);
  return { policy: policyFromJson(JSON.parse(policy)), hash, universe: universeFromJson(JSON.parse(universe)), universeHash };
}
