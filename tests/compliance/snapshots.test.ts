import pg from 'pg';
import t from 'tap';
import { snapshotTable } from '../../compliance/snapshots.ts';
import { openTables } from '../../compliance/tables.ts';
import { testDatabase } from '../doubles/postgres.ts';

const database = await testDatabase();
t.teardown(() => database.remove());
const tables = openTables(database.writer, () => undefined);
t.teardown(() => tables.destroy());

t.test('the newest snapshot of a fold, at most as large as asked', async (t) => {
  const snapshots = snapshotTable(tables, 'L');
  t.equal(await snapshots.latest('f1', 100), null);
  const hash = await snapshots.put({ size: 10, fold: 'f1', body: 'ten' });
  t.equal(await snapshots.put({ size: 10, fold: 'f1', body: 'ten' }), hash);
  await snapshots.put({ size: 20, fold: 'f1', body: 'twenty' });
  await snapshots.put({ size: 30, fold: 'f2', body: 'thirty' });
  await snapshotTable(tables, 'M').put({ size: 15, fold: 'f1', body: 'another log' });
  t.match(await snapshots.latest('f1', 100), { size: 20, body: 'twenty' });
  t.strictSame(await snapshots.latest('f1', 19), { size: 10, fold: 'f1', body: 'ten', hash });
  t.equal(await snapshots.latest('f1', 9), null);
  await snapshots.prune('f1', 1);
  t.equal(await snapshots.latest('f1', 19), null);
  t.equal(await snapshots.latest('f2', 99), null);
  t.match(await snapshots.latest('f1', 99), { size: 20 });
  t.match(await snapshotTable(tables, 'M').latest('f1', 99), { size: 15 });
});

t.test('a snapshot that was tampered with is passed over for an older one', async (t) => {
  const snapshots = snapshotTable(tables, 'T');
  await snapshots.put({ size: 1, fold: 'f', body: 'one' });
  await snapshots.put({ size: 2, fold: 'f', body: 'two' });
  const owner = new pg.Client(database.owner);
  await owner.connect();
  await owner.query("ALTER TABLE portcullis.snapshots DROP CONSTRAINT snapshots_hash; UPDATE portcullis.snapshots SET body = 'zwei' WHERE size = 2");
  await owner.end();
  t.match(await snapshots.latest('f', 9), { size: 1, body: 'one' });
});
