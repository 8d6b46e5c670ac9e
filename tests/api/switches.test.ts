/** Rows /v1/switches and /v1/approvals of API.md, the kill file, and the officer's commands. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { portcullis } from '../doubles/gateway.ts';
import type { Message } from '../doubles/stream.ts';
import { ended, heard, names, orderOf, recordIn, startWalk, targetOf, type Body } from './walk.ts';

const ALPHA2 = { kind: 'strategy', id: 'alpha-2' };
const FIRM = { kind: 'firm', id: '*' };

t.test('switches', async (t) => {
  const walk = await startWalk(t);
  const { as, gateway } = walk;
  const events = await walk.hears('alice', 'orders', 'switches');
  const flip = (members: object = {}): object => ({ scope: ALPHA2, state: 'halted', cancel: 'working', reason: 'a test', ...members });
  const flips = async (): Promise<readonly Body[]> => (await gateway.records('switch.flipped')).map(({ body }) => body as Body);
  const stateOf = async (id: string): Promise<string | undefined> => (await as('olga', 'GET', '/v1/switches')).body.items.find(({ scope }) => scope.id === id)?.state;
  const order = (clOrdId: string, members: object = {}): Promise<{ status: number; body: Body }> => as('alice', 'POST', '/v1/orders', orderOf({ clOrdId, ...members }));
  const denials = ({ body }: { readonly body: Body }): string[] => body.verdicts.filter(({ outcome }) => outcome === 'deny').map(({ code }) => code);
  const ask = async (scope: object): Promise<string> => (await as('olga', 'POST', '/v1/switches/release', { scope, reason: 'over' })).body.approvalId;
  const answer = (person: 'olga' | 'peter', id: string, approve = true): Promise<unknown> => as(person, 'POST', `/v1/approvals/${id}`, { approve, reason: 'looked at' });
  const flipped = (is: (body: Body) => boolean): Promise<Message> => events.next((message) => message['kind'] === 'switch.flipped' && is(recordIn(message).body));

  /** The gateway looks at the file five times a second: after so many beats it has seen what is there. */
  const eventsPass = async (beats: number): Promise<void> => {
    events.received.length = 0;
    for (let i = 0; i < beats; i++) await events.next(({ kind }) => kind === 'beat');
  };

  await t.test('a preview says what a flip would do, and does nothing', async (t) => {
    const { body } = await order('W1', { type: 'limit', limitPx: '176.00', tif: 'gtc' });
    await heard(events, 'order.acknowledged', body.parent);
    const preview = await as('olga', 'POST', '/v1/switches?preview=true', flip());
    t.match(preview, { status: 200, body: { scope: ALPHA2, state: 'halted', receipt: null, cancels: { requested: 1 } } });
    t.match((await as('olga', 'POST', '/v1/switches?preview=true', flip({ cancel: 'none' }))).body, { cancels: { requested: 0 } });
    t.same([await flips(), (await as('alice', 'GET', '/v1/orders/W1')).body.state], [[], 'new']);
    t.equal((await as('olga', 'POST', '/v1/switches?preview=1', flip())).status, 400, 'never half a kill');
  });

  await t.test('a halt cancels what works, once a request', async (t) => {
    const { parent } = (await as('alice', 'GET', '/v1/orders/W1')).body;
    const first = await as('olga', 'POST', '/v1/switches', flip({ requestId: 'R-1' }));
    t.match(first, { status: 201, body: { receipt: { log: String, seq: Number, hash: String }, cancels: { requested: 1, acknowledged: Number } } });
    await heard(events, 'order.canceled', parent);
    t.ok(await gateway.said(/switch strategy alpha-2: active -> halted, by olga \(record \d+\)/), 'and the operator reads of it');
    const again = await as('olga', 'POST', '/v1/switches', flip({ requestId: 'R-1' }));
    t.match(again, { status: 201, body: { receipt: first.body.receipt, cancels: { requested: 1, acknowledged: 1 } } });
    t.equal((await flips()).length, 1);
    const other = await as('olga', 'POST', '/v1/switches', flip({ requestId: 'R-1', scope: FIRM }));
    t.match(other, { status: 409, body: { code: 'CONFLICT' } }, 'an id never answers for another halt');
    const [item] = (await as('carla', 'GET', '/v1/switches')).body.items;
    t.same(names(item!), ['by', 'reason', 'scope', 'since', 'state']);
    t.match(item, { scope: ALPHA2, state: 'halted', by: 'olga', reason: 'a test' });
  });

  await t.test('under a halt only cancels pass', async (t) => {
    t.same(denials(await order('H1')), ['SWITCH_HALTED']);
    const target = targetOf({ targetId: 'H1', strategy: 'alpha-2', asOf: await walk.now(), legs: [{ symbol: 'SPY', target: '0.01' }] });
    t.ok(denials(await as('alice', 'POST', '/v1/targets', target)).includes('SWITCH_HALTED'));
    t.equal((await as('alice', 'DELETE', '/v1/orders/W1')).status, 202);
    t.equal((await order('H2', { strategy: 'alpha-1', orderQty: '1' })).status, 201, 'the other strategy goes on');
  });

  await t.test('what loosens takes two', async (t) => {
    t.match(await as('olga', 'POST', '/v1/switches', flip({ state: 'reducing' })), { status: 409, body: { code: 'CONFLICT' } });
    t.equal(await stateOf('alpha-2'), 'halted');
    t.match(await as('carla', 'POST', '/v1/switches/release', { scope: ALPHA2, reason: 'over' }), { status: 403 });
    const asked = await as('olga', 'POST', '/v1/switches/release', { scope: ALPHA2, reason: 'over' });
    t.match(asked, { status: 202, body: { approvalId: String } });
    const id = asked.body.approvalId;
    t.match((await as('peter', 'GET', '/v1/approvals')).body.items, [{ id, scope: ALPHA2, state: 'pending' }]);
    t.match(await answer('olga', id), { status: 403, body: { code: 'SAME_PERSON' } });
    const upper = await gateway.token('risk_officer', { sub: 'OLGA' });
    t.match(await gateway.call(upper, 'POST', `/v1/approvals/${id}`, { approve: true, reason: 'x' }), { status: 403, body: { code: 'SAME_PERSON' } }, 'by any name');
    t.match(await as('carla', 'POST', `/v1/approvals/${id}`, { approve: true, reason: 'x' }), { status: 403, body: { code: 'FORBIDDEN' } });
    t.equal(await stateOf('alpha-2'), 'halted');
    t.match(await answer('peter', id), { status: 200 });
    t.equal(await stateOf('alpha-2'), 'active');
    t.match(await answer('peter', id), { status: 409 }, 'once');
    t.match((await as('peter', 'GET', '/v1/approvals')).body.items, [{ id, state: 'given' }], 'the list says what became of it');
    t.match(await as('olga', 'POST', '/v1/switches/release', { scope: ALPHA2, reason: 'over' }), { status: 409 }, 'there is nothing to release');
    t.match(await answer('peter', 'NOPE'), { status: 404 });
  });

  await t.test('a refusal ends it; a newer halt voids it', async (t) => {
    await as('olga', 'POST', '/v1/switches', flip());
    const refused = await ask(ALPHA2);
    t.match(await answer('peter', refused, false), { status: 200 });
    t.match(await answer('peter', refused), { status: 409 });
    const stale = await ask(ALPHA2);
    t.match(await as('peter', 'POST', '/v1/switches', flip({ reason: 'again' })), { status: 201, body: { previous: 'halted' } }, 'halting what is halted is allowed');
    t.match(await answer('peter', stale), { status: 409 });
    t.equal(await stateOf('alpha-2'), 'halted');
    const racing = await ask(ALPHA2);
    const both = (await Promise.all([answer('peter', racing), answer('peter', racing)])) as { status: number }[];
    t.same(both.map(({ status }) => status).sort(), [200, 409], 'of two answers one wins');
    t.equal((await gateway.records('approval.refused')).length, 1);
  });

  await t.test('reducing is judged on the position', async (t) => {
    const { parent } = (await order('P1', { symbol: 'BAC', orderQty: '10' })).body;
    await ended(events, parent);
    t.equal((await as('carla', 'POST', '/v1/switches', flip({ state: 'reducing' }))).status, 201);
    t.same(denials(await order('P2', { symbol: 'BAC', orderQty: '1' })), ['SWITCH_REDUCING']);
    t.same(denials(await order('P3', { symbol: 'BAC', orderQty: '11', side: 'sell' })), ['SWITCH_REDUCING'], 'through zero is not a reduction');
    t.equal((await order('P4', { symbol: 'BAC', orderQty: '10', side: 'sell' })).status, 201);
  });

  await t.test('DATA_DIR/KILL halts the firm in any form; removing it releases nothing', async (t) => {
    const file = join(gateway.dataDir, 'KILL');
    await writeFile(file, 'pulled by hand');
    const first = recordIn(await flipped(({ scope }) => scope.id === '*'));
    t.match(first.body, { state: 'halted', scope: FIRM, reason: /pulled by hand/ });
    t.same(denials(await order('K1', { strategy: 'alpha-1' })), ['SWITCH_HALTED']);
    await rm(file);
    await eventsPass(2);
    t.equal(await stateOf('*'), 'halted', 'it is gone and everything stands');
    await mkdir(file);
    t.match(recordIn(await flipped(({ scope }) => scope.id === '*')).body, { state: 'halted', previous: 'halted' }, 'a folder is as good, and halts anew');
    await rm(file, { recursive: true });
  });

  await t.test('the commands of an officer', async (t) => {
    t.equal(await stateOf('*'), 'halted');
    const run = async (person: 'olga' | 'peter', ...args: string[]): Promise<string> => {
      const environment = { PORTCULLIS_TOKEN: await walk.token(person) };
      const { code, stdout, stderr } = await portcullis(gateway.dataDir, [...args, '--url', gateway.url, '--reason', 'by hand'], environment);
      t.same([code, stderr], [0, '']);
      return stdout;
    };
    const asked = await run('olga', 'release', '--scope', 'firm');
    const id = /approval ([A-Z0-9]+) waits/.exec(asked)?.[1] ?? '';
    await run('peter', 'approve', id);
    t.equal(await stateOf('*'), 'active');
    t.match(await run('peter', 'kill', '--scope', 'account:ACC1'), /account:ACC1 is halted/);
    t.equal(await stateOf('ACC1'), 'halted');
    const refused = await portcullis(gateway.dataDir, ['kill', '--url', gateway.url, '--reason', 'x'], { PORTCULLIS_TOKEN: await walk.token('alice') });
    t.equal(refused.code, 1);
    t.match(refused.stderr, /FORBIDDEN/);
  });
});
