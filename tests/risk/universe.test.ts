import fc from 'fast-check';
import t from 'tap';
import { canonicalize } from '../../compliance/canonical.ts';
import { formatDecimal, isMultiple, toNumber, type Decimal } from '../../risk/domain/decimal.ts';
import type { Instrument } from '../../risk/domain/instrument.ts';
import { PolicyError } from '../../risk/reader.ts';
import { parseUniverse, universeFromJson, universeJson } from '../../risk/universe.ts';
import { sample, universeYaml } from './sample.ts';

function refusal(read: () => unknown): string | null {
  try {
    read();
    return null;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return `${error.code} ${error.path}`.trim();
  }
}

t.test('the sample that ships', (t) => {
  const { universe, policy } = sample;
  const synthetic = Array.from({ length: 500 }, (_, i) => `S${String(i + 1).padStart(3, '0')}`);
  t.same([...universe.keys()], ['SPY', 'BAC', 'IBM', 'AIG', 'BTC-USD', 'ETH-USD', ...synthetic]);
  t.equal(new Set(synthetic.map((symbol) => universe.get(symbol)?.sector)).size, 10);
  t.equal(new Set(synthetic.slice(0, 10).map((symbol) => universe.get(symbol)?.sector)).size, 10, 'sectors take turns');
  const first = [...universe.values()].slice(0, 6).map(({ sector }) => sector);
  t.same(first, ['Index', 'Financials', 'Technology', 'Financials', 'Crypto', 'Crypto']);
  const marketVariance = policy.limits.marketSigmaAnnual ** 2;
  for (const { symbol, referencePx, tickSize, sigmaAnnual, beta, spreadBps, assetClass, settlementDays } of universe.values()) {
    if (!isMultiple(referencePx, tickSize)) t.fail(`${symbol}: price off tick`);
    if (sigmaAnnual ** 2 < beta ** 2 * marketVariance) t.fail(`${symbol}: less volatile than its market part`);
    if ((spreadBps / 1e4) * toNumber(referencePx) < 0.8 * toNumber(tickSize)) t.fail(`${symbol}: a spread below a tick`);
    if (settlementDays !== (assetClass === 'equity' ? 1 : 0)) t.fail(`${symbol}: settlement`);
  }
  t.end();
});

