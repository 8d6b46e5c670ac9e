import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import t from 'tap';
import type { Answer } from '../../gateway/http/service.ts';
import { channelsOf } from '../../gateway/ws/events.ts';
import { Client, type Message } from '../doubles/stream.ts';
import { halt, makeEdge, order, target, type Edge } from './edge.ts';

interface Wired {
  readonly edge: Edge;
  readonly origin: string;
  readonly connect: (grant?: Parameters<Edge['token']>[0]) => Promise<Client>;
}
async function withEdge(t: { teardown(fn: () => unknown): void }): Promise<Wired> {
  const edge = await makeEdge();
  const origin = await edge.listen();
  t.teardown(() => edge.app.close());
  const connect = async (grant = {}): Promise<Client> => new Client(origin, { authorization: `Bearer ${await edge.token(grant)}` }).open();
  return { edge, origin, connect };
}

t.test('operations are the routes, with the same shapes and roles', async (t) => {
  const { edge, connect } = await withEdge(t);
  const client = await connect();
  t.match(await client.ask({ id: 1, op: 'order.submit', body: order }), { status: 201, body: { done: 'submitOrder' } });
  t.match(await client.ask({ id: 'b', op: 'target.submit', body: target }), { status: 201 });
  t.equal((await client.ask({ id: 2, op: 'order.amend', body: { clOrdId: 'A1', account: 'ACC1', orderQty: '5' } }))['status'], 200);
  t.same(edge.calls.at(-1)?.args.slice(1), ['A1', { orderQty: '5' }, 'ACC1']);
  t.equal((await client.ask({ id: 3, op: 'order.cancel', body: { clOrdId: 'A1' } }))['status'], 202);
  t.same(edge.calls.at(-1)?.args.slice(1), ['A1', undefined]);
  const known = edge.calls.length;
  const rows: [Message, number][] = [
    [{ op: 'order.submit', body: { ...order, orderQty: 100 } }, 400],
    [{ op: 'order.submit' }, 400],
    [{ op: 'order.submit', body: order, extra: 1 }, 400],
    [{ op: 'order.cancel', body: { clOrdId: ['A1'] } }, 400],
    [{ op: 'order.cancel', body: { clOrdId: 'A1', now: true } }, 400],
    [{ op: 'order.cancel', body: { clOrdId: 'A1', account: 'ACC2' } }, 403],
    [{ op: 'order.submit', body: { ...order, account: 'ACC2' } }, 403],
    [{ op: 'switch.flip', body: halt }, 403],
    [{ op: 'constructor', body: {} }, 400],
    [{ op: 'getOrder', body: {} }, 400],
    [{ op: 7 }, 400],
    [{}, 400],
    [{ op: 'subscribe', channels: [] }, 400],
    [{ op: 'subscribe', channels: ['secrets'] }, 400],
    [{ op: 'subscribe', channels: ['orders'], after: '5' }, 400],
    [{ op: 'subscribe', channels: ['orders'], after: -2 }, 400],
  ];
  for (const [n, [message, status]] of rows.entries()) {
    const answer = await client.ask({ id: `r${n}`, ...message });
    t.equal(answer['status'], status, JSON.stringify(message).slice(0, 80));
    t.match(answer['body'], { status, code: status === 400 ? 'INVALID_BODY' : 'FORBIDDEN' });
  }
  t.equal(edge.calls.length, known);
  for (const garbage of ['{', 'null', '[]', '7', '', '{"__proto__":{}}', '{"id":{},"op":"auth"}']) {
    client.send(garbage);
    t.match(await client.next(({ id }) => id === undefined), { status: 400 });
  }
  t.match(await client.ask({ id: 9, op: 'order.submit', body: order }), { status: 201 }, 'the socket lives on');
  const officer = await connect({ sub: 'o', role: 'risk_officer', accounts: [] });
  t.match(await officer.ask({ id: 1, op: 'switch.flip', body: halt }), { status: 201 });
});

