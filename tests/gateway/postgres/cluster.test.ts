import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import t, { type Test } from 'tap';
import { packagedNative, reachableBinaries } from '../../../gateway/postgres/binaries.ts';
import { startPostgres } from '../../../gateway/postgres/cluster.ts';

const root = process.getuid!() === 0;
/** Only root may change its uid; another user is what these tests are about, and runs all the rest. */
const asRoot = (name: string, run: (t: Test) => Promise<void>): void => {
  if (root) void t.test(name, run);
};
const silent = (): void => undefined;

async function folder(t: Test, prefix = 'portcullis-test-'): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function child(dataDir: string, end: 'stop' | 'die', uid?: number): Promise<{ adopted: boolean; visits: number }> {
  const ids = uid === undefined ? {} : { uid, gid: uid };
  const script = fileURLToPath(new URL('child.js', import.meta.url));
  const node = spawn(process.execPath, [script, dataDir, end], { ...ids, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = await Promise.all([text(node.stdout), text(node.stderr).catch(() => ''), once(node, 'exit')]);
  if (out === '') throw new Error(err);
  return JSON.parse(out) as { adopted: boolean; visits: number };
}

async function withClient<T>(config: pg.ClientConfig, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 1_000 });
  client.on('error', silent); // told by the query that fails
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

t.test('a fresh cluster: durable, behind a password, on a socket alone, closed to others', async (t) => {
  const dataDir = await folder(t);
  const cluster = await startPostgres({ dataDir, log: silent });
  t.teardown(() => cluster.stop());
  t.equal(cluster.adopted, false);
  const settings = await withClient(cluster.connection, async (client) => {
    const { rows } = await client.query<{ name: string; setting: string }>(
      'SELECT name, setting FROM pg_settings WHERE name = ANY ($1)',
      [['fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'server_encoding', 'password_encryption']]);
    return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
  });
  t.strictSame(settings, {
    fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', listen_addresses: '', server_encoding: 'UTF8', password_encryption: 'scram-sha-256',
  });
  await t.rejects(withClient({ ...cluster.connection, password: 'wrong' }, () => Promise.resolve()), { code: '28P01' });
  const mode = async (path: string): Promise<number> => (await stat(join(dataDir, path))).mode & 0o777;
  t.equal(await mode('postgres.password'), 0o600);
  t.equal(await mode('postgres/data'), 0o700);
  t.equal(await mode('postgres/run'), 0o700);
  t.equal((await mode('')) & 0o066, 0, 'others may pass at most');
  const { uid } = await stat(join(dataDir, 'postgres/data'));
  if (root) t.notMatch((await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':')[2]), [String(uid)], 'an uid that nobody else has');
  else t.equal(uid, process.getuid!());
});

t.test('what is written outlives a stop, and a gateway that is killed leaves a cluster that the next adopts and stops', async (t) => {
  const dataDir = await folder(t);
  t.strictSame(await child(dataDir, 'stop'), { adopted: false, visits: 1 });
  t.strictSame(await child(dataDir, 'die'), { adopted: false, visits: 2 });
  t.strictSame(await child(dataDir, 'stop'), { adopted: true, visits: 3 });
  t.strictSame(await child(dataDir, 'stop'), { adopted: false, visits: 4 }, 'the adopted one was stopped');
});

asRoot('as an ordinary user', async (t) => {
  const dataDir = await folder(t);
  await chmod(dataDir, 0o777);
  const own = join(dataDir, 'own');
  await mkdir(own, { mode: 0o777 });
  await chmod(own, 0o777);
  t.strictSame(await child(own, 'stop', 65534), { adopted: false, visits: 1 });
  t.equal((await stat(join(own, 'postgres', 'data'))).uid, 65534);
});

t.test('two starts at once make one cluster', async (t) => {
  const dataDir = await folder(t);
  const clusters = await Promise.all([0, 1].map(() => startPostgres({ dataDir, log: silent })));
  t.teardown(() => clusters[0]!.stop());
  t.teardown(() => clusters[1]!.stop());
  t.equal(clusters.filter(({ adopted }) => adopted).length, 1);
  for (const { connection } of clusters) t.ok(await withClient(connection, (client) => client.query('SELECT 1')));
  t.strictSame((await readdir(join(dataDir, 'postgres'))).sort(), ['data', 'run'], 'no draft is left');
});

t.test('a server that is killed is started again on the same socket', async (t) => {
  const dataDir = await folder(t);
  const said: string[] = [];
  const cluster = await startPostgres({ dataDir, log: (line) => said.push(line) });
  t.teardown(() => cluster.stop());
  const file = join(dataDir, 'postgres', 'data', 'postmaster.pid');
  const pid = Number((await readFile(file, 'utf8')).split('\n')[0]);
  const victim = new pg.Client(cluster.connection);
  await victim.connect();
  victim.on('error', silent);
  const cut = new Promise((resolve) => victim.once('end', resolve)); // events.once would reject at the error before it
  process.kill(pid, 'SIGKILL');
  await cut;
  let answer: unknown;
  while (answer === undefined) answer = await withClient(cluster.connection, (client) => client.query('SELECT 1')).catch(() => undefined);
  t.ok(said.some((line) => line.includes('starting it again')));
  t.not(Number((await readFile(file, 'utf8')).split('\n')[0]), pid);
});

t.test('a server that does not come up again is tried until it does', async (t) => {
  const dataDir = await folder(t);
  const said: string[] = [];
  const cluster = await startPostgres({ dataDir, log: (line) => said.push(line) });
  t.teardown(() => cluster.stop());
  const data = join(dataDir, 'postgres', 'data');
  const settings = await readFile(join(data, 'postgresql.conf'), 'utf8');
  await writeFile(join(data, 'postgresql.conf'), 'not a setting\n');
  process.kill(Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0]), 'SIGKILL');
  const failures = (): number => said.filter((line) => line.startsWith('the embedded PostgreSQL did not start')).length;
  while (failures() < 2) await turn();
  await writeFile(join(data, 'postgresql.conf'), settings);
  let answer: unknown;
  while (answer === undefined) answer = await withClient(cluster.connection, (client) => client.query('SELECT 1')).catch(() => undefined);
  t.ok(answer);
});

t.test('a postmaster.pid of another boot, whose pid is now another process, is no obstacle', async (t) => {
  const dataDir = await folder(t);
  await child(dataDir, 'stop');
  await writeFile(join(dataDir, 'postgres', 'data', 'postmaster.pid'), `${String(process.pid)}\n/x\n1\n5432\n/x\n\n1 1\nready   \n`);
  t.strictSame(await child(dataDir, 'stop'), { adopted: false, visits: 2 });
});

t.test('a DATA_DIR whose path is too long for a socket', async (t) => {
  const top = await folder(t);
  await chmod(top, 0o711); // passable, or root's cluster would be kept elsewhere, under a short path
  const dataDir = join(top, 'a'.repeat(60), 'b'.repeat(60));
  await mkdir(dataDir, { recursive: true, mode: 0o755 });
  t.strictSame(await child(dataDir, 'stop'), { adopted: false, visits: 1 });
  t.ok((await lstat(join(dataDir, 'postgres'))).isDirectory(), 'it lies where it was asked for');
  t.strictSame(await child(dataDir, 'die'), { adopted: false, visits: 2 });
  t.strictSame(await child(dataDir, 'stop'), { adopted: true, visits: 3 });
});

asRoot('DATA_DIR below a folder that nobody else may pass', async (t) => {
  const closed = await folder(t);
  await chmod(closed, 0o700);
  const dataDir = join(closed, 'data');
  await mkdir(dataDir);
  t.strictSame(await child(dataDir, 'stop'), { adopted: false, visits: 1 });
  const link = join(dataDir, 'postgres');
  t.ok((await lstat(link)).isSymbolicLink());
  const away = await readlink(link); // read now: a teardown may find the link gone, and would leave what it led to
  t.teardown(() => rm(away, { recursive: true, force: true }));
  t.strictSame(await child(dataDir, 'stop'), { adopted: false, visits: 2 });
});

t.test('binaries that cannot be used where they lie are copied: no links made by npm, or out of reach', async (t) => {
  const closed = await folder(t);
  const home = await folder(t);
  await chmod(home, 0o755);
  const native = join(closed, 'native');
  await cp(await packagedNative(), native, { recursive: true, verbatimSymlinks: true });
  for (const entry of await readdir(join(native, 'lib'), { withFileTypes: true })) if (entry.isSymbolicLink()) await unlink(join(native, 'lib', entry.name));
  const as = root ? { uid: 54_321, gid: 54_321 } : null;
  const copied = await reachableBinaries(native, home, as, silent);
  t.equal(copied.postgres, join(home, 'native', 'bin', 'postgres'));
  t.strictSame(await reachableBinaries(native, home, as, () => { t.fail('copied twice'); }), copied);
});
