import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { LogStore, StoredLine } from '../../compliance/journal.ts';
import { NO_HASH } from '../../compliance/seal.ts';
import { createSequencer, LIMITS, type Sequencer, type SequencerEvents, type SequencerOptions } from '../../compliance/sequencer.ts';
import type { Draft, LogRecord } from '../../risk/domain/record.ts';

import { instant, plusMs } from '../../risk/domain/time.ts';
import { faultyStore, memoryStore, type Fault } from '../doubles/store.ts';
import { manualTimers, type ManualTimers } from '../doubles/timers.ts';

const START = instant('2026-11-20T09:30:00Z');
const draft = (body: unknown = {}, cause: Draft['cause'] = null): Draft => ({ kind: 'order.decided', v: 1, actor: { id: 'a', role: 'strategy' }, cause, body });

interface Bench {
  readonly sequencer: Sequencer;
  readonly time: ManualTimers;
  readonly folded: LogRecord[];
  readonly told: string[];
  readonly receipts: StoredLine[];
}

function bench(store: LogStore, more: Partial<SequencerOptions> = {}): Bench {
  const time = manualTimers(START);
  const folded: LogRecord[] = [];
  const told: string[] = [];
  const receipts: StoredLine[] = [];
  const events: SequencerEvents = {
    onDurable: (_records, made) => { receipts.push(...made); },
    onTrouble: () => { told.push('trouble'); },
    onEmergency: () => { told.push('emergency'); },
    onRecovered: () => { told.push('recovered'); },
    onFatal: (error) => { told.push(`fatal: ${error.message}`); },
    onClockStep: (back) => { told.push(`clock ${String(back)}`); },
  };
  const sequencer = createSequencer({
    log: 'L', head: { size: 0, hash: NO_HASH, at: START }, store, clock: time, timers: time, fold: (record) => { folded.push(record); }, subjectOf: () => null, events, ...more,
  });
  return { sequencer, time, folded, told, receipts };
}

/** The log is what was folded: no gap, no repeat, each record chained to the one before. */
function assertLog(t: Test, lines: ReturnType<typeof memoryStore>['lines'], folded: readonly LogRecord[]): void {
  let prev = NO_HASH;
  t.equal(lines.length, folded.length, 'as many stored as folded');
  for (const [i, { canonical, hash, seq }] of lines.entries()) {
    const record = JSON.parse(canonical) as { seq: number; prev: string; body: unknown };
    if (seq !== i || record.seq !== i || record.prev !== prev) t.fail(`the chain breaks at ${i}`);
    t.strictSame(record.body, folded[i]!.body);
    prev = hash;
  }
}

t.test('a record is folded at once, and its receipt comes when it is stored', async (t) => {
  const store = memoryStore();
  const { sequencer, time, folded, receipts } = bench(store, { subjectOf: (kind) => `${kind}/1` });
  const { records, durable } = sequencer.append([draft({ a: 1 }), draft({ b: 2 }, 'first')]);
  t.strictSame(records.map(({ seq, cause, at }) => ({ seq, cause, at })), [{ seq: 0, cause: null, at: START }, { seq: 1, cause: 0, at: START }]);
  t.strictSame(folded, records);
  t.equal(sequencer.nextSeq, 2);
  t.equal(sequencer.durableSize, 0);
  t.equal(store.lines.length, 0, 'nothing is sent within the turn');
  await time.settle();
  t.strictSame(await durable, [0, 1].map((seq) => ({ log: 'L', seq, hash: store.lines[seq]!.hash })));
  t.strictSame(receipts, store.lines, 'who is told of what is durable gets the lines as stored');
  t.equal(sequencer.durableSize, 2);
  t.equal(sequencer.durableHash, store.lines[1]!.hash);
  t.equal(store.lines[0]!.subject, 'order.decided/1');
  t.strictSame(await sequencer.whenDurable(0), (await durable)[0]);
  await t.rejects(sequencer.whenDurable(2), RangeError);
  assertLog(t, store.lines, folded);
});

