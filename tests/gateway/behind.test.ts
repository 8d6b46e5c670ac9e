/** The threads behind the log, over a real PostgreSQL: what they make, and what becomes of it when somebody has changed it. */
import fc from 'fast-check';
import pg from 'pg';
import t from 'tap';
import { emptyState, FOLD_VERSION, subjectOf } from '../../compliance/fold.ts';
import type { StoredLine } from '../../compliance/journal.ts';
import { EMPTY_HEAD, foldStored, recoverState } from '../../compliance/recover.ts';
import { seal } from '../../compliance/seal.ts';
import { formatSnapshot } from '../../compliance/snapshot.ts';
import { snapshotTable } from '../../compliance/snapshots.ts';
import { postgresStore } from '../../compliance/store.ts';
import { Behind } from '../../gateway/behind.ts';
import type { House } from '../../gateway/house.ts';
import type { Draft } from '../../risk/domain/record.ts';
import { START } from '../execution/world.ts';
import { policyText, sample, universeText } from '../risk/sample.ts';
import { histories, logOf } from '../compliance/chronicle.ts';
import { testDatabase } from '../doubles/postgres.ts';

const database = await testDatabase();
t.teardown(() => database.remove());
const owner = new pg.Client(database.owner);
await owner.connect();
t.teardown(() => owner.end());

/** What an owner of the database can do, who turns the guards off first. */
async function tamper(table: string, change: string): Promise<void> {
  await owner.query(`ALTER TABLE portcullis.${table} DISABLE TRIGGER ALL; ${change}; ALTER TABLE portcullis.${table} ENABLE TRIGGER ALL`);
}

/** A log of a few dozen records in the database, with a journal that appends to it. */
async function stored(log: string) {
  const store = await postgresStore({ connection: database.writer, log, instance: 'test', deadlineMs: 5_000, onLost: () => undefined });
  await store.putBlob(sample.hash, policyText);
  await store.putBlob(sample.universeHash, universeText);
  const [history] = fc.sample(histories(60), { numRuns: 1, seed: 7 });
  const lines: StoredLine[] = [...logOf(history!, log)];
  await store.append(lines);
  const appended: Draft[] = [];
  const writes: Promise<void>[] = [];
  const append = (drafts: readonly Draft[]): { durable: Promise<void> } => {
    appended.push(...drafts);
    const unit = seal(log, { size: lines.length, hash: lines.at(-1)!.hash, at: START }, START, drafts, subjectOf).lines;
    lines.push(...unit);
    const durable = store.append(unit);
    writes.push(durable);
    return { durable };
  };
  const house = { fail: (error: unknown) => { throw error; }, journal: { accepts: () => true, append, get durableSize() { return lines.length; } } } as unknown as House;
  const said: string[] = [];
  const say = (line: string): void => { said.push(line); };
  const recover = async (): ReturnType<typeof recoverState> => {
    await Promise.all(writes);
    return await recoverState({ store, snapshots: snapshotTable(store.tables, log), say });
  };
  const full = async (): Promise<string> => {
    const state = emptyState();
    return formatSnapshot({ state, head: await foldStored(store, state, EMPTY_HEAD) });
  };
  const close = async (): Promise<void> => {
    await Promise.all(writes);
    await store.close();
  };
  return { close, lines, appended, house, said, say, recover, full };
}

const AT_ONCE = { recordsMin: 1, quietLooks: 1 } as const;
const opened = (log: string, resumedFrom = EMPTY_HEAD, head = resumedFrom) => ({ log, writer: database.writer, resumedFrom, head });

t.test('a snapshot is made when enough is durable, vouched for by the log, and a start from it gives what the whole log gives', async (t) => {
  const log = 'aaaaaaaaaaaaaaaa';
  const { close, lines, appended, house, said, say, recover, full } = await stored(log);
  t.teardown(close);
  const size = lines.length;
  const behind = new Behind(opened(log), say, { recordsMin: size, quietLooks: 2 });
  await behind.look(house);
  t.strictSame(appended, [], 'a pause is not yet quiet');
  await behind.look(house);
  t.match(appended, [{ kind: 'state.snapshotted', body: { size, foldVersion: FOLD_VERSION } }]);
  const recovered = await recover();
  t.equal(recovered.resumedFrom.size, size);
  t.equal(formatSnapshot(recovered), await full());
  await behind.look(house);
  t.equal(appended.length, 1, 'not again before as many more are durable');
  t.strictSame(said, []);

  await tamper('snapshots', `ALTER TABLE portcullis.snapshots DROP CONSTRAINT IF EXISTS snapshots_hash;
    UPDATE portcullis.snapshots SET body = replace(body, '"cash":"', '"cash":"9'), hash = sha256(convert_to(replace(body, '"cash":"', '"cash":"9'), 'UTF8')) WHERE log = '${log}'`);
  const after = await recover();
  t.equal(after.resumedFrom.size, 0, 'a snapshot that is whole, and not the one that was vouched for');
  t.strictSame(said, [`the snapshot of ${size} records is passed over: the log does not vouch for it`]);
  t.equal(formatSnapshot(after), await full());

  await tamper('snapshots', `UPDATE portcullis.snapshots SET fold = '0' WHERE log = '${log}'`);
  t.equal((await recover()).resumedFrom.size, 0, 'of another fold');
});

