import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { encodeOrder, encodeReport } from '../../../../execution/venues/paper/codec.ts';
import { paperProcessVenue } from '../../../../execution/venues/paper/client.ts';
import { readPaperJournal } from '../../../../execution/venues/paper/journal.ts';
import { askWho } from '../../../../execution/venues/paper/who.ts';
import { formatFrame } from '../../../../execution/venues/paper/wire.ts';
import type { Venue, VenueReport } from '../../../../execution/venue.ts';
import { CONFIG, d, line, market, order } from './fixture.ts';
import { approved, Heard, receipt, spawnIn, talk } from './process-fixture.ts';

/** Whose process nobody brings back, unless `revive` does. */
const venueAt = (socketPath: string, heard: Heard, revive = () => Promise.resolve(socketPath)): Venue =>
  paperProcessVenue({ id: 'PAPER', socketPath, revive, gateway: 'TEST', onFault: heard.onFault });
const reportsIn = (path: string): VenueReport[] => readPaperJournal(path).flatMap((entry) => (entry.kind === 'report' ? [entry.report] : []));
const hello = formatFrame({ op: 'hello', gateway: 'TEST', resumeAfter: 0 });

t.test('orders, cancels and reports cross, and the journal says the same', async (t) => {
  const running = await spawnIn(t.testdir());
  const heard = new Heard();
  const venue = venueAt(running.socketPath, heard);
  await venue.start(heard, 0);
  venue.send(approved(order('A')), receipt(7));
  venue.send(approved(market('B', { tif: 'ioc', orderQty: d('1') })), receipt(8));
  venue.cancel({ clOrdId: 'A', symbol: 'SPY' });
  venue.reconcile(['A', 'Z']);
  await heard.until(() => heard.reports.length >= 5);
  const lines = heard.reports.map(line).sort();
  t.match(lines, ['A acknowledged', 'A canceled cum 0', 'B acknowledged', /^B filled 1@/, 'Z absent']);
  t.same(reportsIn(running.journalPath), heard.reports.filter(({ kind }) => kind !== 'absent'));
  t.match(readPaperJournal(running.journalPath).map((entry) => entry.kind), ['session', 'order', 'order', 'cancel']);
  t.match(readPaperJournal(running.journalPath)[1], { order: order('A'), receipt: { log: 'TEST', seq: 7 } });
  t.equal(statSync(dirname(running.socketPath)).mode & 0o777, 0o700);
  await venue.stop();
  await running.stop();
  t.equal(await askWho(running.socketPath), null);
});

t.test('kill -9 in the middle of the stream: no gap, and every report once', async (t) => {
  const dataDir = t.testdir();
  const first = await spawnIn(dataDir, { paper: { ...CONFIG, latencyMs: 1 } });
  const heard = new Heard();
  const venue = venueAt(first.socketPath, heard);
  await venue.start(heard, 0);
  const ids = Array.from({ length: 600 }, (_, i) => `O${i}`);
  const make = (id: string, i: number) => (i % 3 === 0 ? market(id, { orderQty: d('1'), tif: 'ioc' }) : order(id, { limitPx: d('90') }));
  for (const [i, id] of ids.entries()) {
    venue.send(approved(make(id, i)), receipt(i));
    if (i === 300) await heard.until(() => heard.reports.length >= 50);
  }
  process.kill(first.pid, 'SIGKILL');
  await heard.until(() => heard.states.at(-1) === 'down');
  appendFileSync(first.journalPath, '{"kind":"report","rep'); // what a crash in the middle of a write leaves
  const second = await spawnIn(dataDir, { paper: { ...CONFIG, latencyMs: 1 } });
  t.not(second.pid, first.pid);
  await heard.until(() => heard.states.at(-1) === 'up');
  const answered = (): Set<string> => new Set(heard.reports.filter(({ kind }) => kind === 'acknowledged' || kind === 'absent').map(({ clOrdId }) => clOrdId));
  venue.reconcile(ids.filter((id) => !answered().has(id)));
  await heard.until(() => answered().size === ids.length);
  venue.send(approved(order('LAST')), receipt(600));
  await heard.until(() => heard.reports.at(-1)?.clOrdId === 'LAST');
  await venue.stop();
  await second.stop();

  const told = heard.reports.filter(({ kind }) => kind !== 'absent');
  t.same(told.map(({ sourceSeq }) => sourceSeq), told.map((_, i) => i + 1), 'gapless, each once');
  t.same(reportsIn(first.journalPath).slice(0, told.length).map(encodeReport), told.map(encodeReport), 'the journal says what was told');
  const received = new Set(readPaperJournal(first.journalPath).flatMap((entry) => (entry.kind === 'order' ? [entry.order.clOrdId] : [])));
  const absent = heard.reports.filter(({ kind }) => kind === 'absent').map(({ clOrdId }) => clOrdId);
  t.not(absent.length, 0, 'the kill came in the middle');
  t.notOk(absent.some((id) => received.has(id)), 'absent is said of orders only that were never received');
  t.same(heard.faults.filter((fault) => fault.startsWith('GAP')), []);
});