t.test('a unit is all or nothing: a draft that cannot be a record leaves no trace', (t) => {
  const { sequencer, folded } = bench(memoryStore());
  for (const bad of [draft({ x: -0 }), draft({ x: 'x'.repeat(65_536) }), draft({ x: '\ud800' }), draft({}, 7), draft({}, 1)]) {
    t.throws(() => sequencer.append([draft(), bad]), RangeError);
  }
  t.throws(() => sequencer.append([]), RangeError);
  t.throws(() => sequencer.append([draft({}, 'first')]), RangeError, 'the first has none before it');
  t.equal(sequencer.nextSeq, 0);
  t.strictSame(folded, []);
  const { sequencer: named } = bench(memoryStore(), { subjectOf: () => 'two\nlines' });
  t.throws(() => named.append([draft()]), RangeError);
  t.end();
});

t.test('the longest record fits to the byte', async (t) => {
  const store = memoryStore();
  const { sequencer, time } = bench(store);
  sequencer.append([draft('')]);
  await time.settle();
  const room = 65_535 - Buffer.byteLength(store.lines[0]!.canonical);
  t.throws(() => sequencer.append([draft('x'.repeat(room + 1))]), /65536 bytes; at most 65535/);
  t.throws(() => sequencer.append([draft('é'.repeat(room / 2 + 1))]), RangeError, 'bytes, not letters');
  sequencer.append([draft('x'.repeat(room))]);
  await time.settle();
  t.equal(Buffer.byteLength(store.lines[1]!.canonical), 65_535);
});

t.test('one flight at a time; what comes meanwhile is one batch; a unit is never split', async (t) => {
  const inner = memoryStore();
  const batches: number[] = [];
  const release: (() => void)[] = [];
  const store: LogStore = {
    ...inner,
    async append(lines) {
      batches.push(lines.length);
      await new Promise<void>((resolve) => release.push(resolve));
      await inner.append(lines);
    },
  };
  const { sequencer, time, folded } = bench(store, { limits: { ...LIMITS, batchUnits: 3 } });
  const twice = (): Draft[] => [draft(), draft()];
  const order: string[] = [];
  void sequencer.append(twice()).durable.then(() => order.push(`first answered after ${batches.length} cuts`));
  sequencer.append(twice());
  await time.settle();
  t.strictSame(batches, [4], 'one poll, one batch');
  for (let i = 0; i < 4; i++) sequencer.append(twice());
  await time.settle();
  t.strictSame(batches, [4], 'one flight');
  release.shift()!();
  await time.settle();
  t.strictSame(batches, [4, 6], 'three units at most');
  t.strictSame(order, ['first answered after 2 cuts'], 'the disk works while answers are given');
  while (sequencer.durableSize < 12) {
    release.shift()?.();
    await time.settle();
  }
  t.strictSame(batches, [4, 6, 2]);
  assertLog(t, inner.lines, folded);
});

t.test('bytes bound a batch too, and a larger unit goes alone', async (t) => {
  const store = memoryStore();
  const sizes: number[] = [];
  const counting: LogStore = { ...store, append: (lines) => { sizes.push(lines.length); return store.append(lines); } };
  const { sequencer, time } = bench(counting, { limits: { ...LIMITS, batchBytes: 600 } });
  sequencer.append(Array.from({ length: 9 }, () => draft()));
  for (let i = 0; i < 4; i++) sequencer.append([draft()]);
  await time.settle();
  t.strictSame(sizes, [9, 2, 2]);
});

t.test('strategies are refused at three quarters of either bound, the rest never', (t) => {
  const inRecords = bench(memoryStore(), { limits: { ...LIMITS, queueRecords: 8 } }).sequencer;
  for (let i = 0; i < 6; i++) {
    t.ok(inRecords.accepts('strategy'));
    inRecords.append([draft()]);
  }
  t.notOk(inRecords.accepts('strategy'));
  t.ok(inRecords.accepts('reserved'));
  for (let i = 0; i < 20; i++) inRecords.append([draft()]);
  t.ok(inRecords.accepts('reserved'));
  const inBytes = bench(memoryStore(), { limits: { ...LIMITS, queueBytes: 4_000 } }).sequencer;
  inBytes.append([draft('x'.repeat(3_000))]);
  t.notOk(inBytes.accepts('strategy'));
  t.end();
});

