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
  return unpack(list, packed, (whole) => whole, (i, observed) => listed(list, limits, i, observed));
}

/**
 * The JSON text of `unpackVerdicts`. Of a pass only `observed` differs from one order to the next, so the text around it is made once
 * for a policy and an instrument: an answer of two dozen verdicts is the larger part of what it costs to answer an order.
 */
export function verdictsText<I>(list: CheckList<I>, packed: PackedVerdicts, policy: PolicyInForce, symbol: string | null): string {
  const limits = list.limits(policy.policy, instrumentOf(policy, symbol));
  const around = frames.get(limits) ?? limits.map((_, i) => frameOf(listed(list, limits, i, OBSERVED)));
  frames.set(limits, around);
  const texts = unpack(list, packed, (whole) => JSON.stringify(whole), (i, observed) => {
    if (observed === null) return JSON.stringify(listed(list, limits, i, null));
    const frame = around[i] as Frame;
    if (frame.observed !== observed) {
      frame.observed = observed;
      frame.text = frame.before + JSON.stringify(observed) + frame.after;
    }
    return frame.text;
  });
  return `[${texts.join(',')}]`;
}

/** The text around an observed value, and the last text that was made with it: half of the checks observe the same from one order to the next. */
interface Frame {
  readonly before: string;
  readonly after: string;
  observed: string | null;
  text: string;
}
/** By the limits' texts, of which a list makes one array for a policy and an instrument. */
const frames = new WeakMap<readonly (string | null)[], readonly Frame[]>();
/** Stands where the observed value will; no limit is like it. */
const OBSERVED = '\u0000';

function frameOf(verdict: Verdict): Frame {
  const [before, after, ...more] = JSON.stringify(verdict).split(JSON.stringify(OBSERVED));
  if (before === undefined || after === undefined || more.length > 0) throw new RangeError('a verdict is framed around its observed value');
  return { before, after, observed: null, text: '' };
}

/** Each check's verdict in the list's order, then the verdicts beyond the list. */
function unpack<I, T>(list: CheckList<I>, packed: PackedVerdicts, ofWhole: (verdict: Verdict) => T, ofListed: (i: number, observed: string | null) => T): T[] {
  let next = 0;
  const unpacked = list.checks.map((check, i) => {
    const stored = packed.verdicts[next];
    const observed = packed.observed[i] ?? null;
    if (observed !== null || stored?.code !== check.code) return ofListed(i, observed);
    next++;
    return ofWhole(stored);
  });
  for (const verdict of packed.verdicts.slice(next)) unpacked.push(ofWhole(verdict));
  return unpacked;
}

/** A check that stands in `observed`: a pass, or off. */
function listed<I>(list: CheckList<I>, limits: readonly (string | null)[], i: number, observed: string | null): Verdict {
  const { code, unit } = list.checks[i] as CheckList<I>['checks'][number];
  return { code, limit: limits[i] ?? null, observed, outcome: observed === null ? 'off' : 'pass', unit };
}
