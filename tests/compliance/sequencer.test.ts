import t from 'tap';
import type { LogStore } from '../../compliance/journal.ts';
import { LIMITS, type Sequencer } from '../../compliance/sequencer.ts';
import type { Draft } from '../../risk/domain/record.ts';
import { plusMs } from '../../risk/domain/time.ts';
import { assertLog, bench, draft, START } from '../doubles/sequencer.ts';
import { memoryStore } from '../doubles/store.ts';

t.test('a record is folded at once, and its receipt comes when it is stored', async (t) => {
  const store = memoryStore();
  const { sequencer, time, folded, durable: told } = bench(store, { subjectOf: (kind) => `${kind}/1` });
  const { records, durable } = sequencer.append([draft({ a: 1 }), draft({ b: 2 }, 'first')]);
  t.strictSame(records.map(({ seq, cause, at }) => ({ seq, cause, at })), [{ seq: 0, cause: null, at: START }, { seq: 1, cause: 0, at: START }]);
  t.strictSame(folded, records);
  t.equal(sequencer.nextSeq, 2);
  t.equal(sequencer.durableSize, 0);
  t.equal(store.lines.length, 0, 'nothing is sent within the turn');
  await time.settle();
  t.strictSame(await durable, [0, 1].map((seq) => ({ log: 'L', seq, hash: store.lines[seq]!.hash })));
  t.strictSame(told, store.lines, 'who is told of what is durable gets the lines as stored');
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
    events: {
      onDurable: silent, onTrouble: silent, onEmergency: silent, onRecovered: silent, onFatal: silent,
      onClockStep: () => { nested.sequencer!.append([draft('told')]); },
    },
  });
  nested.sequencer = other.sequencer;
  other.time.set(plusMs(START, -1));
  other.sequencer.append([draft('outer')]);
  t.strictSame(other.folded.map(({ seq, body }) => [seq, body]), [[0, 'told'], [1, 'outer']]);
});
