/** `portcullis verify` on a DATA_DIR and on a file: somebody has changed something, and it names the first record that shows it. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import t from 'tap';
import { leafHash } from '../../../compliance/canonical.ts';
import { postgresStore } from '../../../compliance/store.ts';
import type { Verification } from '../../../compliance/verify.ts';
import { openKeyFile } from '../../../gateway/auth/key-file.ts';
import { logKey } from '../../../gateway/cli/log.ts';
import { migrateCommand } from '../../../gateway/cli/migrate.ts';
import { verifyCommand } from '../../../gateway/cli/verify.ts';
import { loadConfig } from '../../../gateway/config.ts';
import { replaceLogFile } from '../../../gateway/log-id.ts';
import { Transparency } from '../../../gateway/transparency.ts';
import { histories, logOf } from '../../compliance/chronicle.ts';
import { testDatabase } from '../../doubles/postgres.ts';

const LOG = '0123456789abcdef';
const lines = logOf(fc.sample(histories(60), { numRuns: 20, seed: 11 }).reduce((a, b) => (b.length > a.length ? b : a)), LOG);
const size = lines.length;

/** What a person sees, and whether a program sees success. */
async function verify(...args: readonly string[]): Promise<{ readonly said: string; readonly failed: boolean }> {
  const said: string[] = [];
  await verifyCommand({}, (line) => { said.push(line); }).parseAsync([...args], { from: 'user' });
  const failed = process.exitCode === 1;
  process.exitCode = 0;
  return { said: said.join('\n'), failed };
}
const json = async (...args: readonly string[]): Promise<Verification> => JSON.parse((await verify('--json', ...args)).said) as Verification;

t.test('a file', async (t) => {
  const folder = t.testdir({});
  const path = join(folder, 'records.ndjson');
  const write = (texts: readonly string[]): void => { writeFileSync(path, texts.map((text) => `${text}\n`).join('')); };
  const texts = lines.map(({ canonical }) => canonical);
  write(texts);
  const found = `${size} records, head ${lines.at(-1)!.hash}`;
  t.strictSame(await verify(path), { failed: false, said: `${found}\nno key given: consistency only\nverified` });
  const key = logKey(folder, LOG);
  t.strictSame(await verify(path, '--key', key), {
    failed: false, said: `${found}\nno checkpoint came with them, so your key proves nothing: consistency only\nconsistent`,
  });
  t.match(await json(path, '--key', key), { proven: 0, pinned: true, checkpoint: false });

  for (const victim of [0, 7, size - 2]) {
    const text = texts[victim]!;
    write(texts.with(victim, text.replace('"actor":{"id":"a"', '"actor":{"id":"b"')));
    t.match(await verify(path), { failed: true, said: new RegExp(`^broken at seq ${victim + 1}: PREV_MISMATCH: `) }, 'another record: the one after it does not follow');
    write(texts.with(victim, text.replace('"seq":', '"Seq":')));
    t.match((await json(path)).fault, { seq: victim, code: 'NOT_CANONICAL' });
    write(texts.toSpliced(victim, 1));
    t.match((await json(path)).fault, { seq: victim, code: 'GAP' });
  }
  await t.rejects(verify(join(path, 'absent')), { code: 'ENOTDIR' });
  await t.rejects(verify(), /say what to verify/);
});