t.test('room comes back when the queue is stored', async (t) => {
  const { sequencer, time } = bench(memoryStore(), { limits: { ...LIMITS, queueRecords: 4 } });
  sequencer.append([draft(), draft(), draft()]);
  t.notOk(sequencer.accepts('strategy'));
  await time.settle();
  t.ok(sequencer.accepts('strategy'));
});

t.test('`at` never decreases; a backward step is told once, and the teller may append', async (t) => {
  const store = memoryStore();
  const { sequencer, time, folded, told } = bench(store, {});
  sequencer.append([draft()]);
  time.set(plusMs(START, -2_000));
  sequencer.append([draft()]);
  sequencer.append([draft()]);
  time.set(plusMs(START, 1));
  sequencer.append([draft()]);
  t.strictSame(told, ['clock 2000000000']);
  t.strictSame(folded.map(({ at }) => at), [START, START, START, plusMs(START, 1)]);
  await time.settle();

  const nested: { sequencer?: Sequencer } = {};
  const silent = (): void => undefined;
  const other = bench(memoryStore(), {
    events: { onDurable: silent, onTrouble: silent, onEmergency: silent, onRecovered: silent, onFatal: silent, onClockStep: () => { nested.sequencer!.append([draft('told')]); } },
  });
  nested.sequencer = other.sequencer;
  other.time.set(plusMs(START, -1));
  other.sequencer.append([draft('outer')]);
  t.strictSame(other.folded.map(({ seq, body }) => [seq, body]), [[0, 'told'], [1, 'outer']]);
});

for (const fault of ['refused', 'persisted', 'late', 'prefix'] as const satisfies readonly Fault[]) {
  t.test(`an append that is ${fault} once: the same bytes are stored, once, and strategies wait meanwhile`, async (t) => {
    const store = memoryStore();
    const plan: (Fault | null)[] = [fault];
    const { sequencer, time, folded, told } = bench(faultyStore(store, (call) => (call === 'append' ? plan.shift() ?? null : null)), {});
    const { durable } = sequencer.append([draft(1), draft(2), draft(3)]);
    const second = sequencer.append([draft(4)]);
    await time.advance(1_000);
    t.equal((await durable).length, 3);
    t.equal((await second.durable)[0]!.seq, 3);
    t.equal(sequencer.state, 'flowing');
    t.ok(told.length > 0 && told.every((one) => one === 'trouble'), 'no emergency');
    assertLog(t, store.lines, folded);
  });
}

t.test('unreachable for ten seconds: refusing at once, an emergency after five, once; then everything is stored', async (t) => {
  const store = memoryStore();
  const time: { now?: ManualTimers } = {};
  const isDown = (): boolean => time.now!.now() < plusMs(START, 10_000);
  const { sequencer, time: clock, folded, told } = bench(faultyStore(store, () => (isDown() ? 'refused' : null)));
  time.now = clock;
  const { durable } = sequencer.append([draft(1)]);
  await clock.advance(10);
  t.equal(sequencer.state, 'unknown');
  t.notOk(sequencer.accepts('strategy'));
  t.ok(sequencer.accepts('reserved'));
  const kill = sequencer.append([draft('halt')]);
  await clock.advance(4_980);
  t.notOk(told.includes('emergency'), 'not before five seconds');
  await clock.advance(20);
  t.equal(sequencer.state, 'emergency');
  await clock.advance(7_000);
  t.equal(told.filter((one) => one === 'emergency').length, 1);
  t.equal(told.at(-1), 'recovered');
  t.ok(sequencer.accepts('strategy'));
  t.equal((await durable)[0]!.seq, 0);
  t.equal((await kill.durable)[0]!.seq, 1);
  assertLog(t, store.lines, folded);
});

t.test('a second trouble has its own five seconds and its own emergency', async (t) => {
  const store = memoryStore();
  let down = true;
  const { sequencer, time, told } = bench(faultyStore(store, () => (down ? 'refused' : null)));
  for (let i = 0; i < 2; i++) {
    down = true;
    sequencer.append([draft(i)]);
    await time.advance(6_000);
    down = false;
    await time.advance(2_000);
  }
  t.strictSame(told.filter((one) => one !== 'trouble'), ['emergency', 'recovered', 'emergency', 'recovered']);
});

