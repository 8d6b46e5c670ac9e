/**
 * What a check is, and the one runner of them all.
 *
 * A check names the facts it needs and never sees a missing one: the runner leaves it `off` and the FACT_MISSING verdict of the same
 * list denies, so no author can fail open and nobody can skip. Every check runs, also when one before it has failed.
 */
import { MICROS_MAX, microsText } from './domain/decimal.ts';
import type { Instrument } from './domain/instrument.ts';
import type { CheckCode, Unit, Verdict } from './domain/verdict.ts';
import type { Policy, PolicyInForce } from './policy.ts';

/** What every input carries. The instrument is null where there is none (a portfolio) or where it is unknown. */
export interface Judged {
  readonly policy: PolicyInForce;
  readonly instrument: Instrument | null;
  /** Symbols held or open without a mark, or outside the universe: why an exposure is missing. */
  readonly unmarked: readonly string[];
}

/** What a check found. `limit` only where it is not the one that policy and instrument give. */
export interface Finding {
  readonly ok: boolean;
  readonly observed: string;
  readonly limit?: string;
}

export interface Check<I> {
  readonly code: CheckCode;
  readonly unit: Unit;
  /** Names of the input's facts without which it cannot judge. */
  readonly needs: readonly (keyof I & string)[];
  /** The limit as text: a function of policy and instrument, so that a pass is rendered again from its observed value alone. */
  readonly limit: (policy: Policy, instrument: Instrument | null) => string | null;
  readonly decide: (input: I) => Finding;
}

/** The input with its named facts present. */
export type Known<I, N extends keyof I> = I & { readonly [K in N]-?: NonNullable<I[K]> };

/** `checkOf<OrderInput>()({...})` declares a check on that input; `needs` decides which of its facts are non-null in `decide`. */
export function checkOf<I>(): <const N extends keyof I & string>(
  check: Omit<Check<I>, 'needs' | 'decide'> & { readonly needs: readonly N[]; readonly decide: (input: Known<I, N>) => Finding },
) => Check<I> {
  // The runner calls `decide` only when every fact in `needs` is there: that is what the erased type stands for.
  return (check) => check as unknown as Check<I>;
}

/** An ordered list of checks: the order in which the `observed` values of a record stand. */
export interface CheckList<I> {
  readonly checks: readonly Check<I>[];
  /** The union of what they need, in the order of first need. */
  readonly needs: readonly (keyof I & string)[];
  /** The checks' limits as texts, in their order. */
  readonly limits: (policy: Policy, instrument: Instrument | null) => LimitTexts;
}
type LimitTexts = readonly (string | null)[];

export function checkList<I>(...checks: readonly Check<I>[]): CheckList<I> {
  // A policy and an instrument never change, so neither do the texts of their limits.
  const made = new WeakMap<Policy, Map<Instrument | null, LimitTexts>>();
  return {
    checks,
    needs: [...new Set(checks.flatMap((check) => check.needs))],
    limits(policy, instrument) {
      const known = made.get(policy)?.get(instrument);
      if (known !== undefined) return known;
      const limits = checks.map((check) => check.limit(policy, instrument));
      made.set(policy, (made.get(policy) ?? new Map<Instrument | null, LimitTexts>()).set(instrument, limits));
      return limits;
    },
  };
}

/** One verdict per check, in the list's order. */
export function judge<I extends Judged>(list: CheckList<I>, input: I): Verdict[] {
  const missing = list.needs.filter((fact) => input[fact] === null);
  const limits = list.limits(input.policy.policy, input.instrument);
  return list.checks.map((check, i) => {
    if (check.code === 'FACT_MISSING') return factMissing(rootsOf(missing, check.needs).map((fact) => named(fact, input.unmarked)));
    const limit = limits[i] ?? null;
    if (missing.length > 0 && check.needs.some((fact) => input[fact] === null)) {
      return { code: check.code, limit, observed: null, outcome: 'off', unit: check.unit };
    }
    const found = check.decide(input);
    return { code: check.code, limit: found.limit ?? limit, observed: found.observed, outcome: found.ok ? 'pass' : 'deny', unit: check.unit };
  });
}

/** Facts from which others are computed explain those; only where none of them is missing the others are named. */
function rootsOf(missing: readonly string[], roots: readonly string[]): readonly string[] {
  const named = roots.filter((fact) => missing.includes(fact));
  return named.length > 0 ? named : missing;
}

const UNMARKED_NAMED = 5;
/** An exposure goes by the marks of everything held: whoever is denied for another symbol is told for which. */
const named = (fact: string, unmarked: readonly string[]): string =>
  (fact === 'exposure' && unmarked.length > 0 ? `exposure of ${unmarked.slice(0, UNMARKED_NAMED).join(' ')}` : fact);

/** What FACT_MISSING says: the names of what is missing; `none` passes. */
export function factMissing(missing: readonly string[]): Verdict {
  const outcome = missing.length === 0 ? 'pass' : 'deny';
  return { code: 'FACT_MISSING', limit: 'none', observed: missing.length === 0 ? 'none' : missing.join(','), outcome, unit: 'none' };
}

/** The entry of FACT_MISSING in a list; its place matters, the runner knows the rest. `needs` are the facts that it names: those that come from outside. */
export function factsPresent<I>(...needs: readonly (keyof I & string)[]): Check<I> {
  return { code: 'FACT_MISSING', unit: 'none', needs, limit: () => 'none', decide: () => ({ ok: true, observed: 'none' }) };
}

/** Whether nothing denies. `off` does not pass by itself: the FACT_MISSING beside it denies. */
export const allPass = (verdicts: readonly Verdict[]): boolean => verdicts.every((verdict) => verdict.outcome !== 'deny');

/** Double arithmetic over exact books: a limit counts as kept within one part in 10^8, which is wider than the projection's 10^-10. NaN keeps nothing. */
const TOLERANCE = 1e-8;
export const within = (value: number, limit: number): boolean => value <= limit + Math.abs(limit) * TOLERANCE;

/** A governor that rounding alone keeps from 0: at the hard stop 1 − 0.8 is a hair less than 0.2. */
export const isShut = (governor: number): boolean => governor <= TOLERANCE;

/** What rounding may add to a sum that did not change: the same quantity by another way differs in its last bits. */
export const NOISE = 1e-12;

export const isNoWorse = (after: number, before: number): boolean => after <= before + Math.abs(before) * NOISE;

/** Within the limit, or no worse than before: a book in breach must be able to shrink. */
export const fits = (after: number, before: number, limit: number): boolean => within(after, limit) || isNoWorse(after, before);

/** A number as a short decimal: at most six decimals, no exponent, no −0; `unbounded` where it is not finite. */
export function decimalText(value: number): string {
  const micros = Math.round(value * 1e6);
  if (Math.abs(micros) < MICROS_MAX) return microsText(micros);
  if (!Number.isFinite(value)) return 'unbounded';
  return Math.abs(value) < 1e15 ? String(micros / 1e6) : BigInt(Math.round(value)).toString();
}

/** Money over its base; a base that is not positive bounds nothing. */
export const ratio = (money: number, base: number): number => (base > 0 ? money / base : money === 0 ? 0 : Infinity);

/** The ratio as `xEquity`. */
export const ratioText = (money: number, base: number): string => decimalText(ratio(money, base));