t.test('a folder', async (t) => {
  const database = await testDatabase();
  t.teardown(() => database.remove());
  const { dataDir } = database;
  const store = await postgresStore({ connection: database.writer, log: LOG, instance: 'test', deadlineMs: 5_000, onLost: () => undefined });
  await store.append(lines);
  const published = new Transparency(LOG, store, dataDir, openKeyFile(dataDir, 'log.key.pem'));
  await published.load(size - 3);
  published.publish();
  await store.close();
  await t.rejects(verify(dataDir), /holds no log/);
  replaceLogFile(dataDir, { log: LOG, forkOf: null });

  const key = logKey(dataDir, LOG);
  t.match(await verify(dataDir, '--key', key), {
    failed: false, said: `${size} records, head ${lines.at(-1)!.hash}\n${size - 3} records proven by the checkpoint of the key you gave; the last 3 are after it and unproven\nverified`,
  });
  t.match(await json(dataDir), { size, pinned: false, checkpoint: true, fault: null });
  const strangers = t.testdir({});
  t.match((await json(dataDir, '--key', logKey(strangers, LOG))).fault, { code: 'SIGNATURE' });

  const owner = new pg.Client(database.owner);
  await owner.connect();
  t.teardown(() => owner.end());
  await owner.query('ALTER TABLE portcullis.records DISABLE TRIGGER ALL');
  const put = async (seq: number, canonical: string, hash: string): Promise<void> => {
    await owner.query('UPDATE portcullis.records SET canonical = $2, hash = $3 WHERE seq = $1', [seq, canonical, Buffer.from(hash, 'hex')]);
  };
  for (const seq of [0, 9, size - 2]) {
    const { canonical, hash } = lines[seq]!;
    const other = canonical.replace('"actor":{"id":"a"', '"actor":{"id":"b"');
    await put(seq, other, hash);
    t.match(await verify(dataDir), { failed: true, said: new RegExp(`^broken at seq ${seq}: HASH_MISMATCH: stored ${hash}`) }, 'the text alone');
    await put(seq, other, leafHash(other));
    t.match((await json(dataDir)).fault, { seq: seq + 1, code: 'PREV_MISMATCH' }, 'the text and its hash');
    await put(seq, canonical, hash);
  }
  t.match(await json(dataDir), { fault: null });
  await owner.query("UPDATE portcullis.records SET at = at - interval '1 year' WHERE seq = 3");
  t.match((await json(dataDir)).fault, { seq: 3, code: 'MISFILED' }, 'a row that would be looked for in another year');
  await owner.query("UPDATE portcullis.records SET at = at + interval '1 year' WHERE seq = 3");
  await owner.query("UPDATE portcullis.records SET subject = 'x' WHERE seq = 4");
  t.match((await json(dataDir)).fault, { seq: 4, code: 'MISFILED' }, 'or by another name');
  await owner.query('UPDATE portcullis.records SET subject = NULL WHERE seq = 4');
  t.match(await json(dataDir), { fault: null });

  await rewrite(put, size - 5);
  t.match((await json(dataDir)).fault, { seq: size - 3, code: 'CHECKPOINT_MISMATCH' }, 'everything from a record on: only the checkpoint knows');
  await owner.query('DELETE FROM portcullis.records WHERE seq >= $1', [size - 6]);
  t.match((await json(dataDir)).fault, { seq: size - 6, code: 'CHECKPOINT_MISMATCH', detail: /^a checkpoint of/ });
});

/** Forges a record and links everything after it anew, as somebody who owns the database can. */
async function rewrite(put: (seq: number, canonical: string, hash: string) => Promise<void>, from: number): Promise<void> {
  let hash = lines[from - 1]!.hash;
  for (const { seq, canonical } of lines.slice(from)) {
    const forged = canonical.replace(/"prev":"[0-9a-f]{64}"/, `"prev":"${hash}"`).replace('"actor":{"id":"a"', '"actor":{"id":"b"');
    hash = leafHash(forged);
    await put(seq, forged, hash);
  }
}

t.test('a folder whose database does not run: it is started, and stopped again', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'portcullis-verify-'));
  t.teardown(() => { rmSync(dataDir, { recursive: true, force: true }); });
  replaceLogFile(dataDir, { log: LOG, forkOf: null });
  await t.rejects(verify(dataDir), /there is no database in/);
  const said: string[] = [];
  const migrate = (...args: string[]): Promise<unknown> =>
    migrateCommand(() => loadConfig({ DATA_DIR: dataDir }), (line) => { said.push(line); }).parseAsync(args, { from: 'user' });
  await migrate();
  await migrate();
  await migrate('--json');
  t.match(said, [/^migrated: 0001-log, /, 'nothing to migrate', '{"migrated":[]}']);
  t.match(await json(dataDir), { size: 0, fault: null });
  t.notOk(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid')));
});