t.test('another record at our seq: every pending record is given up, and nothing is taken any more', async (t) => {
  const store = memoryStore();
  const { sequencer, time, told } = bench(faultyStore(store, (call) => (call === 'append' ? 'stolen' : null)));
  const { durable } = sequencer.append([draft(1)]);
  await time.advance(0);
  const waiting = t.rejects(durable, { name: 'LogFork' });
  await time.advance(1_000);
  await waiting;
  t.equal(sequencer.state, 'failed');
  t.match(told.at(-1), /^fatal: another record stands at seq 0/);
  t.throws(() => sequencer.append([draft(2)]), { name: 'LogFork' });
  t.notOk(sequencer.accepts('reserved'));
  await t.rejects(sequencer.close(), { name: 'LogFork' });
});

t.test('a store that lost an acknowledged record is a fork, never a gap', async (t) => {
  const store = memoryStore();
  const { sequencer, time, told } = bench(store);
  sequencer.append([draft(1), draft(2)]);
  await time.settle();
  store.lines.pop();
  const { durable } = sequencer.append([draft(3)]);
  const waiting = t.rejects(durable, { name: 'LogFork' });
  await time.advance(1_000);
  await waiting;
  t.match(told.at(-1), /^fatal: the record before seq 2/);
});

t.test('a fold that throws leaves a memory of no use: the end', (t) => {
  const { sequencer, told } = bench(memoryStore(), { fold: () => { throw new Error('defect'); } });
  t.throws(() => sequencer.append([draft()]), /defect/);
  t.strictSame(told, ['fatal: defect']);
  t.throws(() => sequencer.append([draft()]), /defect/);
  t.end();
});

t.test('close takes nothing more and waits for what was taken', async (t) => {
  const store = memoryStore();
  const { sequencer, folded } = bench(store);
  sequencer.append([draft(1)]);
  sequencer.append([draft(2)]);
  const closed = sequencer.close();
  t.throws(() => sequencer.append([draft(3)]), /closed/);
  await closed;
  assertLog(t, store.lines, folded);
  await sequencer.close();
});

t.test('whatever fails, the log is exactly what was folded, and receipts are of stored records', async (t) => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }).map((units) => ({ units, ms: 0 })) },
    { weight: 1, arbitrary: fc.nat(3_000).map((ms) => ({ units: [], ms })) },
  );
  const faults = fc.constantFrom<Fault | null>(null, null, 'refused', 'persisted', 'late', 'prefix');
  const total: Record<string, number> = {};
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.array(faults, { maxLength: 30 }), async (steps, plan) => {
    const store = memoryStore();
    const queue = [...plan];
    const faulty = faultyStore(store, () => queue.shift() ?? null);
    const { sequencer, time, folded, receipts, told } = bench(faulty);
    for (const { units, ms } of steps) {
      for (const unit of units) sequencer.append(unit.map((n) => draft(n)));
      await time.advance(ms);
      for (const receipt of receipts) if (store.lines[receipt.seq]?.hash !== receipt.hash) throw new Error('a receipt of nothing');
      for (const [i, line] of store.lines.entries()) if ((JSON.parse(line.canonical) as LogRecord).body !== folded[i]!.body) throw new Error('another log');
    }
    await time.advance(120_000);
    await sequencer.close();
    for (const [fault, n] of Object.entries(faulty.fired)) total[fault] = (total[fault] ?? 0) + n;
    const emergencies = told.filter((one) => one === 'emergency').length;
    return store.lines.length === folded.length && receipts.length === folded.length && receipts.every(({ seq }, i) => seq === i)
      && sequencer.state === 'flowing' && told.filter((one) => one === 'recovered').length === emergencies;
  }), { numRuns: 60 });
  for (const fault of ['refused', 'persisted', 'late', 'prefix']) t.ok((total[fault] ?? 0) > 0, `${fault} fired`);
});
