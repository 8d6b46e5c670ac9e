import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import pg from 'pg';
import t, { type Test } from 'tap';
import { contentHash, leafHash } from '../../compliance/canonical.ts';
import type { StoredLine } from '../../compliance/journal.ts';
import { postgresStore, type PostgresStore } from '../../compliance/store.ts';
import { instant } from '../../risk/domain/time.ts';
import { networkBefore } from '../doubles/network.ts';
import { testDatabase } from '../doubles/postgres.ts';

const database = await testDatabase();
t.teardown(() => database.remove());
const owner = new pg.Client(database.owner);
await owner.connect();
t.teardown(() => owner.end());

async function open(t: Test, log: string, more: { instance?: string; deadlineMs?: number; lost?: string[] } = {}): Promise<PostgresStore> {
  const { instance = randomUUID().slice(0, 8), deadlineMs = 4_000, lost = [] } = more;
  const store = await postgresStore({ connection: database.writer, log, instance, deadlineMs, onLost: (error) => { lost.push(error.message); } });
  t.teardown(() => store.close());
  return store;
}

function line(log: string, seq: number, more: { subject?: string; body?: unknown } = {}): StoredLine {
  const { subject = null, body = {} } = more;
  const at = '2026-11-20T09:30:00.123456789Z';
  const canonical = `{"actor":{"id":"at","role":"strategy"},"at":"${at}","body":${JSON.stringify(body)},"cause":null,"kind":"x.y","log":"${log}","seq":${seq}}`;
  return { seq, canonical, hash: leafHash(canonical), at: instant(at), subject, bytes: Buffer.byteLength(canonical) };
}
const lines = (log: string, from: number, n: number): StoredLine[] => Array.from({ length: n }, (_, i) => line(log, from + i));

/** The session that writes the log. */
async function lanePid(log: string): Promise<number> {
  const { rows } = await owner.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE application_name LIKE $1', [`portcullis ${log} %`]);
  if (rows.length !== 1) throw new Error(`${rows.length} sessions write ${log}`);
  return rows[0]!.pid;
}

t.test('what was appended is read, one or many at a time', async (t) => {
  const store = await open(t, 'A');
  t.equal(await store.size(), 0);
  const odd = { quote: '"\\\'', accents: 'é漢🂡', newline: 'a\nb', escape: '\\n', at: '"at":"1999' };
  const all = [
    line('A', 0, { subject: 'ACC1/T1', body: odd }), line('A', 1), line('A', 2, { subject: 'ACC1/T1', body: odd }),
    line('A', 3, { body: 'x'.repeat(60_000) }), line('A', 4, { subject: 'ACC1/T2' }),
  ];
  await store.append(all.slice(0, 1));
  await store.append(all.slice(1, 4));
  await store.append(all.slice(4));
  await store.append([]);
  const stored = all.map(({ seq, canonical, hash }) => ({ seq, canonical, hash }));
  t.strictSame(await store.read(0, 100), stored);
  t.strictSame(await store.read(1, 2), stored.slice(1, 3));
  t.strictSame(await store.read(5, 2), []);
  t.strictSame(await store.bySubject('ACC1/T1'), [stored[0], stored[2]]);
  t.strictSame(await store.bySubject(''), []);
  t.equal(await store.size(), 5);
  t.strictSame((await store.hashes(1, 4)).map((hash) => hash.toString('hex')), stored.slice(1, 4).map(({ hash }) => hash));
  t.strictSame((await store.hashes(3, 99)).length, 2);
  const { rows } = await owner.query("SELECT DISTINCT at = '2026-11-20T09:30:00.123456Z' AS cut FROM portcullis.records WHERE log = 'A'");
  t.strictSame(rows, [{ cut: true }]);
});

t.test('a page is read by its index, also of a table that the server has not counted yet', async (t) => {
  const store = await open(t, 'P');
  await store.append(lines('P', 0, 2_000));
  const plan = await store.tables.executeQuery<{ 'QUERY PLAN': string }>(
    sql`EXPLAIN SELECT seq, hash, canonical FROM portcullis.records WHERE log = 'P' AND seq >= 1000 ORDER BY seq LIMIT 10`.compile(store.tables));
  const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
  t.match(text, /Index Scan/);
  t.notMatch(text, /Sort|Seq Scan|Bitmap/, text);
});

