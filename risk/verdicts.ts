/** Verdicts as they stand in a record, and back: clips and denials whole, passes as their observed values in the list's order. */
import type { Verdict } from './domain/verdict.ts';
import type { Instrument } from './domain/instrument.ts';
import type { CheckList } from './check.ts';
import type { PolicyInForce } from './policy.ts';
import type { DecisionJson } from './records.ts';

export type PackedVerdicts = Pick<DecisionJson, 'verdicts' | 'observed'>;

const instrumentOf = (policy: PolicyInForce, symbol: string | null): Instrument | null => (symbol === null ? null : (policy.universe.get(symbol) ?? null));

/**
 * Packs the verdicts of one decision on `list`. Whole stay clips, denials, passes whose limit the policy alone does not give (a Kelly
 * cap with a forecast), and verdicts beyond the list (a portfolio's limit that clips a leg). `symbol` is null for a portfolio.
 */
export function packVerdicts<I>(list: CheckList<I>, verdicts: readonly Verdict[], policy: PolicyInForce, symbol: string | null): PackedVerdicts {
  const limits = list.limits(policy.policy, instrumentOf(policy, symbol));
  const whole: Verdict[] = [];
  const observed = list.checks.map((check, i) => {
    const verdict = verdicts[i];
    if (verdict?.code !== check.code) throw new RangeError('verdicts that are not in the order of their list');
    if (verdict.outcome === 'off') return null;
    if (verdict.outcome === 'pass' && verdict.limit === limits[i]) return verdict.observed;
    whole.push(verdict);
    return null;
  });
  return { verdicts: [...whole, ...verdicts.slice(list.checks.length)], observed };
}

/** The inverse of `packVerdicts`, under the policy that the record's hash names. */
export function unpackVerdicts<I>(list: CheckList<I>, packed: PackedVerdicts, policy: PolicyInForce, symbol: string | null): Verdict[] {
  const limits = list.limits(policy.policy, instrumentOf(policy, symbol));
  let next = 0;
  const listed = list.checks.map((check, i): Verdict => {
    const stored = packed.verdicts[next];
    const observed = packed.observed[i] ?? null;
    if (observed === null && stored?.code === check.code) {
      next++;
      return stored;
    }
    return { code: check.code, limit: limits[i] ?? null, observed, outcome: observed === null ? 'off' : 'pass', unit: check.unit };
  });
  return [...listed, ...packed.verdicts.slice(next)];
}
