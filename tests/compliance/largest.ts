/**
 * The largest body of every kind that the schemas of the edge, the policy file and the venues' codecs admit. Total by type: a kind that
 * is added asks for its largest here.
 */
import type { RecordBodies } from '../../compliance/records.ts';
import type { ArmChoice } from '../../execution/records.ts';
import { MARKS_A_RECORD } from '../../gateway/flows/mark-accounts.ts';
import { PARENTS_A_RECORD } from '../../gateway/flows/withdraw.ts';
import { EDGE_CODES } from '../../gateway/http/errors.ts';
import { REASON_LENGTH_MAX } from '../../gateway/http/schemas/common.ts';
import { LEG_CHECKS, ORDER_CHECKS, PORTFOLIO_CHECKS } from '../../risk/checks/index.ts';
import type { Attribution } from '../../risk/domain/order.ts';
import { CHECK_CODES } from '../../risk/domain/verdict.ts';
import type { SymbolFactsJson } from '../../risk/facts.ts';
import { SLICES_MAX } from '../../risk/policy-file.ts';
import type { DecisionJson, OrderTermsJson, Scope } from '../../risk/records.ts';

/** Clean text of n characters: none takes more bytes than four, escapes included. */
const words = (n: number): string => '😀'.repeat(n);
const A = (n: number): string => 'A'.repeat(n);
/** As long as a decimal of the wire may be. */
const DECIMAL = `-${'9'.repeat(18)}.${'9'.repeat(18)}`;
/** A sum of products of such, and the texts of doubles made from them. */
const SUM = `-${'9'.repeat(60)}.${'9'.repeat(18)}`;
const AT = '2026-11-20T09:30:00.123456789Z';
const DOUBLE = -1.2345678901234567e-300;
const COUNT = Number.MAX_SAFE_INTEGER;
const HASH = 'f'.repeat(64);
/** Ours: eight digits of the log and a seq in base 36. */
const ID = A(8 + 11);
const CALLERS_ID = A(24);
const ACCOUNT = A(32);
const SOURCE = words(64);
const REASON = words(REASON_LENGTH_MAX);
const VENUES_WORD = words(128);

const attribution: Attribution = { algorithmId: words(128), trader: words(128), desk: words(128), client: words(128), capacity: 'DEAL' };
const scope: Scope = { kind: 'instrument', id: words(64) };
const facts: SymbolFactsJson = { advQty: DOUBLE, askPx: DECIMAL, bidPx: DECIMAL, quoteAt: AT, sigmaAnnual: DOUBLE };
const policy = { hash: HASH, id: A(32), version: COUNT };
const of = { account: ACCOUNT, strategy: A(32), symbol: A(32) };
const ofOrder = { ...of, clOrdId: CALLERS_ID, parent: ID };
const report = { ...ofOrder, receivedAt: AT, sourceSeq: COUNT, venue: ACCOUNT, venueAt: AT };

/** Every check denied whole, and every code once more for what the portfolio did to it. */
function decision(checks: number): DecisionJson {
  const whole = [...CHECK_CODES.slice(0, checks), ...CHECK_CODES].map((code) => ({ code, limit: SUM, observed: SUM, outcome: 'clip', unit: 'currency' }) as const);
  return { decision: 'accepted', observed: Array.from({ length: checks }, () => SUM), verdicts: whole };
}
const terms: OrderTermsJson = { ...of, expireAt: AT, limitPx: DECIMAL, orderQty: DECIMAL, participation: DOUBLE, side: 'sell', tif: 'gtd', type: 'pegged' };
const arms: readonly ArmChoice[] = Array.from({ length: 100 }, () => ({ arm: A(32), costBps: DOUBLE, propensity: DOUBLE }));