t.test('the token: header, first message, too late, too long, twice, at its end', async (t) => {
  const { edge, origin, connect } = await withEdge(t);
  const first = await new Client(origin).open();
  t.same(await first.ask({ id: 1, op: 'auth', token: await edge.token() }), { id: 1, status: 200 });
  t.match(await first.ask({ id: 2, op: 'order.submit', body: order }), { status: 201 });
  first.send({ op: 'auth', token: await edge.token() });
  t.match(await first.ended, { code: 4403 });

  const bad = await new Client(origin).open();
  t.match(await bad.ask({ id: 1, op: 'auth', token: 'a.b.c' }), { status: 401, body: { code: 'UNAUTHENTICATED' } });
  t.match(await bad.ended, { code: 4401 });
  const eager = await new Client(origin).open();
  t.match(await eager.ask({ id: 1, op: 'order.submit', body: order }), { status: 401 });
  t.match(await eager.ended, { code: 4408 });
  const long = await new Client(origin).open();
  long.send({ op: 'auth', token: 'x'.repeat(17_000) });
  t.match(await long.ended, { code: 4408 });
  const silent = await new Client(origin).open();
  edge.time.nowMs += 5_000;
  t.match(await silent.ended, { code: 4408 });

  for (const headers of [{ authorization: 'Bearer a.b.c' }, { authorization: 'Basic eDp5' }, { origin: 'http://evil.example' }]) {
    const refused = new Client(origin, headers);
    const [, response] = await once(refused.socket, 'unexpected-response') as [unknown, { statusCode: number }];
    t.equal(response.statusCode, 'origin' in headers ? 403 : 401);
    refused.socket.terminate();
  }
  const short = await connect({ ttlSeconds: 60 });
  edge.time.wallMs += 60_000;
  t.match(await short.ended, { code: 4401 });
  t.equal(edge.defects.length, 0);
});

t.test('a client that does not wait for the answer to its token', async (t) => {
  const { edge, origin } = await withEdge(t);
  const hasty = async (token: string): Promise<Client> => {
    const client = await new Client(origin).open();
    for (const message of [{ op: 'auth', token }, { op: 'subscribe', channels: ['orders'], after: 3 }, { op: 'order.submit', body: order }]) {
      client.send({ id: message.op, ...message });
    }
    return client;
  };
  const bad = await hasty('a.b.c');
  t.match(await bad.ended, { code: 4401 });
  t.match(bad.received, [{ id: 'auth', status: 401 }]);
  t.same([bad.received.length, edge.events.asked, edge.calls], [1, [], []], 'nothing of what waited is done');
  const good = await hasty(await edge.token());
  const answers = [];
  while (answers.length < 3) answers.push(await good.next(() => true));
  t.match(answers, [{ id: 'auth', status: 200 }, { id: 'subscribe', status: 200 }, { id: 'order.submit', status: 201 }]);
  t.same(edge.events.asked, [{ channels: ['orders'], after: 3 }]);
});

t.test('a subscription: ack, events in order, beat, summary; who may', async (t) => {
  const { edge, connect } = await withEdge(t);
  const client = await connect();
  t.same(await client.ask({ id: 1, op: 'subscribe', channels: ['fills', 'orders', 'summary'], after: 3 }), { id: 1, status: 200 });
  t.same(edge.events.asked, [{ channels: ['orders', 'fills'], after: 3 }]);
  edge.events.send({ seq: 4, kind: 'order.filled', canonical: '{"kind":"order.filled","seq":4}' });
  t.same(await client.next(({ seq }) => seq === 4), { seq: 4, kind: 'order.filled', record: { kind: 'order.filled', seq: 4 } });
  t.match(await client.next(({ kind }) => kind === 'summary'), { summary: { equity: '1' } });
  edge.time.nowMs += 1_000;
  t.match(await client.next(({ kind }) => kind === 'beat'), { head: 7, marketAgeMs: 1, logLag: 0 });
  t.same(await client.ask({ id: 2, op: 'subscribe', channels: ['switches'] }), { id: 2, status: 200 });
  t.equal(edge.events.open, 1, 'a new subscription takes the place of the old one');
  t.same(edge.events.asked.at(-1), { channels: ['switches'], after: null });
  const admin = await connect({ sub: 'a', role: 'admin', accounts: [] });
  t.match(await admin.ask({ id: 1, op: 'subscribe', channels: ['orders'] }), { status: 200 });
  admin.socket.close();
  await admin.ended;
  client.socket.close();
  await client.ended;
  while (edge.events.open > 0) await new Promise(setImmediate);
  t.pass('the subscription ends with its socket');
});

t.test('a reader that does not read is dropped with the last seq, and harms nobody', async (t) => {
  const { edge, connect } = await withEdge(t);
  const slow = await connect();
  const quick = await connect({ sub: 'quick' });
  await slow.ask({ id: 1, op: 'subscribe', channels: ['orders'], after: null });
  slow.socket.pause();
  const text = 'x'.repeat(60_000);
  let seq = 0;
  while (edge.events.open > 0) {
    edge.events.send({ seq: seq++, kind: 'order.acknowledged', canonical: `{"text":"${text}"}` });
    if (seq % 20 === 0) await new Promise(setImmediate);
    if (seq > 2_000) throw new Error('never dropped');
  }
  t.match(await quick.ask({ id: 1, op: 'order.submit', body: order }), { status: 201 });
  slow.socket.resume();
  const { code, reason } = await slow.ended;
  t.equal(code, 4410);
  const last = Number(/last seq (\d+)$/.exec(reason)?.[1]);
  const seqs = slow.received.filter(({ seq: at }) => at !== undefined).map(({ seq: at }) => at);
  t.same(seqs, Array.from({ length: last + 1 }, (_, n) => n), 'everything up to the last seq has arrived');
});

