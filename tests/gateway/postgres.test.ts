import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import t from 'tap';
import { loadConfig } from '../../gateway/config.ts';
import { openLog } from '../../gateway/open-log.ts';
import { openDatabase, visitDatabase } from '../../gateway/postgres.ts';
import { testDatabase } from '../doubles/postgres.ts';

async function userOf(config: pg.ClientConfig): Promise<string> {
  const client = new pg.Client(config);
  await client.connect();
  await client.query('SELECT FROM portcullis.records');
  const { rows } = await client.query<{ who: string }>("SELECT session_user || ' as ' || current_user AS who");
  await client.end();
  return rows[0]!.who;
}

t.test('without a URL: our own server, migrated, seen by a login that cannot change the log; a second start finds it so', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  for (const said of [['database migrated: 0001-log, 0002-checkpoints, 0003-views, 0004-leaner, 0005-hash'], []]) {
    const lines: string[] = [];
    const database = await openDatabase({ url: undefined, dataDir, log: (line) => lines.push(line) });
    t.equal(await userOf(database.writer), 'portcullis_gateway as portcullis_gateway');
    t.strictSame(lines, said);
    await database.stop();
  }
});

t.test('with a URL: every session begins in the writer\'s role', async (t) => {
  const theirs = await testDatabase();
  t.teardown(() => theirs.remove());
  const { user, password, host, database: name } = theirs.owner;
  const url = `postgres://${String(user)}:${String(password)}@localhost/${String(name)}?host=${String(host)}`;
  const database = await openDatabase({ url, dataDir: theirs.dataDir, log: (line) => { t.fail(line); } });
  t.equal(await userOf(database.writer), 'portcullis as portcullis_writer');
  await database.stop();
  t.equal(await userOf(database.writer), 'portcullis as portcullis_writer', 'it is not ours to stop');
});

t.test('a start that is given up, and a command that is not let in, leave no server behind', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const silent = (): void => undefined;
  const isServed = (): boolean => readdirSync(dataDir, { recursive: true }).some((file) => String(file).endsWith('postmaster.pid'));
  await writeFile(join(dataDir, 'log'), 'x');
  await t.rejects(openLog(loadConfig({ DATA_DIR: dataDir }), silent));
  t.notOk(isServed(), 'a log file that is none');
  await rm(join(dataDir, 'log'));
  await writeFile(join(dataDir, 'postgres.password'), 'wrong', { mode: 0o600 });
  await t.rejects(openDatabase({ url: undefined, dataDir, log: silent }), { code: '28P01' });
  t.notOk(isServed(), 'a wrong password');
  await t.rejects(visitDatabase({ url: undefined, dataDir, log: silent }, () => Promise.resolve()), { code: '28P01' });
  t.notOk(isServed(), 'a visit');
});
