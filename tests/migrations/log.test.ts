import pg from 'pg';
import t, { type Test } from 'tap';
import { leafHash } from '../../compliance/canonical.ts';
import { migrate } from '../../gateway/postgres/migrate.ts';
import { writerSession } from '../../gateway/postgres/login.ts';
import { testDatabase } from '../doubles/postgres.ts';

const database = await testDatabase();
t.teardown(() => database.remove());

async function as(config: pg.ClientConfig, t: Test): Promise<pg.Client> {
  const client = new pg.Client(config);
  await client.connect();
  t.teardown(() => client.end());
  return client;
}
const owner = await as(database.owner, t);
const writer = await as(database.writer, t);

const AT = '2026-11-20T09:30:00.123456789Z';
const canonical = (seq: number, kind: string, body: unknown): string =>
  `{"actor":{"id":"a","role":"strategy"},"at":"${AT}","body":${JSON.stringify(body)},"cause":null,"kind":"${kind}","log":"L","prev":"00","seq":${seq},"v":1}`;
const insert = (seq: number, text: string, hash = leafHash(text)): Promise<pg.QueryResult> =>
  writer.query("INSERT INTO portcullis.records (log, seq, hash, at, canonical) VALUES ('L', $1, $2, now(), $3)", [seq, Buffer.from(hash, 'hex'), text]);

await insert(0, canonical(0, 'order.filled', {
  clOrdId: 'C1', parent: 'P1', account: 'ACC1', strategy: 'alpha-1', symbol: 'SPY', venue: 'PAPER', venueAt: '2026-11-20T09:30:00.1Z', side: 'buy',
    execId: 'E1', lastQty: '10.5',
  lastPx: '401.25', cumQty: '10.5', leavesQty: '0', fee: '0.01', liquidity: 'taker',
}));
await insert(1, canonical(1, 'slice.released', { clOrdId: 'C1', parent: 'P1', account: 'ACC1', strategy: 'alpha-1', symbol: 'SPY', side: 'buy',
  orderQty: '10.5', type: 'limit', limitPx: '401.3', tif: 'day', venue: 'PAPER', arm: 'passive' }));
await insert(2, canonical(2, 'order.decided', { clOrdId: 'O1', decision: 'accepted', account: 'ACC1', strategy: 'alpha-1', symbol: 'SPY', orderQty: '10.5',
  arrivalPx: null, policy: { hash: 'ab' }, verdicts: [] }));

const DENIED = { code: '42501' };
const CHANGES = [
  "UPDATE portcullis.records SET canonical = 'x'", "UPDATE portcullis.records_00000 SET canonical = 'x'", 'DELETE FROM portcullis.records',
    'DELETE FROM portcullis.records_00000 WHERE seq = 0',
  'TRUNCATE portcullis.records', 'TRUNCATE portcullis.records_00000', 'TRUNCATE portcullis.records_00001', 'TRUNCATE portcullis.blobs',
    'DELETE FROM portcullis.blobs',
  "INSERT INTO portcullis.records SELECT * FROM portcullis.records ON CONFLICT (log, seq) DO UPDATE SET canonical = 'x'",
  'MERGE INTO portcullis.records r USING (SELECT 0 AS seq) s ON r.seq = s.seq WHEN MATCHED THEN DELETE',
];

t.test('the writer can add, and change nothing', async (t) => {
  const shapes = ['ALTER TABLE portcullis.records DISABLE TRIGGER ALL', 'ALTER TABLE portcullis.records ADD x int', 'DROP TABLE portcullis.records',
    'CREATE TABLE portcullis.x (n int)',
    'DROP TRIGGER append_only ON portcullis.records', 'CREATE OR REPLACE FUNCTION portcullis.refuse_change() RETURNS trigger LANGUAGE sql AS $$ SELECT $$',
    'SELECT FROM portcullis.records FOR UPDATE',
    'ALTER TABLE portcullis.records DETACH PARTITION portcullis.records_00000', 'SET session_replication_role = replica',
    "SELECT portcullis.guard('portcullis.records', true)",
    'SET ROLE portcullis', 'CREATE ROLE x', 'INSERT INTO portcullis.kysely_migration VALUES (1, 1)',
    "INSERT INTO portcullis.records_00000 VALUES ('L', 9, '', now(), null, '')"];
  for (const statement of [...CHANGES, ...shapes]) await t.rejects(writer.query(statement), DENIED, statement);
});

t.test('even the owner is trapped', async (t) => {
  await owner.query("INSERT INTO portcullis.blobs VALUES (sha256('x'), 'x')");
  for (const statement of [...CHANGES, "UPDATE portcullis.blobs SET text = 'y'"]) await t.rejects(owner.query(statement), DENIED, statement);
  await owner.query('SET session_replication_role = replica');
  for (const statement of CHANGES.filter((one) => !/INSERT|MERGE/.test(one))) await t.rejects(owner.query(statement), DENIED, `as a replica: ${statement}`);
  await owner.query('RESET session_replication_role');
  t.equal((await owner.query('SELECT FROM portcullis.records')).rowCount, 3);
});