t.test('a process that died is brought back, and what was in flight is asked about there', async (t) => {
  const dataDir = t.testdir();
  const first = await spawnIn(dataDir);
  const heard = new Heard();
  let revivals = 0;
  let running = first;
  const venue = venueAt(first.socketPath, heard, async () => {
    revivals += 1;
    if (revivals === 1) throw new Error('not yet');
    running = await spawnIn(dataDir);
    return running.socketPath;
  });
  await venue.start(heard, 0);
  venue.send(approved(order('A', { tif: 'gtc' })), receipt(1));
  await heard.until(() => heard.reports.length === 1);
  process.kill(first.pid, 'SIGKILL');
  await heard.until(() => heard.states.at(-1) === 'down');
  venue.cancel({ clOrdId: 'A', symbol: 'SPY' });
  await heard.until(() => heard.reports.length === 2);
  t.not(running.pid, first.pid);
  t.same([heard.states, heard.reports.map(line)], [['up', 'down', 'up'], ['A acknowledged', 'A canceled cum 0']]);
  t.ok(heard.faults.includes('not yet'), 'and what stood in its way was told');
  await venue.stop();
  await running.stop();
});

t.test('a newer session shuts the older one out before anything is answered', async (t) => {
  const running = await spawnIn(t.testdir());
  const old = new Heard();
  const oldVenue = venueAt(running.socketPath, old);
  await oldVenue.start(old, 0);
  const young = new Heard();
  const youngVenue = venueAt(running.socketPath, young);
  const started = youngVenue.start(young, 0);
  youngVenue.reconcile(['LATE']);
  await started;
  await young.until(() => young.reports.length > 0);
  t.same(young.reports.map(line), ['LATE absent']);
  oldVenue.send(approved(order('LATE')), receipt(1));
  await old.until(() => old.states.at(-1) === 'down');
  t.same(old.faults, ['FENCED']);
  t.same(old.states, ['up', 'down'], 'it does not come back');
  youngVenue.send(approved(order('NEXT')), receipt(2));
  await young.until(() => young.reports.length > 1);
  t.same(young.reports.map(line), ['LATE absent', 'NEXT acknowledged']);
  t.notOk(readPaperJournal(running.journalPath).some((entry) => entry.kind === 'order' && entry.order.clOrdId === 'LATE'));
  await oldVenue.stop();
  await youngVenue.stop();
  await running.stop();
});

t.test('garbage is refused and harms nobody', async (t) => {
  const running = await spawnIn(t.testdir());
  const heard = new Heard();
  const venue = venueAt(running.socketPath, heard);
  await venue.start(heard, 0);
  const good = formatFrame({ op: 'order', order: encodeOrder(order('X')), receipt: { log: 'TEST', seq: 1, hash: 'ab' } });
  const refused = (reason: string): string[] => [JSON.stringify({ op: 'refused', reason })];
  for (const [name, text, lines] of [
    ['no JSON', 'GET / HTTP/1.1\n', refused('NOT_A_FRAME')],
    ['an empty line', '\n', refused('NOT_A_FRAME')],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0, 10]), refused('NOT_A_FRAME')],
    ['no op', '{}\n', refused('NOT_A_FRAME')],
    ['a field too many', '{"op":"who","x":1}\n', refused('NOT_A_FRAME')],
    ['a negative resume point', '{"op":"hello","gateway":"g","resumeAfter":-1}\n', refused('NOT_A_FRAME')],
    ['a line without end', 'x'.repeat(70_000), refused('LINE_TOO_LONG')],
    ['an order without a session', good, refused('NO_SESSION')],
    ['an order with an exponent', good.replace('"100"', '"1e3"'), refused('NOT_A_FRAME')],
    ['only the first fault is answered', `{}\n${good}${hello}`, refused('NOT_A_FRAME')],
  ] as const) t.same(await talk(running.socketPath, text), lines, name);
  venue.send(approved(order('A')), receipt(1));
  await heard.until(() => heard.reports.length === 1);
  t.same([heard.states, heard.faults, heard.reports.map(line)], [['up'], [], ['A acknowledged']], 'the session stands');
  t.same((await talk(running.socketPath, hello + hello)).at(-1), refused('SECOND_HELLO')[0]);
  await venue.stop();
  await running.stop();
});

