/** What every seed plays on: the sample policy with a second account and tighter limits, over a handful of its instruments. */
import { readFileSync } from 'node:fs';
import { canonicalize, contentHash } from '../../compliance/canonical.ts';
import { parseDecimal } from '../../risk/domain/decimal.ts';
import { instant } from '../../risk/domain/time.ts';
import { parsePolicy, policyJson } from '../../risk/policy-file.ts';
import type { Policy, PolicyInForce } from '../../risk/policy.ts';
import { parseUniverse, universeJson } from '../../risk/universe.ts';

export const START = instant('2026-11-20T14:30:00Z');
export const LOG = 'SIMLOG01';
export const SYMBOLS = ['SPY', 'BAC', 'IBM', 'AIG', 'BTC-USD', 'ETH-USD', 'S001', 'S002'] as const;
export const STRATEGIES = [['ACC1', 'alpha-1'], ['ACC1', 'alpha-2'], ['ACC2', 'beta-1']] as const;

const read = (name: string): string => readFileSync(new URL(`../../../policies/${name}`, import.meta.url), 'utf8');

function policyOf(): Policy {
  const sample = parsePolicy(read('default.yaml'));
  const attribution = { algorithmId: 'ALGO0003', trader: 'TRADER2', desk: 'DESK2', client: 'CLIENT2', capacity: 'DEAL' } as const;
  return {
    ...sample, id: 'simulated',
    accounts: [...sample.accounts, { id: 'ACC2', currency: 'USD', openingCash: parseDecimal('500000') }],
    strategies: [...sample.strategies, { id: 'beta-1', account: 'ACC2', subjects: ['s-beta'], attribution }],
    limits: { ...sample.limits, grossXEquity: 0.8, netXEquity: 0.5, sectorXEquity: 0.4, turnoverXEquityPerDay: 12 },
    execution: { ...sample.execution, slicesMax: 6, sliceSecondsMin: 1 },
    closingUnderHalt: [{ kind: 'account', id: 'ACC2' }],
  };
}

const policy = policyOf();
const wanted: readonly string[] = SYMBOLS;
const universe = new Map([...parseUniverse(read('universe.yaml'))].filter(([symbol]) => wanted.includes(symbol)));

export const SETTING: PolicyInForce = { policy, hash: contentHash(policyJson(policy)), universe, universeHash: contentHash(universeJson(universe)) };
export const BLOBS: ReadonlyMap<string, string> = new Map([
  [SETTING.hash, canonicalize(policyJson(policy))], [SETTING.universeHash, canonicalize(universeJson(universe))],
]);
