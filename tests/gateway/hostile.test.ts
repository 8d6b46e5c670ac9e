import { connect } from 'node:net';
import t from 'tap';
import { halt, makeEdge, order, target } from './edge.ts';

const text = (value: unknown): string => JSON.stringify(value);
/** TAP is read line by line: what breaks a line is not part of a test's name. */
const escape = (name: string): string => name.replace(/[^ -~]/g, '?').slice(0, 90);

t.test('bodies that must not pass', async (t) => {
  const edge = await makeEdge();
  const headers = { authorization: `Bearer ${await edge.token()}`, 'content-type': 'application/json' };
  const legs = (count: number) => Array.from({ length: count }, (_, n) => ({ symbol: `S${n}`, target: '0.0001' }));
  const bad: [string, string | Buffer][] = [
    ['/v1/orders', ''],
    ['/v1/orders', 'null'],
    ['/v1/orders', '[]'],
    ['/v1/orders', '"order"'],
    ['/v1/orders', `\ufeff${text(order)}`],
    ['/v1/orders', Buffer.concat([Buffer.from(text(order).slice(0, -1)), Buffer.from([0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])])],
    ['/v1/orders', `${text(order)}${text(order)}`],
    ['/v1/orders', text(order).replace('{', '{"__proto__":{"role":"admin"},')],
    ['/v1/orders', text(order).replace('{', '{"\\u005f_proto__":{},')],
    ['/v1/orders', text(order).replace('{', '{"constructor":{"prototype":{}},')],
    ['/v1/orders', text({ ...order, attribution: JSON.parse('{"__proto__":{}}') as unknown })],
    ['/v1/orders', text({ ...order, orderQty: 100 })],
    ['/v1/orders', text(order).replace('"100"', 'NaN')],
    ['/v1/orders', text(order).replace('"100"', '1e999')],
    ['/v1/orders', text({ ...order, attribution: { trader: 'a\u0000b' } })],
    ['/v1/orders', text({ ...order, attribution: { trader: 'a\ud800b' } })],
    ['/v1/orders', text({ ...order, attribution: { trader: 'a\u202eb' } })],
    ['/v1/orders', text({ ...order, attribution: { trader: 'a\u061cb' } })],
    ['/v1/orders', text({ ...order, attribution: { boss: 'x' } })],
    ['/v1/orders', '['.repeat(60_000)],
    ['/v1/targets', text({ ...target, legs: legs(10_000) })],
    ['/v1/targets', text({ ...target, legs: legs(5_001) })],
    ['/v1/targets', text({ ...target, legs: [...legs(2), ...legs(1)] })],
    ['/v1/targets', text({ ...target, legs: [] })],
    ['/v1/targets', text({ ...target, legs: { length: 1 } })],
    ['/v1/targets', text({ ...target, legs: [['SPY', '0.1']] })],
    ['/v1/targets', text({ ...target, asOf: '2026-02-30T00:00:00Z' })],
    ['/v1/targets', text({ ...target, horizonSeconds: '600' })],
    ['/v1/targets', text({ ...target, horizonSeconds: 1.5 })],
  ];
  for (const value of ['0', '-1', '1e3', '01', '+1', '1.', '.5', ' 1', '1\n', '0x10', 'NaN', '1'.repeat(19), `0.${'1'.repeat(19)}`, '９', '']) {
    bad.push(['/v1/orders', text({ ...order, orderQty: value })]);
  }
  for (const [field, value] of Object.entries({
    clOrdId: 'a1', account: 'acc', strategy: 'A', symbol: 'sp y', side: 'BUY', type: 'stop', tif: 'GTC', limitPx: null, expireAt: '2026-11-20T10:00:00Z',
    participation: '0.1', extra: 1,
  })) bad.push(['/v1/orders', text({ ...order, [field]: value })]);
  for (const change of [
    { limitPx: undefined }, { type: 'market' }, { type: 'pov' }, { type: 'pov', participation: '1.1' }, { type: 'pov', participation: '0' }, { tif: 'gtd' },
    { clOrdId: ['A1'] }, { account: ['ACC1'] },
  ]) bad.push(['/v1/orders', text({ ...order, ...change })]);
  for (const [url, payload] of bad) {
    const reply = await edge.app.inject({ method: 'POST', url, headers, payload });
    t.equal(reply.statusCode, 400, escape(`${url} ${payload.toString('utf8')}`));
    t.match(reply.json(), { code: 'INVALID_BODY' });
  }
  t.equal(edge.calls.length, 0);
  t.equal(edge.defects.length, 0);
});

t.test('bodies at the bound pass, a byte beyond does not', async (t) => {
  const edge = await makeEdge();
  const headers = { authorization: `Bearer ${await edge.token()}`, 'content-type': 'application/json; charset=UTF-8' };
  const legs = Array.from({ length: 5_000 }, (_, n) => ({ symbol: `S${n}`, target: '0.0001' }));
  t.equal((await edge.app.inject({ method: 'POST', url: '/v1/targets', headers, payload: text({ ...target, legs }) })).statusCode, 201);
  const padded = (size: number): string => text(order).padEnd(size, ' ');
  t.equal((await edge.app.inject({ method: 'POST', url: '/v1/orders', headers, payload: padded(65_536) })).statusCode, 201);
  t.equal((await edge.app.inject({ method: 'POST', url: '/v1/orders', headers, payload: padded(65_537) })).statusCode, 413);
  t.equal((await edge.app.inject({ method: 'POST', url: '/v1/targets', headers, payload: text(target).padEnd(1_048_577) })).statusCode, 413);
  const withBody = { method: 'DELETE', url: '/v1/orders/A1', headers, payload: '{}' } as const;
  t.equal((await edge.app.inject(withBody)).statusCode, 400, 'a body where none is asked for');
});

