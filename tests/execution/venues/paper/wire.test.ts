import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { Decimal } from '../../../../risk/domain/decimal.ts';
import { ORDER_TYPES, SIDES, TIFS, type ChildOrder } from '../../../../risk/domain/order.ts';
import { formatInstant, type Ns } from '../../../../risk/domain/time.ts';
import type { VenueReport } from '../../../../execution/venue.ts';
import { decodeOrder, decodeReport, encodeOrder, encodeReport } from '../../../../execution/venues/paper/codec.ts';
import { PaperJournal, readPaperJournal, type EntryJson } from '../../../../execution/venues/paper/journal.ts';
import { formatProcessConfig, parseProcessConfig } from '../../../../execution/venues/paper/process-config.ts';
import { recover } from '../../../../execution/venues/paper/recovery.ts';
import { formatFrame, LINE_BYTES_MAX, LineCutter, parseClientFrame, parseServerFrame } from '../../../../execution/venues/paper/wire.ts';
import { at, CONFIG, d, INSTRUMENTS, order, run, type Step } from './fixture.ts';

const decimal = fc.bigInt({ min: -(10n ** 36n) + 1n, max: 10n ** 36n - 1n }).map((n) => n as Decimal);
const instant = fc.bigInt({ min: 0n, max: 4n * 10n ** 18n }).map((n) => n as Ns);
const id = fc.stringMatching(/^[A-Z0-9]{1,24}$/);
const anOrder: fc.Arbitrary<ChildOrder> = fc.record({
  clOrdId: id, origClOrdId: fc.option(id), parent: id, venue: fc.constant('PAPER'), account: fc.stringMatching(/^[A-Z0-9][A-Z0-9._-]{0,31}$/),
  strategy: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,31}$/), symbol: fc.constantFrom('SPY', 'BTC-USD'), side: fc.constantFrom(...SIDES), orderQty: decimal,
  type: fc.constantFrom(...ORDER_TYPES), limitPx: fc.option(decimal), tif: fc.constantFrom(...TIFS), expireAt: fc.option(instant),
  participation: fc.option(fc.double({ min: 0.001, max: 1, noNaN: true })),
});
const base = { clOrdId: id, sourceSeq: fc.nat(), venueAt: instant };
const aReport: fc.Arbitrary<VenueReport> = fc.oneof(
  fc.record({ kind: fc.constantFrom('acknowledged', 'absent'), ...base }),
  fc.record({ kind: fc.constantFrom('canceled', 'expired'), ...base, cumQty: decimal }),
  fc.record({ kind: fc.constantFrom('rejected', 'cancelRejected'), ...base, reason: fc.constant('LOT_SIZE') }),
  fc.record({ kind: fc.constant('replaced'), ...base, origClOrdId: id, cumQty: decimal, leavesQty: decimal }),
  fc.record({
    kind: fc.constant('filled'), ...base, execId: id, lastQty: decimal, lastPx: decimal, cumQty: decimal, leavesQty: decimal, fee: decimal,
    liquidity: fc.constantFrom('maker', 'taker'),
  }),
);

t.test('orders and reports come through the wire as they were', (t) => {
  const receipt = { log: 'TEST', seq: 1, hash: 'ab' };
  fc.assert(fc.property(anOrder, (sent) => {
    const frame = parseClientFrame(formatFrame({ op: 'order', order: encodeOrder(sent), receipt }));
    t.match(frame, { op: 'order', receipt });
    if (frame?.op === 'order') t.same(decodeOrder(frame.order), sent);
  }), { numRuns: 50 });
  fc.assert(fc.property(aReport, (told) => {
    const frame = parseServerFrame(formatFrame({ op: 'report', report: encodeReport(told) }));
    t.match(frame, { op: 'report' });
    if (frame?.op === 'report') t.same(decodeReport(frame.report), told);
  }), { numRuns: 50 });
  t.end();
});

t.test('hostile lines are no frames', (t) => {
  const filled = JSON.stringify({ op: 'report', report: encodeReport(run([{ quote: ['9', '1', '10', '100'] }, { order: order('A') }])[1]!) });
  t.ok(parseServerFrame(filled));
  t.ok(parseServerFrame('{"op":"refused","reason":"a \\"word\\" 😀"}'));
  for (const line of [
    '', 'null', '[]', '"who"', '{"op":"report"}', '{"op":"welcome","venue":"","pid":1}', '{"op":"welcome","venue":"V","pid":-1}',
    '{"__proto__":{"op":"fenced"}}', '{"op":"refused","reason":"\\ud800"}', '{"op":"refused","reason":"\\u0000"}', '{"op":"refused","reason":"a\\u202eb"}',
    filled.replace('"filled"', '"fill"'), filled.replace('"taker"', '"none"'), filled.replace('"lastPx":"10"', '"lastPx":10'),
    filled.replace('"lastPx":"10"', '"lastPx":"1e1"'),
    filled.replace('2026-11-20', '2026-02-30'), filled.replace('"sourceSeq":2', '"sourceSeq":1.5'), filled.replace('"A"', '"a"'), filled.slice(0, -1),
  ]) t.equal(parseServerFrame(line), null, line);
  t.end();
});