t.test('logs in one database do not see each other', async (t) => {
  const [b, c] = [await open(t, 'B'), await open(t, 'C')];
  await b.append(lines('B', 0, 3));
  await c.append(lines('C', 0, 1));
  t.equal(await b.size(), 3);
  t.equal(await c.size(), 1);
});

t.test('blobs are named by their content, and stored once', async (t) => {
  const store = await open(t, 'D');
  const text = '{"a":1}';
  const hash = contentHash({ a: 1 });
  t.equal(await store.getBlob(hash), null);
  await store.putBlob(hash, text);
  await store.putBlob(hash, text);
  t.equal(await store.getBlob(hash), text);
  await t.rejects(store.putBlob(hash, '{"a":2}'.padEnd(8)), { code: '23514' });
});

t.test('a seq that is taken, and a hole before it, are refused whole; the lane goes on', async (t) => {
  const store = await open(t, 'E');
  await store.append(lines('E', 0, 2));
  await t.rejects(store.append(lines('E', 1, 3)), { name: 'SeqTaken' });
  await t.rejects(store.append(lines('E', 1, 1)), { name: 'SeqTaken' });
  t.equal(await store.size(), 2, 'nothing of it is there');
  await t.rejects(store.append(lines('E', 3, 1)), { name: 'GapRefused' });
  await t.rejects(store.append(lines('E', 4, 5)), { name: 'GapRefused' });
  const pid = await lanePid('E');
  await store.append(lines('E', 2, 2));
  t.equal(await lanePid('E'), pid);
});

t.test('two gateways on one log: the second is told who writes it', async (t) => {
  const first = await open(t, 'F', { instance: 'one' });
  await t.rejects(open(t, 'F', { instance: 'two' }), { name: 'LeaseHeld', message: /another gateway writes the log F: portcullis F one, since 20/ });
  await first.append(lines('F', 0, 1));
  await first.close();
  const second = await open(t, 'F', { instance: 'two' });
  await second.append(lines('F', 1, 1));
});

t.test('the one that writes the log is another user, of whom less can be seen: the second is refused all the same', async (t) => {
  await open(t, 'F2', { instance: 'one' });
  await owner.query("CREATE ROLE stranger LOGIN PASSWORD 'secret' IN ROLE portcullis_writer");
  const connection = { ...database.writer, user: 'stranger', password: 'secret' };
  const second = postgresStore({ connection, log: 'F2', instance: 'two', deadlineMs: 4_000, onLost: () => undefined });
  await t.rejects(second, { name: 'LeaseHeld', message: /the log F2: portcullis F2 one, since a time that is hidden from us/ });
});

t.test('a session that ends: the append at hand fails, the next connects and holds the lease again', async (t) => {
  const lost: string[] = [];
  const store = await open(t, 'G', { instance: 'one', lost });
  await store.append(lines('G', 0, 1));
  await owner.query('SELECT pg_terminate_backend($1, 2000)', [await lanePid('G')]);
  const outcome = await store.append(lines('G', 1, 1)).then(() => 'stored', () => 'unknown');
  if (outcome === 'unknown') await store.append(lines('G', 1, 1)); // it had not noticed yet
  t.equal(await store.size(), 2);
  t.ok(lost.length > 0, 'the operator is told');
  await t.rejects(open(t, 'G', { instance: 'two' }), { name: 'LeaseHeld' });
});

t.test('a server that is silent: the outcome is unknown after the deadline; the next append takes the lease from its own dead session', async (t) => {
  const store = await open(t, 'H', { instance: 'one', deadlineMs: 400 });
  await store.append(lines('H', 0, 1));
  const pid = await lanePid('H');
  process.kill(pid, 'SIGSTOP');
  await t.rejects(store.append(lines('H', 1, 1)), /timeout/);
  process.kill(pid, 'SIGCONT'); // it may still do what it was told
  let tries = 0;
  for (; tries < 50; tries++) {
    const name = await store.append(lines('H', 1, 1)).then(() => 'stored', (error: unknown) => (error as Error).name);
    if (name === 'stored' || name === 'SeqTaken') break;
  }
  t.ok(tries < 50);
  t.equal(await store.size(), 2);
});