t.test('what was there at the start is verified afterwards, and what is wrong with it is an alert and a halt', async (t) => {
  const log = 'bbbbbbbbbbbbbbbb';
  const { close, lines, appended, house, said, say, recover } = await stored(log);
  t.teardown(close);
  await new Behind(opened(log), say, AT_ONCE).look(house);
  const { resumedFrom } = await recover();
  const halts: string[] = [];
  const halt = (reason: string): void => { halts.push(reason); };
  await new Behind(opened(log, resumedFrom), say).verifyPast(house, halt);
  t.strictSame(halts, []);
  t.equal(appended.length, 1, 'nothing to tell');

  const victim = lines[5]!;
  const canonical = victim.canonical.replace('"kind"', '"Kind"');
  await tamper('records', `UPDATE portcullis.records SET canonical = $$${canonical}$$ WHERE log = '${log}' AND seq = 5`);
  t.equal((await recover()).resumedFrom.size, resumedFrom.size, 'the start does not see it');
  const behind = new Behind(opened(log, resumedFrom), say);
  await behind.verifyPast(house, halt);
  t.strictSame(halts, ['the log is broken at record 5: HASH_MISMATCH']);
  t.match(appended.at(-1), { kind: 'alert.raised', body: { code: 'LOG_BROKEN', detail: /^record 5: HASH_MISMATCH: / } });
  t.match(said, [/^the log is broken: record 5: HASH_MISMATCH/]);
  await behind.verifyPast(house, halt);
  t.equal(halts.length, 1, 'known, and not looked at again');

  const writer = { ...database.writer, password: 'wrong' };
  const connection = { ...opened(log, resumedFrom), writer };
  const unanswered = new Behind(connection, say);
  await unanswered.verifyPast(house, halt);
  t.match(said.at(-1), /^the verify thread failed: .*password/);
  t.equal(halts.length, 1, 'nobody knows yet');
  writer.password = database.writer.password as string;
  await unanswered.verifyPast(house, halt);
  t.equal(halts.length, 2, 'looked at again until somebody knows');
});

t.test('a row that the start has folded, and that is found by another subject than its text has, is a fault too', async (t) => {
  const log = 'dddddddddddddddd';
  const { close, lines, house, said, say, recover } = await stored(log);
  t.teardown(close);
  const { seq } = lines.findLast(({ subject }) => subject !== null)!;
  await tamper('records', `UPDATE portcullis.records SET subject = 'order:ACC1/NOBODY' WHERE log = '${log}' AND seq = ${seq}`);
  const { resumedFrom, head } = await recover();
  t.equal(resumedFrom.size, 0, 'all of it was folded');
  const halts: string[] = [];
  await new Behind(opened(log, resumedFrom, head), say).verifyPast(house, (reason) => { halts.push(reason); });
  t.strictSame(halts, [`the log is broken at record ${seq}: MISFILED`]);
  t.match(said, [/^the log is broken: record \d+: MISFILED: subject order:ACC1\/NOBODY, the text says /]);
});

t.test('a thread that fails is told of, and nothing is recorded; one that is ended is not', async (t) => {
  const log = 'cccccccccccccccc';
  const { close, lines, appended, house, said, say } = await stored(log);
  t.teardown(close);
  await new Behind({ ...opened(log), writer: { ...database.writer, password: 'wrong' } }, say, AT_ONCE).look(house);
  t.match(said.splice(0), [/^the snapshot thread failed: .*password/]);
  await tamper('records', `DELETE FROM portcullis.records WHERE log = '${log}' AND seq = ${lines.length - 1}`);
  await new Behind(opened(log), say, AT_ONCE).look(house);
  t.strictSame(said.splice(0), [`the snapshot thread failed: the log has ${lines.length - 1} records, not ${lines.length}`]);

  const behind = new Behind(opened(log), say, AT_ONCE);
  const looking = behind.look(house);
  await behind.stop();
  await looking;
  await behind.look(house);
  t.strictSame(said, []);
  t.strictSame(appended, []);
});