t.test('the process outlives a gateway that is killed, and the next one adopts it', async (t) => {
  const dataDir = t.testdir();
  const fixture = new URL('./process-fixture.js', import.meta.url).href;
  const script = `const { spawnIn } = await import(${JSON.stringify(fixture)});
    console.log((await spawnIn(${JSON.stringify(dataDir)})).pid);
    setInterval(() => {}, 1e6);`;
  const gateway = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [pid] = (await once(gateway.stdout, 'data')) as [Buffer];
  gateway.kill('SIGKILL');
  await once(gateway, 'exit');
  const adopted = await spawnIn(dataDir);
  t.equal(adopted.pid, Number(pid.toString()));
  const heard = new Heard();
  const venue = venueAt(adopted.socketPath, heard);
  await venue.start(heard, 0);
  venue.send(approved(order('A', { tif: 'gtc' })), receipt(1));
  await heard.until(() => heard.reports.length === 1);
  const other = await spawnIn(dataDir, { paper: { ...CONFIG, takerFeeBps: 9 } });
  t.not(other.pid, adopted.pid, 'another configuration needs another process');
  t.equal(other.journalPath, adopted.journalPath);
  await venue.stop();
  const again = venueAt(other.socketPath, heard);
  await again.start(heard, 1);
  again.cancel({ clOrdId: 'A', symbol: 'SPY' });
  await heard.until(() => heard.reports.length === 2);
  t.same(heard.reports.map(line), ['A acknowledged', 'A canceled cum 0'], 'what was open is still open');
  await again.stop();
  await other.stop();
});

t.test('a damaged journal stops the start', async (t) => {
  const dataDir = t.testdir();
  const first = await spawnIn(dataDir);
  await talk(first.socketPath, hello, 1);
  await first.stop();
  appendFileSync(first.journalPath, `{"kind":"report","report":{"kind":"acknowledged","clOrdId":"A","sourceSeq":2,"venueAt":"2026-11-20T00:00:00Z"}}\n`);
  await t.rejects(spawnIn(dataDir), /ended with 1/);
  t.match(readFileSync(join(dataDir, 'paper', 'process.log'), 'utf8'), /report 2 follows 0/);
});

t.test('a venue that has lost its journal is not believed: it would tell anew under numbers that were heard before', async (t) => {
  const dataDir = t.testdir();
  const first = await spawnIn(dataDir);
  const before = new Heard();
  const one = venueAt(first.socketPath, before);
  await one.start(before, 0);
  one.send(approved(order('A', { tif: 'gtc' })), receipt(1));
  await before.until(() => before.reports.length === 1);
  await one.stop();
  await first.stop();
  rmSync(first.journalPath);
  const second = await spawnIn(dataDir);
  const after = new Heard();
  const two = venueAt(second.socketPath, after);
  await two.start(after, 1);
  t.same(after.states.filter((state) => state === 'up'), []);
  t.match(after.faults[0], /^REFUSED JOURNAL_LOST$/);
  await two.stop();
  await second.stop();
});

t.test('a venue that is not there: started all the same, and down', async (t) => {
  const heard = new Heard();
  const venue = venueAt(join(t.testdir(), 'none.sock'), heard);
  await venue.start(heard, 0);
  t.equal(heard.states[0], 'down');
  t.match(heard.faults[0], /ENOENT/);
  await venue.stop();
});
