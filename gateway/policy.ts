/** The policy and the universe that the settings name: read, parsed, hashed, stored as blobs. */
import { hash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { canonicalize, contentHash } from '../compliance/canonical.ts';
import type { LogStore } from '../compliance/journal.ts';
import type { LogRecord } from '../risk/domain/record.ts';
import { parsePolicy, policyFromJson, policyJson } from '../risk/policy-file.ts';
import type { PolicyInForce } from '../risk/policy.ts';
import type { PolicyActivated } from '../risk/records.ts';
import { parseUniverse, universeFromJson, universeJson } from '../risk/universe.ts';

/** Reads both files. Errors: one line that names the setting, the file and the place in it, never the text. */
export function readPolicy(policyPath: string, universePath: string): PolicyInForce {
  const policy = inFile('POLICY', policyPath, parsePolicy);
  const universe = inFile('UNIVERSE', universePath, parseUniverse);
  return { policy, hash: contentHash(policyJson(policy)), universe, universeHash: contentHash(universeJson(universe)) };
}

function inFile<T>(setting: string, path: string, parse: (text: string) => T): T {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) throw new Error('there is no such file');
    if (!stat.isFile()) throw new Error('not a regular file');
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${setting} ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Before the record that names them: a hash in the log always has its text. */
export async function storePolicy(store: LogStore, { policy, hash, universe, universeHash }: PolicyInForce): Promise<void> {
  await store.putBlob(hash, canonicalize(policyJson(policy)));
  await store.putBlob(universeHash, canonicalize(universeJson(universe)));
}

/**
 * The policies of former starts, for answers about what they decided: the one whose activation is the last at or before a seq. What could
 * not be read is read again. Errors: `LogUnreadable`; a blob that is missing, or is not what its hash says.
 */
export function formerPolicies(store: Pick<LogStore, 'getBlob'>, activations: () => Promise<readonly LogRecord[]>): (seq: number) => Promise<PolicyInForce> {
  const known = new Map<number, PolicyInForce>();
  let all: readonly LogRecord[] | null = null; // none is made while we run
  return async (seq) => {
    all ??= await activations();
    const activated = all.findLast((record) => record.seq <= seq);
    if (activated === undefined) throw new Error(`no policy was in force at record ${String(seq)}`);
    const policy = known.get(activated.seq) ?? await readFormer(store, activated.body as PolicyActivated);
    known.set(activated.seq, policy);
    return policy;
  };
}

async function readFormer(store: Pick<LogStore, 'getBlob'>, { hash, universeHash }: PolicyActivated): Promise<PolicyInForce> {
  const [policy, universe] = await Promise.all([hash, universeHash].map((one) => checkedBlob(store, one)));
  return { policy: policyFromJson(policy), hash, universe: universeFromJson(universe), universeHash };
}

async function checkedBlob(store: Pick<LogStore, 'getBlob'>, expected: string): Promise<unknown> {
  const text = await store.getBlob(expected);
  if (text === null || hash('sha256', text, 'hex') !== expected) throw new Error(`the blob ${expected} is missing, or is not what its hash says`);
  return JSON.parse(text);
}