t.test('protocol abuse closes one socket only', async (t) => {
  const { edge, connect } = await withEdge(t);
  const good = await connect();
  const binary = await connect({ sub: 'b' });
  binary.socket.send(Buffer.from([1, 2, 3]));
  t.match(await binary.ended, { code: 1003 });
  const large = await connect({ sub: 'l' });
  large.send('x'.repeat(1024 * 1024 + 1));
  t.match(await large.ended, { code: 1009 });
  t.match(await good.ask({ id: 1, op: 'order.submit', body: order }), { status: 201 });
  edge.answers.set('submitOrder', () => Promise.reject(new Error('secret')));
  const answer = await good.ask({ id: 2, op: 'order.submit', body: order });
  t.match(answer, { status: 500, body: { code: 'INTERNAL' } });
  t.notMatch(JSON.stringify(answer), /secret/);
  t.equal(edge.defects.length, 1);
});

t.test('128 sockets a person, by any token', async (t) => {
  const { connect } = await withEdge(t);
  const clients = [];
  for (let n = 0; n < 128; n++) clients.push(await connect({ sub: n % 2 === 0 ? 'Bot' : 'bOT' }));
  const extra = await connect({ sub: 'BOT' });
  t.match(await extra.ended, { code: 4429 });
  const other = await connect({ sub: 'other' });
  t.match(await other.ask({ id: 1, op: 'order.submit', body: order }), { status: 201 });
  clients[0]!.socket.close();
  await clients[0]!.ended;
  const again = await connect({ sub: 'bot' });
  t.match(await again.ask({ id: 1, op: 'order.submit', body: order }), { status: 201 });
});

t.test('the gateway stops: sockets are told', async (t) => {
  const { edge, connect } = await withEdge(t);
  const client = await connect();
  await edge.app.close();
  t.match(await client.ended, { code: 1001 });
});

t.test('the gateway stops: events end, what was taken is answered, nothing more is taken', async (t) => {
  const { edge, connect } = await withEdge(t);
  const client = await connect();
  await client.ask({ id: 0, op: 'subscribe', channels: ['orders'] });
  let answer: (answer: Answer) => void = () => undefined;
  const taken = new Promise<void>((resolve) => {
    edge.answers.set('submitOrder', () => {
      resolve();
      return new Promise((give) => { answer = give; });
    });
  });
  client.send({ id: 1, op: 'order.submit', body: order });
  await taken;
  const calls = edge.calls.length;
  const closed = edge.app.close();
  while (edge.events.open > 0) await new Promise(setImmediate);
  const refused = await client.ask({ id: 2, op: 'order.submit', body: { ...order, clOrdId: 'A2' } });
  t.match(refused, { status: 503, body: { code: 'NOT_READY', detail: 'The gateway is stopping' } });
  t.match(await client.ask({ id: 3, op: 'subscribe', channels: ['orders'] }), { status: 503 });
  t.equal(edge.calls.length, calls);
  answer({ status: 201, body: { done: 'late' } });
  t.match(await client.next(({ id }) => id === 1), { status: 201, body: { done: 'late' } });
  t.match(await client.ended, { code: 1001 });
  await closed;
});

t.test('the gateway stops while a socket’s token is being checked: the socket is told too', async (t) => {
  const { edge, origin } = await withEdge(t);
  // A connection that has shown a token before: it is not dropped as a stranger’s.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => { agent.destroy(); });
  const ready = get(`${origin}/v1/switches`, { agent, headers: { authorization: `Bearer ${await edge.token()}` } });
  const [response] = await once(ready, 'response') as [IncomingMessage];
  response.resume();
  await once(agent, 'free');
  const closed = new Promise<void>((resolve, reject) => {
    edge.app.server.once('upgrade', () => { edge.app.close().then(resolve, reject); });
  });
  const late = new Client(origin, { authorization: `Bearer ${await edge.token({ sub: 'late' })}` }, agent);
  t.match(await late.ended, { code: 1001 });
  await closed;
});

t.test('channels by kind', (t) => {
  const rows: Record<string, readonly string[]> = {
    'target.decided': ['decisions'], 'leg.decided': ['decisions'], 'order.decided': ['decisions'], 'slice.released': ['orders'],
    'order.acknowledged': ['orders'],
    'order.filled': ['orders', 'fills'], 'switch.flipped': ['switches'], 'alert.raised': ['alerts'], 'account.marked': [], 'node.started': [],
  };
  for (const [kind, channels] of Object.entries(rows)) t.same(channelsOf(kind), channels, kind);
  t.end();
});
