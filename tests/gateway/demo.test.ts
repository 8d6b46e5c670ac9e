/** What a newcomer reads of the demonstration: decisions, and of fills only what there was. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startDemo } from '../../gateway/demo.ts';
import { manualTimers } from '../doubles/timers.ts';

/** The two lines of one target that a gateway answers like this. */
async function linesOf(t: Test, status: number, decided: object, progress: object): Promise<readonly string[]> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(request.method === 'POST' ? status : 200, { 'content-type': 'application/json' }).end(JSON.stringify(request.method === 'POST' ? decided : progress));
  }).listen(0, '127.0.0.1');
  t.teardown(() => { server.close(); });
  await once(server, 'listening');
  const timers = manualTimers();
  const lines: string[] = [];
  const said = async (count: number): Promise<void> => { while (lines.length < count) await pause(5); };
  const say = (line: string): void => { lines.push(line.replace(/DEMO-\d+/, 'ID')); };
  const demo = startDemo({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: () => Promise.resolve('x'), timers, say, verified: () => Promise.resolve('log verified') });
  await said(1);
  demo.stop();
  await timers.advance(5_000);
  await said(2);
  return lines;
}
const parent = (symbol: string, cumQty: string, bps: number | null): object => ({ symbol, orderQty: '5', cumQty, shortfall: bps === null ? null : { bps } });

t.test('what was filled has a cost, what was not has none', async (t) => {
  const parents = [parent('SPY', '5', 1.25), parent('BAC', '0', -1.9), parent('IBM', '2', null)];
  t.strictSame(await linesOf(t, 201, { decision: 'accepted' }, { decision: 'accepted', parents }), [
    'demo: target ID: accepted', 'demo: target ID: filled SPY 5/5 at 1.3 bps, BAC 0/5, IBM 2/5; log verified',
  ]);
});

t.test('a target that asks for what is held already', async (t) => {
  t.strictSame(await linesOf(t, 201, { decision: 'accepted' }, { decision: 'accepted', parents: [] }), ['demo: target ID: accepted', 'demo: target ID: nothing to do; log verified']);
});

t.test('after a denial nothing is said of fills', async (t) => {
  const legs = [{ symbol: 'SPY', verdicts: [{ code: 'SWITCH_HALTED', outcome: 'deny' }] }];
  t.strictSame(await linesOf(t, 422, { code: 'DENIED', legs }, { decision: 'denied', parents: [] }), ['demo: target ID: DENIED (SPY by SWITCH_HALTED)', 'demo: log verified']);
});
