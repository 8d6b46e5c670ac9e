import fc from 'fast-check';
import t from 'tap';
import { canonicalize } from '../../compliance/canonical.ts';
import type { Json } from '../../risk/domain/record.ts';
import { formatDecimal, type Decimal } from '../../risk/domain/decimal.ts';
import { parsePolicy, policyFromJson, policyJson } from '../../risk/policy-file.ts';
import type { Policy } from '../../risk/policy.ts';
import { PolicyError } from '../../risk/reader.ts';
import { policyYaml, sample } from './sample.ts';

/** Code and path of the refusal; null when it is read. */
function refusal(read: () => unknown): string | null {
  try {
    read();
    return null;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return `${error.code} ${error.path}`.trim();
  }
}
const edited = (from: string, to: string): string => {
  if (!policyYaml.includes(from)) throw new Error(`the sample no longer holds ${from}`);
  return policyYaml.replace(from, () => to);
};

t.test('the sample that ships', (t) => {
  const { policy } = sample;
  t.same([policy.id, policy.version, policy.breakGlass, policy.closingUnderHalt.length], ['default', 1, false, 0]);
  t.same(policy.accounts.map(({ id, currency, openingCash }) => [id, currency, formatDecimal(openingCash)]), [['ACC1', 'USD', '1000000']]);
  t.same(policy.strategies.map(({ id, account, subjects }) => [id, account, subjects]), [['alpha-1', 'ACC1', 'any'], ['alpha-2', 'ACC1', 'any']]);
  t.same(policy.venues, [{ id: 'PAPER', kind: 'paper', latencyMs: 2, makerFeeBps: 0, takerFeeBps: 1 }]);
  const { nameXEquity, sectorXEquity, grossXEquity, netXEquity, turnoverXEquityPerDay } = policy.limits;
  t.same([nameXEquity, sectorXEquity, grossXEquity, netXEquity, turnoverXEquityPerDay], [0.25, 0.6, 2, 1, 4], 'as promised to outsiders');
  t.end();
});

t.test('a leg at the name limit passes the order limits of the sample in every instrument', (t) => {
  const { limits } = sample.policy;
  const leg = 0.25 * 1_000_000;
  t.ok(Number(formatDecimal(limits.orderNotionalMax)) >= 2 * leg, 'a reversal too');
  for (const { symbol, advQty, referencePx } of sample.universe.values()) {
    if (advQty * limits.orderQtyMaxAdvFraction * Number(formatDecimal(referencePx)) < leg) t.fail(`${symbol} is too thin`);
  }
  t.end();
});

const id = fc.stringMatching(/^[A-Z0-9][A-Z0-9._-]{0,31}$/);
const strategyId = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,31}$/);
const money = fc.bigInt({ min: 1n, max: 10n ** 33n }).map((n) => n as Decimal);
const above = (max: number): fc.Arbitrary<number> => fc.double({ min: 0, max, minExcluded: true, noNaN: true });
const anyAccount = fc.record({ id, currency: fc.constantFrom('USD', 'EUR'), openingCash: money });
const anyPolicy: fc.Arbitrary<Policy> = fc.record({
  accounts: fc.uniqueArray(anyAccount, { selector: (entry) => entry.id, minLength: 1, maxLength: 3 }),
  names: fc.uniqueArray(strategyId, { minLength: 1, maxLength: 3 }),
  subjects: fc.oneof(fc.constant('any' as const), fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,20}$/), { minLength: 1, maxLength: 3 })),
  closingUnderHalt: fc.array(fc.constantFrom({ kind: 'firm' as const, id: '*' }, { kind: 'instrument' as const, id: 'SPY' }), { maxLength: 2 }),
  makerFeeBps: fc.double({ min: -100, max: -1e-9, noNaN: true }),
  orderNotionalMax: money, collarBps: above(10_000), breakGlass: fc.boolean(), version: fc.integer({ min: 1, max: 1e9 }),
}).map(({ accounts, names, subjects, closingUnderHalt, makerFeeBps, orderNotionalMax, collarBps, breakGlass, version }) => ({
  ...sample.policy, accounts, closingUnderHalt, breakGlass, version,
  strategies: names.map((name) => ({ id: name, account: accounts[0]!.id, subjects, attribution: sample.policy.strategies[0]!.attribution })),
  venues: [{ ...sample.policy.venues[0]!, makerFeeBps }],
  limits: { ...sample.policy.limits, orderNotionalMax, collarBps },
}));

t.test('policy → canonical JSON → policy, and back', (t) => {
  fc.assert(fc.property(anyPolicy, (policy) => {
    const text = canonicalize(policyJson(policy));
    const again = policyFromJson(JSON.parse(text));
    t.same(again, policy);
    return canonicalize(policyJson(again)) === text;
  }), { numRuns: 50 });
  t.end();
});

t.test('each key is required and no other is allowed, at every level', (t) => {
  const json = policyJson(sample.policy);
  let maps = 0;
  const walk = (value: Json, path: string, rebuild: (value: Json) => Json): void => {
    if (Array.isArray(value)) {
      const list = value as readonly Json[];
      list.forEach((entry, i) => { walk(entry, `${path}[${i}]`, (next) => rebuild(list.with(i, next))); });
    } else if (typeof value === 'object' && value !== null) {
      maps++;
      const map = value as Readonly<Record<string, Json>>;
      const below = (key: string): string => (path === '' ? key : `${path}.${key}`);
      t.equal(refusal(() => policyFromJson(rebuild({ ...map, unknown: 1 }))), `UNKNOWN_KEY ${below('unknown')}`);
      for (const key of Object.keys(map)) {
        const rest = Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));
        t.equal(refusal(() => policyFromJson(rebuild(rest))), `MISSING_KEY ${below(key)}`);
        walk(map[key]!, below(key), (next) => rebuild({ ...map, [key]: next }));
      }
    }
  };
  walk(json, '', (value) => value);
  t.equal(maps, 11, 'policy, account, two strategies, their attributions, venue, limits, kelly, governor, execution');
  t.end();
});

