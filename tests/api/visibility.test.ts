import t from 'tap';
import { orderOf, startWalk } from './walk.ts';

t.test('a strategy sees its accounts only', async (t) => {
  const walk = await startWalk(t);
  const { as, gateway } = walk;
  const { body } = await as('bob', 'POST', '/v1/orders', orderOf({ clOrdId: 'SECRET', account: 'ACC2', strategy: 'beta-1' }));
  t.equal((await as('alice', 'GET', '/v1/orders/SECRET')).status, 404, "another's order by the caller's id");
  t.equal((await as('alice', 'GET', `/v1/orders/${body.parent}`)).status, 404, "another's order by our id");
  t.equal((await gateway.call(await walk.token('alice'), 'GET', `/v1/orders/${body.parent}?account=ACC1`)).status, 404, 'nor with ?account=');
  for (const scope of [{ kind: 'account', id: 'ACC2' }, { kind: 'strategy', id: 'beta-1' }, { kind: 'trader', id: 'TRADER2' }]) {
    await as('olga', 'POST', '/v1/switches', { scope, state: 'halted', cancel: 'working', reason: 'secret inquiry' });
  }
  const client = await walk.socket('alice');
  await client.ask({ id: 's', op: 'subscribe', channels: ['summary'], after: null });
  const message = await client.next(({ kind }) => kind === 'summary');
  t.strictSame((message['summary'] as { switches: unknown }).switches, [], "the summary names no switch of another's account, strategy or trader");
  client.socket.close();
});

t.test('a token of one account reaches no scope and no record of another', async (t) => {
  const walk = await startWalk(t);
  const { as } = walk;
  for (const [account, strategy] of [['ACC1', 'alpha-1'], ['ACC2', 'beta-1']] as const) {
    t.equal((await as('both', 'POST', '/v1/orders', orderOf({ clOrdId: 'O', account, strategy }))).status, 201);
  }
  const halt = { state: 'halted', cancel: 'working', reason: 'inquiry' };
  for (const scope of [{ kind: 'account', id: 'ACC1' }, { kind: 'strategy', id: 'alpha-1' }, { kind: 'account', id: 'ACC9' }]) {
    for (const path of ['/v1/switches', '/v1/switches?preview=true']) t.match(await as('lena', 'POST', path, { ...halt, scope }), { status: 403, body: { code: 'FORBIDDEN' } });
  }
  const scope = { kind: 'account', id: 'ACC1' };
  t.equal((await as('olga', 'POST', '/v1/switches', { ...halt, scope })).status, 201);
  t.equal((await as('lena', 'POST', '/v1/switches', { ...halt, scope: { kind: 'account', id: 'ACC2' } })).status, 201, 'its own');
  t.match((await as('lena', 'GET', '/v1/switches')).body.items, [{ scope: { id: 'ACC2' } }]);
  t.equal((await as('lena', 'POST', '/v1/switches/release', { scope, reason: 'done' })).status, 403);
  const { body: { approvalId } } = await as('olga', 'POST', '/v1/switches/release', { scope, reason: 'done' });
  t.equal((await as('lena', 'POST', `/v1/approvals/${approvalId}`, { approve: true, reason: 'yes' })).status, 403);
  t.strictSame((await as('lena', 'GET', '/v1/approvals')).body.items, []);
  t.match(await as('olga', 'POST', '/v1/switches?preview=true', { ...halt, scope, state: 'reducing' }), { status: 409 }, 'a preview that would loosen');

  const accounts = async (query: string): Promise<Set<unknown>> =>
    new Set((await as('lars', 'GET', `/v1/audit/records?limit=1000${query}`)).body.items.map(({ canonical }) => (JSON.parse(canonical) as { body: { account?: string } }).body.account));
  t.strictSame(await accounts(''), new Set([undefined, 'ACC2']));
  t.strictSame(await accounts('&clOrdId=O'), new Set(['ACC2']));
  t.equal((await as('lars', 'GET', '/v1/audit/records?account=ACC1')).status, 403);
});
