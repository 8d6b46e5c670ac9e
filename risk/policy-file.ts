/**
 * The policy: from the YAML that officers write, and to and from the JSON that is hashed, stored as a blob and folded.
 * The readers are total by type: a limit added to `Limits` asks for its reader here.
 */
import { formatDecimal } from './domain/decimal.ts';
import { isAccountId, isStrategyId, isSubject } from './domain/ids.ts';
import type { Attribution } from './domain/order.ts';
import type { Json } from './domain/record.ts';
import type { AccountPolicy, ExecutionPolicy, Limits, Policy, StrategyPolicy, VenuePolicy } from './policy.ts';
import { decimal, flag, integer, list, number, object, oneOf, PolicyError, readYaml, text, unique, type Read } from './reader.ts';
import type { Scope } from './records.ts';
import { isScope, SCOPE_KINDS } from './switches.ts';

const POLICY_BYTES_MAX = 256 * 1024;
const MS_PER_DAY = 86_400_000;
/** A leg's schedule stands in its record, which is at most 65,535 bytes long. */
export const SLICES_MAX = 400;

const accountId = text(isAccountId, 'an account id ([A-Z0-9][A-Z0-9._-]*, at most 32)');
const strategyId = text(isStrategyId, 'a strategy id ([a-z0-9][a-z0-9._-]*, at most 32)');
const subject = text(isSubject, 'a name ([A-Za-z0-9][A-Za-z0-9._@-]*, at most 128)');
const positive = (max: number): Read<number> => number({ min: 0, max, above: true });
const milliseconds = integer({ min: 1, max: MS_PER_DAY });
const share = positive(1);
const multiple = positive(1000);

const account: Read<AccountPolicy> = object<AccountPolicy>({
  id: accountId,
  currency: text((value): value is string => typeof value === 'string' && /^[A-Z]{3,5}$/.test(value), 'a currency code such as USD'),
  openingCash: decimal({ zero: true }),
});

/** In key order: it stands in every decision's record. */
const attribution: Read<Attribution> = object<Attribution>({
  algorithmId: subject, capacity: oneOf('DEAL', 'MTCH', 'AOTC'), client: subject, desk: subject, trader: subject,
});

const subjects: Read<StrategyPolicy['subjects']> = (value, path) => (value === 'any' ? 'any' : list(subject, { min: 1, max: 1000 })(value, path));

const strategy: Read<StrategyPolicy> = object<StrategyPolicy>({ id: strategyId, account: accountId, subjects, attribution });

const venue: Read<VenuePolicy> = object<VenuePolicy>({
  id: text(isAccountId, 'a venue id ([A-Z0-9][A-Z0-9._-]*, at most 32)'),
  kind: oneOf('paper'),
  latencyMs: number({ min: 0, max: 60_000 }),
  makerFeeBps: number({ min: -100, max: 100 }),
  takerFeeBps: number({ min: -100, max: 100 }),
});

const limits: Read<Limits> = object<Limits>({
  quoteStaleAfterMs: milliseconds,
  asOfStaleAfterMs: milliseconds,
  clockStepBackMaxMs: integer({ min: 0, max: MS_PER_DAY }),
  collarBps: positive(10_000),
  orderNotionalMax: decimal({ zero: false }),
  orderQtyMaxAdvFraction: share,
  nameXEquity: multiple,
  sectorXEquity: multiple,
  grossXEquity: multiple,
  netXEquity: multiple,
  leverageX: multiple,
  turnoverXEquityPerDay: multiple,
  kelly: object<Limits['kelly']>({ fraction: share, unratedWeight: number({ min: 0, max: 1000 }), require: flag }),
  volatilityAnnual: positive(10),
  marketSigmaAnnual: positive(10),
  governor: object<Limits['governor']>({ softStart: number({ min: 0, max: 1 }), hardStop: share, power: integer({ min: 1, max: 8 }) }),
  fatFingerGrossX: multiple,
  fatFingerMultiple: number({ min: 1, max: 1000 }),
});

const execution: Read<ExecutionPolicy> = object<ExecutionPolicy>({
  slicesMax: integer({ min: 1, max: SLICES_MAX }),
  sliceSecondsMin: positive(86_400),
  riskAversion: number({ min: 0, max: 1 }),
  crossBps: number({ min: 0, max: 1000 }),
});

const scope: Read<Scope> = (value, path) => {
  const read = object<Scope>({ kind: oneOf(...SCOPE_KINDS), id: text((id): id is string => typeof id === 'string', 'an id') })(value, path);
  if (!isScope(read.kind, read.id)) throw new PolicyError('BAD_TEXT', `${path}.id`, `not an id of a scope of kind ${read.kind}`);
  return read;
};

const policy: Read<Policy> = object<Policy>({
  id: text(isStrategyId, 'a policy id ([a-z0-9][a-z0-9._-]*, at most 32)'),
  version: integer({ min: 1, max: 1_000_000_000 }),
  accounts: list(account, { min: 1, max: 1000 }),
  strategies: list(strategy, { min: 1, max: 10_000 }),
  venues: list(venue, { min: 1, max: 100 }),
  limits,
  execution,
  closingUnderHalt: list(scope, { min: 0, max: 1000 }),
  breakGlass: flag,
});

/** A policy from the text of its YAML file. Throws `PolicyError`. */
export function parsePolicy(yaml: string): Policy {
  return policyFromJson(readYaml(yaml, POLICY_BYTES_MAX));
}

/** A policy from its JSON, as `policyJson` makes it. The same rules as for the file; throws `PolicyError`. */
export function policyFromJson(json: unknown): Policy {
  const read = policy(json, '');
  unique(read.accounts.map(({ id }) => id), (i) => `accounts[${i}].id`);
  unique(read.strategies.map(({ id }) => id), (i) => `strategies[${i}].id`);
  unique(read.venues.map(({ id }) => id), (i) => `venues[${i}].id`);
  read.strategies.forEach((entry, i) => {
    if (!read.accounts.some(({ id }) => id === entry.account)) throw new PolicyError('INCONSISTENT', `strategies[${i}].account`, 'is not among the accounts');
  });
  const { softStart, hardStop } = read.limits.governor;
  if (softStart >= hardStop) throw new PolicyError('INCONSISTENT', 'limits.governor.hardStop', 'must be above softStart');
  return read;
}

/** The policy as plain JSON, decimals as strings: `contentHash` of it is the policy's hash. */
export function policyJson(policy: Policy): Json {
  return {
    ...policy,
    accounts: policy.accounts.map((entry) => ({ ...entry, openingCash: formatDecimal(entry.openingCash) })),
    strategies: policy.strategies.map((entry) => ({ ...entry, attribution: { ...entry.attribution } })),
    venues: policy.venues.map((entry) => ({ ...entry })),
    limits: { ...policy.limits, orderNotionalMax: formatDecimal(policy.limits.orderNotionalMax) },
    execution: { ...policy.execution },
    closingUnderHalt: policy.closingUnderHalt.map(({ kind, id }) => ({ kind, id })),
  };
}