t.test('a value that is wrong is named by its path', (t) => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['grossXEquity: 2.0', 'grossXEquity: "2.0"', 'WRONG_TYPE limits.grossXEquity'],
    ['grossXEquity: 2.0', 'grossXEquity: .nan', 'OUT_OF_RANGE limits.grossXEquity'],
    ['grossXEquity: 2.0', 'grossXEquity: .inf', 'OUT_OF_RANGE limits.grossXEquity'],
    ['grossXEquity: 2.0', 'grossXEquity: -0.0', 'OUT_OF_RANGE limits.grossXEquity'],
    ['grossXEquity: 2.0', 'grossXEquity: -1', 'OUT_OF_RANGE limits.grossXEquity'],
    ['grossXEquity: 2.0', 'grossXEquity: 0', 'OUT_OF_RANGE limits.grossXEquity'],
    ['grossXEquity: 2.0', 'grossXEquity:', 'WRONG_TYPE limits.grossXEquity'],
    ['grossXEquity: 2.0', 'grossXEquity: off', 'WRONG_TYPE limits.grossXEquity'],
    ['grossXEquity: 2.0', 'grossXEquity: 2.0\n  grossXEquity: 3.0', 'SYNTAX'],
    ['breakGlass: false', 'breakGlass: no', 'WRONG_TYPE breakGlass'],
    ['makerFeeBps: 0', 'makerFeeBps: -0.0', 'OUT_OF_RANGE venues[0].makerFeeBps'],
    ['quoteStaleAfterMs: 30000', 'quoteStaleAfterMs: 0', 'OUT_OF_RANGE limits.quoteStaleAfterMs'],
    ['quoteStaleAfterMs: 30000', 'quoteStaleAfterMs: 1.5', 'OUT_OF_RANGE limits.quoteStaleAfterMs'],
    ['orderNotionalMax: "500000"', 'orderNotionalMax: 500000', 'WRONG_TYPE limits.orderNotionalMax'],
    ['orderNotionalMax: "500000"', 'orderNotionalMax: "0"', 'OUT_OF_RANGE limits.orderNotionalMax'],
    ['orderNotionalMax: "500000"', 'orderNotionalMax: "-1"', 'OUT_OF_RANGE limits.orderNotionalMax'],
    ['orderNotionalMax: "500000"', 'orderNotionalMax: "1e9"', 'WRONG_TYPE limits.orderNotionalMax'],
    ['orderQtyMaxAdvFraction: 0.01', 'orderQtyMaxAdvFraction: 1.01', 'OUT_OF_RANGE limits.orderQtyMaxAdvFraction'],
    ['power: 1', 'power: 0.5', 'OUT_OF_RANGE limits.governor.power'],
    ['softStart: 0.05', 'softStart: 0.20', 'INCONSISTENT limits.governor.hardStop'],
    ['{ id: ACC1,', '{ id: acc1,', 'BAD_TEXT accounts[0].id'],
    ['{ id: ACC1,', '{ id: [ACC1],', 'WRONG_TYPE accounts[0].id'],
    ['  - id: alpha-2\n    account: ACC1', '  - id: alpha-2\n    account: ACC2', 'INCONSISTENT strategies[1].account'],
    ['  - id: alpha-2', '  - id: alpha-1', 'DUPLICATE strategies[1].id'],
    ['    subjects: any', '    subjects: all', 'WRONG_TYPE strategies[0].subjects'],
    ['    subjects: any', '    subjects: []', 'OUT_OF_RANGE strategies[0].subjects'],
    ['capacity: DEAL', 'capacity: DEALS', 'BAD_TEXT strategies[0].attribution.capacity'],
    ['closingUnderHalt: []', 'closingUnderHalt: [{ kind: firm, id: ACC1 }]', 'BAD_TEXT closingUnderHalt[0].id'],
    ['closingUnderHalt: []', 'closingUnderHalt: [{ kind: constructor, id: "*" }]', 'BAD_TEXT closingUnderHalt[0].kind'],
    ['version: 1', 'version: 1.5', 'OUT_OF_RANGE version'],
    ['version: 1', 'version: 9007199254740993', 'OUT_OF_RANGE version'],
    ['version: 1', 'version: 1\n__proto__: { breakGlass: true }', 'UNKNOWN_KEY (unreadable key)'],
    ['version: 1', 'version: 1\nconstructor: 1', 'UNKNOWN_KEY constructor'],
  ];
  for (const [from, to, expected] of rows) t.equal(refusal(() => parsePolicy(edited(from, to))), expected, to);
  t.end();
});

t.test('tightening or loosening: every value is in the hash', (t) => {
  t.not(canonicalize(policyJson(parsePolicy(edited('grossXEquity: 2.0', 'grossXEquity: 2.1')))), canonicalize(policyJson(sample.policy)));
  t.equal(canonicalize(policyJson(parsePolicy(`# a comment\n${policyYaml}\n\n`))), canonicalize(policyJson(sample.policy)), 'a comment is not');
  t.end();
});