t.test('lines are cut alike however the bytes come', (t) => {
  fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme' }).map((s) => s.replaceAll('\n', ' '))), fc.integer({ min: 1, max: 7 }), (lines, step) => {
    const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
    const cutter = new LineCutter();
    const got: string[] = [];
    for (let i = 0; i < bytes.length; i += step) got.push(...(cutter.take(bytes.subarray(i, i + step)) ?? []));
    return JSON.stringify(got) === JSON.stringify(Buffer.from(lines.join('\n')).toString().split('\n').slice(0, lines.length));
  }));
  const long = 'x'.repeat(LINE_BYTES_MAX - 1);
  t.same(new LineCutter().take(Buffer.from(`${long}\n`)), [long], 'the longest line');
  t.equal(new LineCutter().take(Buffer.from(`${long}x\n`)), null, 'one byte more');
  t.equal(new LineCutter().take(Buffer.from(`${long}x`)), null, 'without an end');
  t.end();
});

t.test('the configuration comes back as it was; anything else is refused', (t) => {
  const config = { id: 'PAPER', paper: CONFIG, marketSeed: '7', instruments: [...INSTRUMENTS.values()], socketPath: '/s', journalPath: '/j' };
  t.same(parseProcessConfig(formatProcessConfig(config)), config);
  t.throws(() => parseProcessConfig(formatProcessConfig({ ...config, paper: { ...CONFIG, latencyMs: -1 } })), /not a configuration/);
  t.end();
});

/** The journal of a run: each command as received, each report as told. */
function entriesOf(steps: readonly Step[]): EntryJson[] {
  const receipt = { log: 'TEST', seq: 1, hash: 'ab' };
  const commands = steps.flatMap((step): EntryJson[] => 'order' in step ? [{ kind: 'order', at: formatInstant(at(0)), order: encodeOrder(step.order), receipt }]
    : 'cancel' in step ? [{ kind: 'cancel', at: formatInstant(at(0)), clOrdId: step.cancel }] : []);
  return [...commands, ...run(steps).map((report): EntryJson => ({ kind: 'report', report: encodeReport(report) }))];
}

const STEPS: readonly Step[] = [
  { quote: ['9.99', '300', '10.01', '30'] }, { order: order('A', { limitPx: d('10.01') }) }, { order: order('B') },
  { order: order('C', { origClOrdId: 'A', orderQty: d('90') }) },
  { order: order('D', { orderQty: d('0') }) }, { order: order('B') }, { cancel: 'B' }, { cancel: 'X' },
];

t.test('recovery at every line: open, finished and unanswered are what the lines say', async (t) => {
  const path = join(t.testdir(), 'journal.ndjson');
  const { journal, entries } = await PaperJournal.open(path, (error) => { throw error as Error; });
  t.same(entries, []);
  const told: number[] = [];
  for (const [i, entry] of entriesOf(STEPS).entries()) journal.append(entry, () => told.push(i));
  await journal.close();
  const lines = readPaperJournal(path);
  t.same(told, lines.map((_, i) => i), 'durable in the order of the lines');
  const names = (n: number) => {
    const { open, finished, unanswered, lastSourceSeq } = recover(lines.slice(0, n));
    return {
      open: open.map(({ order: o, cumQty }) => `${o.clOrdId} ${String(cumQty / d('1'))}`).join(), finished: finished.join(),
      unanswered: unanswered.map((c) => (c.kind === 'order' ? c.order.clOrdId : `-${c.clOrdId}`)).join(), lastSourceSeq,
    };
  };
  for (const [n, expected] of [
    [0, { open: '', finished: '', unanswered: '', lastSourceSeq: 0 }],
    [7, { open: '', finished: '', unanswered: 'A,B,C,D,B,-B,-X', lastSourceSeq: 0 }],
    [8, { open: 'A 0', finished: '', unanswered: 'B,C,D,B,-B,-X', lastSourceSeq: 1 }],
    [9, { open: 'A 30', finished: '', unanswered: 'B,C,D,B,-B,-X', lastSourceSeq: 2 }],
    [10, { open: 'A 30,B 0', finished: '', unanswered: 'C,D,B,-B,-X', lastSourceSeq: 3 }],
    [11, { open: 'B 0,C 30', finished: 'A', unanswered: 'D,B,-B,-X', lastSourceSeq: 4 }],
    [12, { open: 'B 0,C 30', finished: 'A,D', unanswered: 'B,-B,-X', lastSourceSeq: 5 }],
    [13, { open: 'B 0,C 30', finished: 'A,D', unanswered: '-B,-X', lastSourceSeq: 6 }],
    [14, { open: 'C 30', finished: 'A,D,B', unanswered: '-X', lastSourceSeq: 7 }],
    [15, { open: 'C 30', finished: 'A,D,B', unanswered: '', lastSourceSeq: 8 }],
  ] as const) t.same(names(n), expected, `after ${n} lines`);
  t.equal(lines.length, 15);
});

t.test('a torn last line is cut off, any other damage stops the start', async (t) => {
  const path = join(t.testdir(), 'journal.ndjson');
  const whole = entriesOf(STEPS).map((entry) => `${JSON.stringify(entry)}\n`).join('');
  const fail = (error: unknown): void => { throw error as Error; };
  writeFileSync(path, whole);
  appendFileSync(path, '{"kind":"can');
  const { journal, entries } = await PaperJournal.open(path, fail);
  t.equal(entries.length, 15);
  t.equal(readFileSync(path, 'utf8'), whole);
  await journal.close();
  for (const [damage, message] of [
    [whole.replace('"acknowledged"', '"acknowledge"'), /line 8 is not an entry/], [`x${whole}`, /line 1 is not JSON/],
    [whole.replace('"sourceSeq":3', '"sourceSeq":4'), /report 4 follows 2/],
    [`\n${whole}`, /line 1 is not JSON/],
  ] as const) {
    writeFileSync(path, damage);
    await t.rejects(PaperJournal.open(path, fail), message);
  }
});