t.test('a server that may forget is refused', async (t) => {
  await owner.query('ALTER SYSTEM SET fsync = off');
  await owner.query('SELECT pg_reload_conf()');
  await t.rejects(open(t, 'I'), /fsync off/);
  await owner.query('ALTER SYSTEM RESET fsync');
  await owner.query('SELECT pg_reload_conf()');
  await owner.query('ALTER ROLE portcullis_gateway SET synchronous_commit = off');
  await t.rejects(open(t, 'I'), /synchronous_commit off/);
  await owner.query('ALTER ROLE portcullis_gateway RESET synchronous_commit');
  await open(t, 'I');
});

t.test('the hundred-millionth record finds no range and makes it', async (t) => {
  const store = await open(t, 'J');
  for (const seq of [99_999_998, 99_999_999]) {
    const { hash, canonical } = line('J', seq);
    await owner.query("INSERT INTO portcullis.records (log, seq, hash, at, canonical) VALUES ('J', $1, $2, now(), $3)",
      [seq, Buffer.from(hash, 'hex'), canonical]);
  }
  await store.append(lines('J', 100_000_000, 2));
  t.equal(await store.size(), 100_000_002);
});

t.test('a database that does not answer: what is asked of the past says so', async (t) => {
  const store = await open(t, 'U');
  await store.append(lines('U', 0, 1));
  const asked: (() => Promise<unknown>)[] = [() => store.read(0, 1), () => store.size(), () => store.bySubject('x'), () => store.hashes(0, 1)];
  await owner.query('ALTER ROLE portcullis_gateway CONNECTION LIMIT 0');
  for (const ask of asked) await t.rejects(ask, { name: 'LogUnreadable' });
  await owner.query('ALTER ROLE portcullis_gateway CONNECTION LIMIT -1');
  t.equal(await store.size(), 1);
  await owner.query('ALTER TABLE portcullis.records RENAME TO hidden');
  for (const ask of asked) await t.rejects(ask, { name: 'error', code: '42P01' }, 'what is wrong with the house is not told as a bad moment');
  await owner.query('ALTER TABLE portcullis.hidden RENAME TO records');
});

t.test('a batch larger than any buffer, and a row refused in its midst: all or nothing, and the session goes on', async (t) => {
  const store = await open(t, 'W');
  const pid = await lanePid('W');
  const many = Array.from({ length: 200 }, (_, seq) => line('W', seq, { body: 'x'.repeat(60_000) }));
  const wrong = many.map((one) => (one.seq === 150 ? { ...one, canonical: one.canonical.padEnd(65_536), bytes: 65_536 } : one));
  await t.rejects(store.append(wrong), { code: '23514' });
  t.equal(await store.size(), 0);
  await store.append(many);
  t.equal(await store.size(), 200);
  t.equal(await lanePid('W'), pid);
});

t.test('a network that swallows half a batch: unknown after the deadline, nothing of it is stored; the next goes through, and a close ends', async (t) => {
  const network = await networkBefore(database.writer);
  t.teardown(() => network.close());
  const store = await postgresStore({ connection: network.connection, log: 'N', instance: 'one', deadlineMs: 400, onLost: () => undefined });
  await store.append(lines('N', 0, 2));
  network.swallow(20_000);
  await t.rejects(store.append([line('N', 2, { body: 'x'.repeat(60_000) })]), { message: /timeout/ });
  network.heal();
  t.equal(await store.size(), 2);
  await store.append(lines('N', 2, 2));
  t.equal(await store.size(), 4);
  network.swallow();
  await t.rejects(store.append(lines('N', 4, 1)), { message: /timeout/ });
  await store.close();
  const after = await open(t, 'N', { instance: 'one' });
  t.equal(await after.size(), 4, 'what was swallowed is not there');
});
