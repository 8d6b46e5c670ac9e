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
