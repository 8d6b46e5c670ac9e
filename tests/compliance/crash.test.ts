/** The sequencer over a real PostgreSQL that is killed while it commits. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { leafHash } from '../../compliance/canonical.ts';
import type { StoredLine } from '../../compliance/journal.ts';
import { NO_HASH } from '../../compliance/seal.ts';
import { createSequencer, type Sequencer } from '../../compliance/sequencer.ts';
import { postgresStore, type PostgresStore } from '../../compliance/store.ts';
import type { Draft, LogRecord } from '../../risk/domain/record.ts';
import { instant } from '../../risk/domain/time.ts';
import { testDatabase } from '../doubles/postgres.ts';
import { wallTimers } from '../doubles/timers.ts';

const ROUNDS = process.env['DEPTH'] === 'long' ? 25 : 4;
const PRODUCERS = 16;

interface Run {
  readonly store: PostgresStore;
  readonly sequencer: Sequencer;
  readonly folded: LogRecord[];
  readonly durable: StoredLine[];
  readonly troubles: string[];
  readonly fatal: string[];
}

async function start(writer: Parameters<typeof postgresStore>[0]['connection'], log: string): Promise<Run> {
  const store = await postgresStore({ connection: writer, log, instance: randomUUID().slice(0, 8), deadlineMs: 2_000, onLost: () => undefined });
  const folded: LogRecord[] = [];
  const durable: StoredLine[] = [];
  const troubles: string[] = [];
  const fatal: string[] = [];
  const timers = wallTimers();
  const sequencer = createSequencer({
    log, head: { size: 0, hash: NO_HASH, at: instant('2026-11-20T09:30:00Z') }, store, clock: timers, timers, fold: (record) => { folded.push(record); },
    subjectOf: (_kind, body) => `N${String((body as { n: number }).n)}`,
    events: {
      onDurable: (_records, made) => { durable.push(...made); }, onTrouble: (error) => { troubles.push(error.message); }, onEmergency: () => undefined,
      onRecovered: () => undefined, onFatal: (error) => { fatal.push(error.message); }, onClockStep: () => undefined,
    },
  });
  return { store, sequencer, folded, durable, troubles, fatal };
}

const record = (n: number): Draft => ({ kind: 'x.y', v: 1, actor: { id: 'a', role: 'system' }, cause: null, body: { n } });

/** Appends, a record or three at a time, until told to stop. */
async function produce({ sequencer }: Run, producer: number, isDone: () => boolean): Promise<void> {
  for (let n = 0; !isDone(); n++) {
    const units = Array.from({ length: 1 + (n % 3) }, (_, i) => record(producer * 1e6 + n * 3 + i));
    await sequencer.append(units).durable;
  }
}

t.test('the server is killed during commits: what was acknowledged is there, nothing twice, nothing missing', async (t) => {
  const database = await testDatabase();
  t.teardown(() => database.remove());
  const run = await start(database.writer, 'K');
  t.teardown(() => run.store.close());
  const postmaster = (): number => Number(readFileSync(join(database.dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
  let isDone = false;
  const producers = Array.from({ length: PRODUCERS }, (_, i) => produce(run, i, () => isDone));
  for (let round = 0; round < ROUNDS; round++) {
    const goal = run.sequencer.durableSize + 500;
    while (run.sequencer.durableSize < goal) await turn();
    const victim = postmaster();
    const troubles = run.troubles.length;
    process.kill(victim, 'SIGKILL');
    while (run.troubles.length === troubles) await turn();
  }
  const goal = run.sequencer.durableSize + 500;
  while (run.sequencer.durableSize < goal) await turn();
  isDone = true;
  await Promise.all(producers);
  await run.sequencer.close();

  const size = await run.store.size();
  t.equal(size, run.folded.length);
  t.equal(run.durable.length, size);
  let prev = NO_HASH;
  for (let from = 0; from < size; from += 1_000) {
    for (const { seq, canonical, hash } of await run.store.read(from, 1_000)) {
      const parsed = JSON.parse(canonical) as LogRecord & { prev: string };
      const isRight = leafHash(canonical) === hash && parsed.prev === prev && run.durable[seq]?.hash === hash && run.durable[seq].seq === seq;
      if (!isRight || (parsed.body as { n: number }).n !== (run.folded[seq]?.body as { n: number }).n) t.fail(`record ${seq}`);
      prev = hash;
    }
  }
  t.ok(run.troubles.length >= ROUNDS);
  t.strictSame(run.fatal, []);
});

t.test('two writers that both believe to hold the lease: the second one to write learns of the fork', async (t) => {
  const database = await testDatabase();
  t.teardown(() => database.remove());
  const run = await start(database.writer, 'F');
  t.teardown(() => run.store.close());
  const made = record(1);
  await run.sequencer.append([made]).durable;
  const text = '{"another":"record","at":"2026-11-20T09:30:00.000000000Z"}';
  await run.store.append([{ seq: 1, canonical: text, hash: leafHash(text), at: instant('2026-11-20T09:30:00Z'), subject: null, bytes: Buffer.byteLength(text) }]);
  await t.rejects(run.sequencer.append([made]).durable, { name: 'LogFork' });
  t.strictSame(run.fatal, ['another record stands at seq 1']);
});
