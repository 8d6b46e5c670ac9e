/** The ends and beginnings that are meant: a stop with grace under load, a start after it, and a second gateway that has no business here. */
import t from 'tap';
import { readPaperJournal } from '../execution/venues/paper/journal.ts';
import { acknowledgedIsThere, Auditor, noDefects, nothingIsUnknown, receiptOf, repeatsAgree } from './crash/audit.ts';
import { Load } from './crash/load.ts';
import { Random, seedOfRun } from './crash/random.ts';
import { until } from './crash/processes.ts';
import { Site } from './crash/site.ts';

const CONNECTIONS = 6;

t.test('SIGTERM under load: what was taken is answered and durable, everything ends, and the next start finds a clean house', async (t) => {
  const seed = seedOfRun();
  t.comment(`SEED=${String(seed)}`);
  const random = new Random(seed);
  const site = new Site(t);
  const auditor = new Auditor(site);
  let from = performance.now();
  let gateway = await site.start();
  t.comment(`the first start was ready after ${(performance.now() - from).toFixed(0)} ms, with initdb`);
  for (const round of ['S0', 'S1']) {
    const load = new Load(site, random, round);
    const running = load.run(CONNECTIONS);
    await until('there is a load', () => load.acknowledged.length > 150);
    const end = await gateway.kill('SIGTERM');
    await running;
    t.equal(end, 0, gateway.said.join(' | '));
    t.equal(site.postmaster, null, 'PostgreSQL has stopped');
    t.equal(await site.venuePid(), null, 'the venue has stopped');
    from = performance.now();
    gateway = await site.start();
    t.comment(`ready again after ${(performance.now() - from).toFixed(0)} ms`);
    await nothingIsUnknown(site);
    await auditor.log.advance();
    t.strictSame([...noDefects(load), ...acknowledgedIsThere(auditor.log.records, load), ...await repeatsAgree(site, load), ...await auditor.look()], [], `SEED=${String(seed)}`);
    // A connection that ends unanswered brought a request that was not taken: no order of it is in the log.
    const decided = new Set(auditor.log.records.flatMap(({ kind, body }) => (kind === 'order.decided' || kind === 'target.decided' ? [body['clOrdId'] ?? body['targetId']] : [])));
    t.strictSame(load.inFlight.filter(({ noun, id }) => (noun === 'order' || noun === 'target') && decided.has(id)).map(({ id }) => id), [], 'everything taken was answered');
    t.strictSame(auditor.log.records.filter(({ kind }) => kind === 'order.unknown'), [], 'nothing was left in doubt');
  }
});

t.test('a second gateway on the same DATA_DIR refuses with one line, and the first does not feel it', async (t) => {
  const site = new Site(t);
  const first = await site.start();
  const load = new Load(site, new Random(seedOfRun()), 'F');
  const running = load.run(2);
  const { pid } = site.postmaster!;
  const venue = await site.venuePid();
  const second = site.launch();
  const end = await second.ended;
  t.equal(end, 1);
  t.match(second.said, [/^portcullis did not start: another gateway writes the log [0-9a-f]{16}: .*; stop it first$/], 'one clear line');
  load.stop();
  await running;
  t.strictSame([site.postmaster?.pid, await site.venuePid()], [pid, venue], 'PostgreSQL and the venue are the same');
  t.strictSame(load.inFlight, []);
  t.strictSame(noDefects(load), []);
  t.notOk(load.acknowledged.some(({ answer }) => answer.status === 503), 'it went on taking work');
  t.strictSame(readPaperJournal(site.venueJournal).filter(({ kind }) => kind === 'session').length, 1, 'the venue has never seen the second');
  const order = await site.ask('POST', '/v1/orders', { clOrdId: 'AFTER', account: 'ACC1', strategy: 'alpha-1', symbol: 'SPY', side: 'buy', orderQty: '1', type: 'market', tif: 'ioc' });
  t.equal(order.status, 201);
  t.ok(receiptOf(order));
  t.equal(await first.kill('SIGTERM'), 0);
});

t.test('nobody reads what it says: it lives on, and ends with grace', async (t) => {
  const site = new Site(t);
  const gateway = await site.start();
  gateway.child.stdout!.destroy();
  gateway.child.stderr!.destroy();
  process.kill(site.postmaster!.pid, 'SIGKILL'); // of which it has much to say
  const halted = await site.ask('POST', '/v1/switches', { scope: { kind: 'firm', id: '*' }, state: 'halted', cancel: 'working', reason: 'a test' }, 'risk_officer', 'ann');
  t.equal(halted.status, 201);
  await site.untilReady();
  t.equal(await gateway.kill('SIGTERM'), 0);
  t.equal(site.postmaster, null);
  t.equal(await site.venuePid(), null);
});