t.test('a row has a length and a place, a blob its hash', async (t) => {
  const text = canonical(3, 'x.y', {});
  await t.rejects(insert(0, text), { code: '23505' });
  await t.rejects(insert(-1, text), { code: '23514' });
  const long = canonical(3, 'x.y', 'é'.repeat(32_700));
  await t.rejects(insert(3, long), { code: '23514' });
  await t.rejects(writer.query("INSERT INTO portcullis.blobs VALUES (sha256('x'), 'z')"), { code: '23514', constraint: 'blobs_hash' });
});

const RANGES = "SELECT relname AS name FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'portcullis.records'::regclass ORDER BY 1";

t.test('ranges are added when the spare one is in use, each with its guard', async (t) => {
  const ranges = async (): Promise<string[]> =>
    (await owner.query<{ name: string }>(RANGES)).rows.map(({ name }) => name);
  const first = ['records_00000', 'records_00001'];
  t.strictSame(await ranges(), first);
  await writer.query('SELECT portcullis.extend_records()');
  t.strictSame(await ranges(), first, 'the spare one is unused');
  await t.rejects(insert(100_000_000, canonical(100_000_000, 'x.y', {})), { code: '23514' }, 'no range yet');
  await insert(99_999_999, canonical(99_999_999, 'x.y', {}));
  await writer.query('SELECT portcullis.extend_records()');
  t.strictSame(await ranges(), [...first, 'records_00002']);
  await insert(100_000_000, canonical(100_000_000, 'x.y', {}));
  for (const statement of ['TRUNCATE portcullis.records_00002', "UPDATE portcullis.records_00002 SET log = 'M'"]) await t.rejects(owner.query(statement),
    DENIED, statement);
});

t.test('analysts see orders, fills and decisions as rows, and only those', async (t) => {
  await owner.query("CREATE ROLE analyst LOGIN PASSWORD 'secret' IN ROLE portcullis_reader");
  const analyst = await as({ ...database.owner, user: 'analyst', password: 'secret' }, t);
  const { rows: fills } = await analyst.query(
    'SELECT seq, exec_id, symbol, last_qty, last_px, last_qty * last_px AS notional FROM portcullis.fills WHERE seq < 10');
  t.strictSame(fills, [{ seq: '0', exec_id: 'E1', symbol: 'SPY', last_qty: '10.5', last_px: '401.25', notional: '4213.125' }]);
  t.match((await analyst.query('SELECT * FROM portcullis.orders WHERE seq < 10')).rows, [{ cl_ord_id: 'C1', order_qty: '10.5', venue: 'PAPER',
    arm: 'passive' }]);
  t.match((await analyst.query('SELECT * FROM portcullis.decisions WHERE seq < 10')).rows, [{ kind: 'order.decided', decision: 'accepted', policy_hash: 'ab',
    arrival_px: null }]);
  for (const statement of ['SELECT FROM portcullis.records', 'SELECT FROM portcullis.blobs', 'SELECT FROM portcullis.snapshots',
    'SELECT portcullis.extend_records()']) {
    await t.rejects(analyst.query(statement), DENIED, statement);
  }
});

t.test('an operator\'s database: a plain user is told what is missing, and works once it is there', async (t) => {
  await owner.query("CREATE ROLE plain LOGIN PASSWORD 'secret'");
  await owner.query('CREATE DATABASE theirs OWNER plain');
  const theirs = { ...database.owner, user: 'plain', password: 'secret', database: 'theirs' };
  await t.rejects(migrate(theirs, () => undefined),
    /"plain" may not make the roles of the log; let an administrator run once: CREATE ROLE portcullis_writer NOLOGIN;.*GRANT portcullis_writer TO "plain"/);
  await owner.query('GRANT portcullis_writer TO plain');
  t.strictSame(await migrate(theirs, () => undefined), ['0001-log', '0002-checkpoints', '0003-views', '0004-leaner', '0005-hash']);
  t.strictSame(await migrate(theirs, () => undefined), [], 'a second time there is nothing to do');
  const session = await as(writerSession(theirs), t);
  t.equal((await session.query<{ role: string }>('SELECT current_user AS role')).rows[0]!.role, 'portcullis_writer');
  for (const statement of [...CHANGES, 'DROP TABLE portcullis.records']) await t.rejects(session.query(statement), DENIED, statement);
});

t.test('one who may make roles makes them', async (t) => {
  const other = await testDatabase();
  t.teardown(() => other.remove());
  const admin = await as(other.owner, t);
  await admin.query('DROP OWNED BY portcullis_writer, portcullis_reader; DROP ROLE portcullis_gateway, portcullis_writer, portcullis_reader');
  await admin.query("CREATE ROLE maker CREATEROLE LOGIN PASSWORD 'secret'");
  await admin.query('CREATE DATABASE theirs OWNER maker');
  const theirs = { ...other.owner, user: 'maker', password: 'secret', database: 'theirs' };
  t.equal((await migrate(theirs, () => undefined)).length, 5);
  const session = await as(writerSession(theirs), t);
  t.equal((await session.query<{ role: string }>('SELECT current_user AS role')).rows[0]!.role, 'portcullis_writer');
});