const anyInstrument: fc.Arbitrary<Instrument> = fc.record({
  symbol: fc.stringMatching(/^[A-Z0-9][A-Z0-9./-]{0,31}$/), name: fc.stringMatching(/^[A-Za-z0-9 &é.'"\\-]{1,80}$/), sector: fc.constantFrom('Index', 'Energy'),
  assetClass: fc.constantFrom('equity', 'crypto'), currency: fc.constantFrom('USD', 'USDT'),
  lotDecimals: fc.integer({ min: 0, max: 9 }), tickDecimals: fc.integer({ min: 0, max: 9 }), ticks: fc.integer({ min: 1, max: 1e9 }),
  settlementDays: fc.integer({ min: 0, max: 10 }), advQty: fc.double({ min: 1e-9, max: 1e15, noNaN: true }),
  sigmaAnnual: fc.double({ min: 1e-9, max: 10, noNaN: true }),
  beta: fc.double({ min: 1e-9, max: 10, noNaN: true }), spreadBps: fc.double({ min: 1e-9, max: 1000, noNaN: true }),
}).map(({ lotDecimals, tickDecimals, ticks, ...rest }) => {
  const tickSize = 10n ** BigInt(18 - tickDecimals) as Decimal;
  return { ...rest, lotSize: 10n ** BigInt(18 - lotDecimals) as Decimal, tickSize, referencePx: (tickSize * BigInt(ticks)) as Decimal };
});
const anyUniverse = fc.uniqueArray(anyInstrument, { selector: (entry) => entry.symbol, minLength: 1, maxLength: 8 })
  .map((list) => new Map(list.map((entry) => [entry.symbol, entry])));

t.test('universe → canonical JSON → universe, and back, order kept', (t) => {
  fc.assert(fc.property(anyUniverse, (universe) => {
    const text = canonicalize(universeJson(universe));
    const again = universeFromJson(JSON.parse(text));
    t.same([...again.values()], [...universe.values()]);
    return canonicalize(universeJson(again)) === text;
  }), { numRuns: 50 });
  t.end();
});

t.test('the sample round-trips', (t) => {
  t.same([...universeFromJson(universeJson(sample.universe)).values()], [...sample.universe.values()]);
  t.end();
});

const SHARED = 'shared: { assetClass: equity, currency: USD, lotSize: "1", tickSize: "0.01", settlementDays: 1 }';
const ROW = '[SPY, Trust, Index, "167.50", 99000000, 0.16, 1.00, 0.6]';
const file = (rows: string, shared = SHARED): string =>
  `groups:\n  - about: Some\n    ${shared}\n    rows:\n${rows.split('\n').map((row) => `      - ${row}`).join('\n')}\n`;

t.test('a row that is wrong is named by its place', (t) => {
  t.equal(formatDecimal(parseUniverse(file(ROW)).get('SPY')!.referencePx), '167.5');
  const place = 'groups[0].rows[0]';
  const rows: readonly (readonly [string, string])[] = [
    [file(ROW.replace(', 0.6]', ']')), `OUT_OF_RANGE ${place}`],
    [file(ROW.replace('0.6]', '0.6, 1]')), `OUT_OF_RANGE ${place}`],
    [file(`${ROW}\n${ROW}`), 'DUPLICATE groups[0].rows[1]'],
    [file(ROW.replace('SPY', 'spy')), `BAD_TEXT ${place}.symbol`],
    [file(ROW.replace('SPY', '[SPY]')), `WRONG_TYPE ${place}.symbol`],
    [file(ROW.replace('SPY', 'ON')), 'null'],
    [file(ROW.replace('SPY', 'null')), `WRONG_TYPE ${place}.symbol`],
    [file(ROW.replace('Trust', '"a\\u0000b"')), `BAD_TEXT ${place}.name`],
    [file(ROW.replace('Trust', '"a\\u202Eb"')), `BAD_TEXT ${place}.name`],
    [file(ROW.replace('Trust', '""')), `BAD_TEXT ${place}.name`],
    [file(ROW.replace('"167.50"', '167.50')), `WRONG_TYPE ${place}.referencePx`],
    [file(ROW.replace('"167.50"', '"0"')), `OUT_OF_RANGE ${place}.referencePx`],
    [file(ROW.replace('"167.50"', '"167.505"')), `INCONSISTENT ${place}.referencePx`],
    [file(ROW.replace('99000000', '0')), `OUT_OF_RANGE ${place}.advQty`],
    [file(ROW.replace('0.16', '.nan')), `OUT_OF_RANGE ${place}.sigmaAnnual`],
    [file(ROW.replace('0.16', '-0.16')), `OUT_OF_RANGE ${place}.sigmaAnnual`],
    [file(ROW.replace('1.00', '"1"')), `WRONG_TYPE ${place}.beta`],
    [file(ROW, SHARED.replace('lotSize: "1"', 'lotSize: "0"')), 'OUT_OF_RANGE groups[0].shared.lotSize'],
    [file(ROW, SHARED.replace('lotSize: "1"', 'lotSize: 1')), 'WRONG_TYPE groups[0].shared.lotSize'],
    [file(ROW, SHARED.replace('lotSize: "1"', 'lotSize: "0.0000000000000001"')), 'null'],
    [file(ROW, SHARED.replace('lotSize: "1"', 'lotSize: "0.00000000000000001"')), `OUT_OF_RANGE ${place}.lotSize`],
    [file(ROW, SHARED.replace('settlementDays: 1', 'settlementDays: 1, venue: PAPER')), 'UNKNOWN_KEY groups[0].shared.venue'],
    [file(ROW, SHARED.replace(', settlementDays: 1', '')), 'MISSING_KEY groups[0].shared.settlementDays'],
    ['groups: []', 'OUT_OF_RANGE groups'],
    ['instruments: []', 'UNKNOWN_KEY instruments'],
    ['[]', 'WRONG_TYPE'],
    ['', 'WRONG_TYPE'],
    [`# ${'x'.repeat(1024 * 1024)}\n${universeYaml}`, 'TOO_LARGE'],
  ];
  for (const [text, expected] of rows) t.equal(String(refusal(() => parseUniverse(text))), expected, text.slice(0, 160));
  t.end();
});

t.test('JSON is read by the same rules', (t) => {
  const [spy] = universeJson(new Map([['SPY', sample.universe.get('SPY')!]])) as unknown as readonly Record<string, unknown>[];
  t.equal(refusal(() => universeFromJson([spy, spy])), 'DUPLICATE [1]');
  t.equal(refusal(() => universeFromJson([{ ...spy, extra: 1 }])), 'UNKNOWN_KEY [0].extra');
  t.equal(refusal(() => universeFromJson([{ ...spy, tickSize: '0.0123' }])), 'INCONSISTENT [0].referencePx');
  t.equal(refusal(() => universeFromJson({})), 'WRONG_TYPE');
  t.end();
});
