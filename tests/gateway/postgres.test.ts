import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import t from 'tap';
import { openDatabase } from '../../gateway/postgres.ts';
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
