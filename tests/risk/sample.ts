/** The sample policy and universe that ship, in force, for the tests of the risk room. */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { canonicalize } from '../../compliance/canonical.ts';
import { parsePolicy, policyJson } from '../../risk/policy-file.ts';
import type { PolicyInForce } from '../../risk/policy.ts';
import { parseUniverse, universeJson } from '../../risk/universe.ts';

const read = (name: string): string => readFileSync(new URL(`../../../policies/${name}`, import.meta.url), 'utf8');

export const policyYaml = read('default.yaml');
export const universeYaml = read('universe.yaml');

const policy = parsePolicy(policyYaml);
const universe = parseUniverse(universeYaml);
export const policyText = canonicalize(policyJson(policy));
export const universeText = canonicalize(universeJson(universe));
const sha256 = (text: string): string => hash('sha256', text, 'hex');

export const sample: PolicyInForce = { policy, universe, hash: sha256(policyText), universeHash: sha256(universeText) };

/** The sample's two blobs, by hash. */
export const sampleBlobs = (wanted: string): string | null => new Map([[sample.hash, policyText], [sample.universeHash, universeText]]).get(wanted) ?? null;