t.test('switches: reasons and scopes', async (t) => {
  const edge = await makeEdge();
  const headers = { authorization: `Bearer ${await edge.token({ role: 'risk_officer', sub: 'o', accounts: [] })}` };
  const flip = async (body: object): Promise<number> => (await edge.app.inject({ method: 'POST', url: '/v1/switches', headers, payload: body })).statusCode;
  t.equal(await flip(halt), 201);
  t.equal(await flip({ ...halt, reason: 'é'.repeat(500) }), 201);
  t.equal(await flip({ ...halt, scope: { kind: 'trader', id: 'J. Doe' } }), 201);
  t.equal(await flip({ ...halt, scope: { kind: 'trader', id: 'T'.repeat(128) } }), 201, 'whoever a policy can register');
  for (const reason of ['', '   ', 'x'.repeat(501), 'a\nb', 'a\u2028b', '\ud800', 7, null]) t.equal(await flip({ ...halt, reason }), 400, escape(text(reason)));
  const scopes: Record<string, string> = { firm: 'X', account: '*', strategy: 'ALPHA', constructor: '*', trader: ' ' };
  for (const [kind, id] of Object.entries(scopes)) {
    const scope = { kind, id };
    t.equal(await flip({ ...halt, scope }), 400, text(scope));
  }
  const changes = [{ state: 'active' }, { cancel: 'all' }, { cancel: undefined }, { requestId: '' }, { requestId: 'a b' }];
  for (const change of changes) t.equal(await flip({ ...halt, ...change }), 400);
  for (const body of [{ approve: 'true', reason: 'x' }, { approve: true }, { approve: true, reason: 'x', by: 'me' }]) {
    t.equal((await edge.app.inject({ method: 'POST', url: '/v1/approvals/A1', headers, payload: body })).statusCode, 400);
  }
});

/** Sends raw bytes and gives everything that comes back until the peer ends. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => { received += chunk; }).on('end', () => { resolve(received); }).on('error', reject);
  });
}

t.test('what is no HTTP, or too long, is a problem without an echo', async (t) => {
  const edge = await makeEdge();
  const origin = await edge.listen();
  t.teardown(() => edge.app.close());
  const port = Number(new URL(origin).port);
  const rows: [string, string, RegExp][] = [
    ['garbage', 'EVIL\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['no host', 'GET /evil HTTP/1.1\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a host of another name', 'GET /evil HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 421 /],
    ['two hosts', 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nhOST: evil.example\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a bad URL', 'GET /%evil HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a bad URL of another name', 'GET /%evil HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 421 /],
    ['a bad URL without a token', 'GET /v1/accounts/%evil HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 401 /],
    ['a bad URL with a token', `GET /v1/accounts/%evil HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${await edge.token()}\r\nConnection: close\r\n\r\n`, /^HTTP\/1\.1 400 /],
    ['an expectation', 'GET /v1/limits HTTP/1.1\r\nHost: localhost\r\nExpect: evil\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 401 /],
    ['a socket of another version', 'GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
      + 'Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a socket without a key', 'GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a socket with a query', 'GET /v1/stream?evil=1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
      + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['long headers', `GET / HTTP/1.1\r\nHost: localhost\r\nX-Evil: ${'e'.repeat(17_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['a long line', `GET /${'e'.repeat(17_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, /^HTTP\/1\.1 431 /],
    ['an upgrade of a plain route', 'GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
      + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['an upgrade of an unknown route', 'GET /evil HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n', /^HTTP\/1\.1 404 /],
    ['an upgrade from a page', 'GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
      + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n', /^HTTP\/1\.1 403 /],
    ['two lengths', 'POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', /^HTTP\/1\.1 400 /],
  ];
  for (const [name, bytes, status] of rows) {
    const reply = await raw(port, bytes);
    t.match(reply, status, name);
    t.match(reply, /application\/problem\+json/, name);
    t.match(reply, /x-content-type-options: nosniff/, name);
    t.notMatch(reply, /evil|eeee|x-powered-by|server:/i, name);
  }
});

t.test('a kill answers beside half-open requests and forged tokens, and the house closes beside them', async (t) => {
  const edge = await makeEdge();
  const origin = await edge.listen();
  const { port } = new URL(origin);
  const halfOpen = Array.from({ length: 300 }, () => connect(Number(port), '127.0.0.1').on('error', () => undefined));
  for (const socket of halfOpen) socket.write('POST /v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Le');
  const forged = Array.from({ length: 200 }, () => fetch(`${origin}/v1/orders`, { headers: { authorization: 'Bearer a.b.c' } }).then(({ status }) => status));
  const officer = await edge.token({ role: 'risk_officer', sub: 'o', accounts: [] });
  const kill = await fetch(`${origin}/v1/switches`, {
    method: 'POST', headers: { authorization: `Bearer ${officer}`, 'content-type': 'application/json' }, body: text(halt),
  });
  t.equal(kill.status, 201);
  await kill.body?.cancel();
  await Promise.allSettled(forged);
  await edge.app.close();
  t.equal(edge.defects.length, 0);
});
