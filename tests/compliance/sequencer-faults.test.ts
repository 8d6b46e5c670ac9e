import fc from 'fast-check';
import t from 'tap';
import type { LogRecord } from '../../risk/domain/record.ts';
import { plusMs } from '../../risk/domain/time.ts';
import { assertLog, bench, draft, START } from '../doubles/sequencer.ts';
import { faultyStore, memoryStore, type Fault } from '../doubles/store.ts';
import type { ManualTimers } from '../doubles/timers.ts';

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
    t.strictSame([...new Set(told)], ['trouble', 'recovered'], 'no emergency');
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
  const units = fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 });
  const step = fc.oneof(
    { weight: 3, arbitrary: units.map((some) => ({ units: some, ms: 0 })) },
    { weight: 1, arbitrary: fc.nat(3_000).map((ms) => ({ units: [], ms })) },
  );
  const faults = fc.constantFrom<Fault | null>(null, null, 'refused', 'persisted', 'late', 'prefix');
  const total: Record<string, number> = {};
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.array(faults, { maxLength: 30 }), async (steps, plan) => {
    const store = memoryStore();
    const queue = [...plan];
    const faulty = faultyStore(store, () => queue.shift() ?? null);
    const { sequencer, time, folded, durable, told } = bench(faulty);
    for (const { units, ms } of steps) {
      for (const unit of units) sequencer.append(unit.map((n) => draft(n)));
      await time.advance(ms);
      for (const line of durable) if (store.lines[line.seq]?.hash !== line.hash) throw new Error('told of what is not stored');
      for (const [i, { canonical }] of store.lines.entries()) {
        if ((JSON.parse(canonical) as LogRecord).body !== folded[i]!.body) throw new Error('another log');
      }
    }
    await time.advance(120_000);
    await sequencer.close();
    for (const [fault, n] of Object.entries(faulty.fired)) total[fault] = (total[fault] ?? 0) + n;
    const isHealed = told.length === 0 || told.at(-1) === 'recovered';
    return store.lines.length === folded.length && durable.length === folded.length && durable.every(({ seq }, i) => seq === i)
      && sequencer.state === 'flowing' && isHealed;
  }), { numRuns: 60 });
  for (const fault of ['refused', 'persisted', 'late', 'prefix']) t.ok((total[fault] ?? 0) > 0, `${fault} fired`);
});
