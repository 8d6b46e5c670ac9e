/** A database put back to an older day: the start is refused, and goes on only as a new log that names the old one. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import pg from 'pg';
import t from 'tap';
import { parseRecord } from '../../compliance/fold.ts';
import type { NodeStarted } from '../../compliance/records.ts';
import { loadConfig } from '../../gateway/config.ts';
import { forkLog, type Forked } from '../../gateway/fork.ts';
import { formatLogFile, parseLogFile, readLogFile } from '../../gateway/log-id.ts';
import { visitDatabase } from '../../gateway/postgres.ts';
import { visitPostgres } from '../../gateway/postgres/cluster.ts';
import { startGateway, type Gateway } from '../../gateway/start.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'portcullis-fork-'));
t.teardown(() => { rmSync(dataDir, { recursive: true, force: true }); });
const quiet = (): void => undefined;
const start = (): Promise<Gateway> => startGateway(loadConfig({ DATA_DIR: dataDir, PORT: '0', DEMO: 'off' }), {
  node: { version: 't', commit: null, lockfileHash: '0'.repeat(64) }, say: quiet, fatal: (error) => { throw error; },
});
const fork = (): Promise<Forked> => visitDatabase({ url: undefined, dataDir, log: quiet }, (writer) => forkLog(dataDir, writer));
const firstRecord = async ({ house }: Gateway): Promise<NodeStarted> => (await house.records(0, 1))[0]!.body as NodeStarted;

t.test('the file that names the log', (t) => {
  const hex = (length: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
  const plain = { noNullPrototype: true };
  const file = fc.record({ log: hex(16), forkOf: fc.option(fc.record({ log: hex(16), size: fc.nat(), hash: hex(64) }, plain)) }, plain);
  fc.assert(fc.property(file, (named) => { t.strictSame(parseLogFile(formatLogFile(named)), named); }), { numRuns: 30 });
  const good = formatLogFile({ log: 'a'.repeat(16), forkOf: { log: 'b'.repeat(16), size: 1, hash: 'c'.repeat(64) } });
  for (const bad of ['', '\n', 'A'.repeat(16), good.toUpperCase(), `${good}\n`, good.replace(' 1 ', ' 01 '), good.replace(' 1 ', ' -1 '), good.slice(0, -2)]) {
    t.equal(parseLogFile(bad), null, bad);
  }
  t.end();
});

t.test('an older copy of the database', async (t) => {
  const first = await start();
  t.equal((await firstRecord(first)).forkOf, null);
  const { log } = readLogFile(dataDir)!;
  const [, lastKept] = await first.house.records(0, 2);
  await first.stop();
  await t.rejects(fork(), /holds everything that was published: there is nothing to fork from/);

  const lastHash = await visitPostgres({ dataDir, log: quiet }, async (connection) => {
    const owner = new pg.Client(connection);
    await owner.connect();
    await owner.query('ALTER TABLE portcullis.records DISABLE TRIGGER ALL; DELETE FROM portcullis.records WHERE seq > 1; ALTER TABLE portcullis.records ENABLE TRIGGER ALL');
    const { rows } = await owner.query<{ hash: Buffer; canonical: string }>('SELECT hash, canonical FROM portcullis.records WHERE seq = 1');
    await owner.end();
    t.strictSame(parseRecord(rows[0]!.canonical).body, lastKept!.body);
    return rows[0]!.hash.toString('hex');
  });
  await t.rejects(start(), { name: 'Error', code: 'LOG_BEHIND_CHECKPOINT', message: /^the log has 2 records, and \d+ were published; .*`portcullis log fork`$/ });

  const forked = await fork();
  t.strictSame(forked.forkOf, { log, size: 2, hash: lastHash });
  t.not(forked.log.slice(0, 8), log.slice(0, 8), 'ids of the two logs never meet');
  t.strictSame(readLogFile(dataDir), forked);
  t.notOk(existsSync(join(dataDir, 'checkpoint')));
  t.ok(existsSync(join(dataDir, `checkpoint.${log}`)), 'the old checkpoint is kept');
  t.strictSame(await fork(), forked, 'once more before the start: the same fork');

  const second = await start();
  t.match(await firstRecord(second), { resumedAt: 0, forkOf: forked.forkOf });
  await second.stop();
  const third = await start();
  const size = (await firstRecord(third)).resumedAt;
  t.equal(size, 0);
  const restarted = (await third.house.records(1, third.house.journal.durableSize)).filter(({ kind }) => kind === 'node.started');
  t.match(restarted, [{ body: { forkOf: null } }], 'named once');
  await t.rejects(fork(), /another gateway writes the log/);
  await third.stop();
  t.notOk(readdirSync(dataDir).some((name) => name.endsWith('.new')));
});

t.test('a checkpoint that was published and is gone', async (t) => {
  const path = join(dataDir, 'checkpoint');
  const running = await start();
  const isPublished = async (): Promise<boolean> => (await running.house.records(0, running.house.journal.durableSize)).some(({ kind }) => kind === 'checkpoint.published');
  while (!(await isPublished())) await new Promise((resolve) => setTimeout(resolve, 50));
  await running.stop();
  const note = readFileSync(path);
  rmSync(path);
  await t.rejects(start(), { code: 'LOG_BEHIND_CHECKPOINT', message: /^the log says that checkpoints were published, and .*checkpoint is not there: bring it back/ });
  writeFileSync(path, note);
  await (await start()).stop();
});