export const LARGEST: { readonly [K in keyof RecordBodies]: RecordBodies[K] } = {
  'access.counted': { counts: Object.fromEntries(EDGE_CODES.map((code) => [code, COUNT])), source: A(64) },
  'access.denied': { code: 'UNSUPPORTED_MEDIA', method: 'DELETE', route: A(128), source: A(64) },
  'account.funded': { account: ACCOUNT, amount: DECIMAL, currency: A(5) },
  'account.marked': {
    account: ACCOUNT, equity: SUM, peak: SUM, marks: Object.fromEntries(Array.from({ length: MARKS_A_RECORD }, (_, i) => [`${i}`.padStart(32, 'A'), DECIMAL])),
  },
  'alert.raised': { code: A(64), detail: REASON },
  'approval.given': { hash: HASH, id: ID, person: words(256), reason: REASON },
  'approval.refused': { hash: HASH, id: ID, person: words(256), reason: REASON },
  'approval.requested': {
    action: 'release', engagement: COUNT, expiresAt: AT, from: 'reducing', hash: HASH, id: ID, person: words(256), reason: REASON, scope, to: 'reducing',
  },
  'break.found': { clOrdId: CALLERS_ID, sourceSeq: COUNT, venue: ACCOUNT, what: REASON },
  'cancel.requested': { ...ofOrder, reason: REASON, venue: ACCOUNT },
  'checkpoint.published': { root: A(44), size: COUNT },
  'emergency.adopted': { entries: COUNT, head: HASH },
  'leg.decided': {
    ...of, ...decision(LEG_CHECKS.checks.length), allowed: DECIMAL, arrivalPx: DECIMAL, clOrdId: ID, deltaQty: DECIMAL, expireAt: AT, facts, forecastDays: DOUBLE,
    mu: DOUBLE, requested: DECIMAL, schedule: Array.from({ length: SLICES_MAX }, () => DECIMAL), sigma: DOUBLE, targetId: A(64),
    // a strategy works at most one parent a symbol, for a newer target withdraws it
    withdraws: [ID],
  },
  'node.started': {
    arch: A(16), clock: words(4096), commit: A(40), forkOf: { hash: HASH, log: A(16), size: COUNT }, lockfileHash: HASH, node: A(32), policyHash: HASH,
    resumedAt: COUNT, v8: A(64), version: A(64),
  },
  'order.acknowledged': report,
  'order.canceled': { ...report, cumQty: DECIMAL },
  'order.decided': {
    ...terms, ...decision(ORDER_CHECKS.checks.length), amends: false, arrivalPx: DECIMAL, attribution, clOrdId: CALLERS_ID, facts, parent: ID, policy,
    requestHash: HASH, source: SOURCE,
  },
  'order.expired': { ...report, cumQty: DECIMAL },
  'order.filled': {
    ...report, cumQty: SUM, execId: VENUES_WORD, fee: DECIMAL, lastPx: DECIMAL, lastQty: DECIMAL, leavesQty: SUM, liquidity: 'maker', settlesAt: AT, side: 'sell',
  },
  'order.rejected': { ...report, of: 'replace', reason: VENUES_WORD },
  'order.replaced': { ...report, cumQty: SUM, leavesQty: SUM, origClOrdId: CALLERS_ID },
  'order.unknown': { ...ofOrder, reason: REASON, venue: ACCOUNT },
  'parent.expired': { ...ofOrder, endPx: DECIMAL, leavesQty: SUM },
  'policy.activated': { hash: HASH, id: A(32), universeHash: HASH, version: COUNT },
  'slice.released': {
    ...terms, ...decision(ORDER_CHECKS.checks.length), arm: A(32), arms, clOrdId: ID, due: AT, facts, origClOrdId: ID, parent: ID, venue: ACCOUNT,
  },
  'slice.withheld': {
    ...ofOrder, ...decision(ORDER_CHECKS.checks.length), due: AT, judged: { ...terms, facts, venue: ACCOUNT }, orderQty: SUM, why: 'canceled',
  },
  'state.snapshotted': { foldVersion: COUNT, hash: HASH, size: COUNT },
  'strategy.registered': { account: ACCOUNT, attribution, strategy: A(32) },
  'switch.flipped': {
    approval: ID, cancel: 'working', engagement: COUNT, previous: 'reducing', reason: REASON, requestId: A(64), scope, state: 'reducing',
  },
  'target.decided': {
    ...decision(PORTFOLIO_CHECKS.checks.length), account: ACCOUNT, asOf: AT, attribution, basis: 'notional', equity: SUM, governor: DOUBLE, horizonSeconds: COUNT,
    legs: COUNT, mode: 'all_or_none', peak: SUM, policy, requestHash: HASH, scope: 'complete', source: SOURCE, strategy: A(32), targetId: A(64),
  },
  'target.withdrawn': { account: ACCOUNT, parents: Array.from({ length: PARENTS_A_RECORD }, () => ID), reason: REASON, strategy: A(32), targetId: A(64) },
};
