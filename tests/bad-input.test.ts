/** Bad input against the real gateway: each gets its code, is recorded where it must be, and harms nobody else. */
import { generateKeyPairSync } from 'node:crypto';
import { connect } from 'node:net';
import { SignJWT } from 'jose';
import t from 'tap';
import { instant, formatInstant, plusMs } from '../risk/domain/time.ts';
import { policyWithTwoAccounts } from './api/walk.ts';
import { portcullis, startGatewayProcess, temporaryFolder, type Reply, type TestGateway } from './doubles/gateway.ts';
import { Client } from './doubles/stream.ts';

const target = (members: object): Record<string, unknown> => ({
  targetId: 'BAD', account: 'ACC1', strategy: 'alpha-1', basis: 'weight', mode: 'clip', scope: 'listed', horizonSeconds: 5, legs: [{ symbol: 'SPY', target: '0.01' }],
  ...members,
});
const order = (members: object): Record<string, unknown> => ({
  clOrdId: 'BAD', account: 'ACC1', strategy: 'alpha-1', symbol: 'BAC', side: 'buy', orderQty: '1', type: 'market', tif: 'day', ...members,
});
const legs = (count: number): object[] => Array.from({ length: count }, (_, i) => ({ symbol: `X${String(i)}`, target: '0.0001' }));
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

type Row = readonly [what: string, code: string, status: number, body: string];
const with_ = (members: object): string => JSON.stringify(target(members));

/** Bodies of POST /v1/targets that have not the form asked for. `asOf` is present where the fault is elsewhere. */
function malformed(asOf: string): Row[] {
  const good = { asOf };
  const text = with_(good);
  const invalid = (what: string, body: string): Row => [what, 'INVALID_BODY', 400, body];
  return [
    invalid('no JSON', '{'), invalid('nothing but space', ' '), invalid('a list', '[]'), invalid('null', 'null'), invalid('deep', nested(30_000)),
    invalid('NaN', text.replace('"0.01"', 'NaN')), invalid('a number for a string', text.replace('"0.01"', '0.01')), invalid('NaN as text', text.replace('0.01', 'NaN')),
    invalid('Infinity as text', text.replace('0.01', 'Infinity')), invalid('an exponent', text.replace('0.01', '1e-2')), invalid('a plus', text.replace('0.01', '+1')),
    invalid('a leading zero', text.replace('0.01', '00.01')), invalid('too many digits', text.replace('0.01', `0.${'1'.repeat(19)}`)),
    invalid('hexadecimal', text.replace('0.01', '0x1')), invalid('a full-width digit', text.replace('0.01', '０')),
    invalid('an unknown field', with_({ ...good, leverage: '9' })), invalid('an unknown field of a leg', with_({ ...good, legs: [{ symbol: 'SPY', target: '0.01', px: '1' }] })),
    invalid('a prototype', text.replace('{', '{"__proto__":{},')), invalid('an escaped prototype', text.replace('{', '{"\\u005f_proto__":{},')),
    invalid('a missing field', JSON.stringify({ ...target(good), account: undefined })), invalid('a symbol twice', with_({ ...good, legs: [{ symbol: 'SPY', target: '0.1' }, { symbol: 'SPY', target: '0.2' }] })),
    invalid('10,000 legs', with_({ ...good, legs: legs(10_000) })), invalid('no leg', with_({ ...good, legs: [] })), invalid('a day that is none', with_({ asOf: '2026-02-30T00:00:00Z' })),
    invalid('a local time', with_({ asOf: '2026-11-20T09:30:00+01:00' })), invalid('NUL', with_({ ...good, targetId: 'A\0' })),
    invalid('a control in free text', with_({ ...good, attribution: { trader: 'A\u0007' } })), invalid('a lone surrogate', text.replace('SPY', '\\ud800')),
    invalid('a list for a string', with_({ ...good, account: ['ACC1'] })), invalid('lower case', with_({ ...good, account: 'acc1' })), invalid('horizon 0', with_({ ...good, horizonSeconds: 0 })),
    invalid('half a second', with_({ ...good, horizonSeconds: 1.5 })), ['over 1 MiB', 'TOO_LARGE', 413, `"${'x'.repeat(1_100_000)}"`],
    ['another’s account', 'FORBIDDEN', 403, with_({ ...good, account: 'ACC2', strategy: 'beta-1' })], ['an account that is not', 'FORBIDDEN', 403, with_({ ...good, account: 'ACC9' })],
  ];
}

/** Targets and orders that have their form, and are denied. */
function deniable(now: string): readonly (readonly [what: string, check: string, path: string, body: object])[] {
  const away = (ms: number): string => formatInstant(plusMs(instant(now), ms));
  return [
    ['unknown symbols', 'UNKNOWN_INSTRUMENT', '/v1/targets', target({ targetId: 'D1', asOf: now, legs: legs(2) })],
    ['an old asOf', 'AS_OF_STALE', '/v1/targets', target({ targetId: 'D2', asOf: away(-120_000) })],
    ['a future asOf', 'AS_OF_STALE', '/v1/targets', target({ targetId: 'D3', asOf: away(60_000) })],
    ['another’s strategy', 'PERMISSION', '/v1/targets', target({ targetId: 'D4', asOf: now, strategy: 'beta-1' })],
    ['no strategy', 'PERMISSION', '/v1/targets', target({ targetId: 'D5', asOf: now, strategy: 'nobody' })],
    ['a slip of the finger', 'FAT_FINGER', '/v1/targets', target({ targetId: 'D6', asOf: now, legs: [{ symbol: 'SPY', target: '25' }] })],
    ['ids like members', 'UNKNOWN_INSTRUMENT', '/v1/targets', target({ targetId: 'constructor', asOf: now, legs: [{ symbol: 'HASOWNPROPERTY', target: '1' }] })],
    ['an order too large', 'MAX_ORDER_NOTIONAL', '/v1/orders', order({ clOrdId: 'D7', orderQty: '100000' })],
    ['an order far larger', 'FAT_FINGER', '/v1/orders', order({ clOrdId: 'D8', orderQty: '100000000' })],
    ['a part of a lot', 'LOT_SIZE', '/v1/orders', order({ clOrdId: 'D9', orderQty: '0.5' })],
    ['a price far away', 'PRICE_COLLAR', '/v1/orders', order({ clOrdId: 'D10', type: 'limit', limitPx: '1.00' })],
  ];
}

const codeOf = ({ body }: Reply): unknown => (body as { code?: unknown }).code;
interface Verdict {
  readonly code: string;
  readonly outcome: string;
}
const denials = ({ body }: Reply): string[] => (body as { verdicts: Verdict[] }).verdicts.filter(({ outcome }) => outcome === 'deny').map(({ code }) => code);

/** Sends bytes as they are, and gives what came back until the other side ended the connection. */
function raw(gateway: TestGateway, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => { answer += text; }).on('close', () => { resolve(answer); }).on('error', reject);
  });
}

t.test('bad input', async (t) => {
  const folder = await temporaryFolder();
  t.teardown(() => folder.remove());
  const settings = { POLICY: await policyWithTwoAccounts(folder.path) };
  const gateway = await startGatewayProcess(folder.path, settings);
  const { call } = gateway;
  const alice = await gateway.token('strategy', { sub: 'alice' });
  const now = async (): Promise<string> => ((await call(null, 'GET', '/health/ready')).body as { now: string }).now;
  let goods = 0;
  /** Whatever happened before: an order of somebody else is served. */
  const goodOrderPasses = async (): Promise<void> => {
    const { status } = await call(alice, 'POST', '/v1/orders', order({ clOrdId: `GOOD${String(++goods)}` }));
    t.equal(status, 201, 'a good order passes meanwhile');
  };

  await t.test('bodies', async (t) => {
    const mallory = await gateway.token('strategy', { sub: 'mallory' });
    for (const [what, code, status, body] of malformed(await now())) {
      const reply = await call(mallory, 'POST', '/v1/targets', body);
      t.same([reply.status, codeOf(reply)], [status, code], what);
    }
    await goodOrderPasses();
    const plain = await fetch(`${gateway.url}/v1/targets`, { method: 'POST', headers: { authorization: `Bearer ${mallory}`, 'content-type': 'text/plain' }, body: '{}' });
    t.equal(plain.status, 415);
    for (const query of ['?dryRun=1', '?dryRun=TRUE', '?dryRun=true&dryRun=true', '?dryrun=true', '?%ff']) {
      t.equal((await call(mallory, 'POST', `/v1/targets${query}`, target({ asOf: await now() }))).status, 400, query);
    }
    t.equal((await call(mallory, 'GET', '/v1/targets/BAD')).status, 404, 'none of it was taken');
  });

  await t.test('tokens', async (t) => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const forged = await new SignJWT({ role: 'strategy', accounts: ['ACC1'] }).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: 'k' })
      .setIssuer('urn:portcullis:local').setAudience('portcullis').setSubject('alice').setIssuedAt().setExpirationTime('1h').sign(privateKey);
    const [head = '', claims = '', signature = ''] = alice.split('.');
    const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${claims}.`;
    const promoted = Buffer.from(Buffer.from(claims, 'base64url').toString().replace('"strategy"', '"risk_officer"')).toString('base64url');
    const ended = await gateway.token('strategy', { sub: 'late', ttlSeconds: 1 });
    const bad = { none, forged, promoted: `${head}.${promoted}.${signature}`, cut: alice.slice(0, -4), garbage: 'x.y.z', long: `${head}.${'A'.repeat(8_000)}.${signature}` };
    for (const [what, token] of Object.entries(bad)) {
      const reply = await call(token, 'GET', '/v1/accounts/ACC1');
      t.same([reply.status, codeOf(reply), reply.headers.get('www-authenticate')], [401, 'UNAUTHENTICATED', 'Bearer'], what);
    }
    t.equal((await call(null, 'GET', `/v1/accounts/ACC1?token=${alice}`)).status, 401, 'never in the URL');
    const officer = await gateway.token('risk_officer', { sub: 'olga' });
    const admin = await gateway.token('admin', { sub: 'adam' });
    const halt = { scope: { kind: 'firm', id: '*' }, state: 'halted', cancel: 'working', reason: 'x' };
    for (const [what, token, path, body] of [
      ['an officer trades', officer, '/v1/orders', order({})], ['an admin trades', admin, '/v1/orders', order({})], ['a strategy halts', alice, '/v1/switches', halt],
      ['an admin halts', admin, '/v1/switches', halt], ['a strategy releases', alice, '/v1/switches/release', { scope: halt.scope, reason: 'x' }],
    ] as const) {
      const reply = await call(token, 'POST', path, body);
      t.same([reply.status, codeOf(reply)], [403, 'FORBIDDEN'], what);
    }
    await goodOrderPasses();
    const late = new Client(gateway.url, { authorization: `Bearer ${ended}` });
    t.ok([4401, 1006].includes((await late.ended).code), 'a socket ends with its token, or is refused with one that has ended');
  });

  await t.test('another account’s data', async (t) => {
    const bob = await gateway.token('strategy', { sub: 'bob', accounts: ['ACC2'] });
    for (const path of ['/v1/accounts/ACC1', '/v1/accounts/ACC1/positions', '/v1/limits?account=ACC1', '/v1/orders?account=ACC1', '/v1/orders/GOOD1?account=ACC1', '/v1/accounts/NOPE']) {
      const reply = await call(bob, 'GET', path);
      t.same([reply.status, codeOf(reply)], [403, 'FORBIDDEN'], path);
    }
    const [his, nobodys] = await Promise.all([call(bob, 'GET', '/v1/orders/GOOD1'), call(bob, 'GET', '/v1/orders/NEVER')]);
    t.same([his.status, his.body], [404, nobodys.body], 'another’s id is as unknown as one that is not there');
    t.equal((await call(bob, 'DELETE', '/v1/orders/GOOD1')).status, 404);
    t.equal((await call(bob, 'GET', '/v1/audit/records')).status, 403);
  });

  await t.test('what is denied', async (t) => {
    const asked = await now();
    for (const [what, check, path, body] of deniable(asked)) {
      const reply = await call(alice, 'POST', path, body);
      t.same([reply.status, codeOf(reply)], [422, 'DENIED'], what);
      t.ok(denials(reply).includes(check), `${what}: ${denials(reply).join(', ')}`);
      const again = await call(alice, 'POST', path, body);
      t.same([again.status, again.body], [422, reply.body], 'and again the same');
    }
    const reused = await call(alice, 'POST', '/v1/targets', target({ targetId: 'D1', asOf: asked }));
    t.same([reused.status, codeOf(reused)], [409, 'CONFLICT']);
  });

  await t.test('twenty copies at once are one', async (t) => {
    const copy = target({ targetId: 'COPY', asOf: await now() });
    const replies = await Promise.all(Array.from({ length: 20 }, () => call(alice, 'POST', '/v1/targets', copy)));
    t.same(replies.map(({ status }) => status).sort(), [...Array.from({ length: 19 }, () => 200), 201]);
    t.equal(new Set(replies.map(({ body }) => JSON.stringify(body))).size, 1, 'one answer');
    const decided = (await gateway.records('target.decided')).filter(({ body }) => (body as { targetId: string }).targetId === 'COPY');
    t.equal(decided.length, 1, 'one decision');
  });

  await t.test('sockets', async (t) => {
    const codes = { text: 4408, binary: 1003, huge: 4408 };
    const sent = { text: 'hello', binary: Buffer.from([0, 1, 2]), huge: 'x'.repeat(20_000) };
    for (const what of ['text', 'binary', 'huge'] as const) {
      const client = await new Client(gateway.url).open();
      client.socket.send(sent[what]);
      t.equal((await client.ended).code, codes[what], what);
    }
    const client = await gateway.socket(alice);
    for (const message of ['{', '[]', '{"op":"fly"}', '{"id":{},"op":"subscribe"}', '{"op":"subscribe","channels":[],"after":null}', '{"op":"subscribe","channels":["decisions"],"after":-2}']) {
      client.send(message);
      t.match(await client.next(({ status }) => status !== undefined), { status: 400, body: { code: 'INVALID_BODY' } }, message);
    }
    t.match(await client.ask({ id: 7, op: 'order.submit', body: { ...order({}), extra: 1 } }), { status: 400 });
    client.socket.send('x'.repeat(2 ** 20 + 1));
    t.equal((await client.ended).code, 1009, 'a message over 1 MiB');
    // Who never reads: paused, with the whole log asked for again and again.
    const deaf = await gateway.socket(alice);
    deaf.socket.pause();
    for (let i = 0; i < 200; i++) deaf.send({ op: 'subscribe', channels: ['decisions', 'orders', 'fills', 'switches', 'alerts'], after: -1 });
    await goodOrderPasses();
    deaf.socket.terminate();
    t.match(await raw(gateway, 'NOT HTTP\r\n\r\n'), /^HTTP\/1\.1 400 /);
    t.match(await raw(gateway, `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
    t.match(await raw(gateway, 'GET /health/ready HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 421 /);
    await goodOrderPasses();
  });

  await t.test('what is recorded of it, and that the log verifies', async (t) => {
    const denied = (await gateway.records('access.denied')).map(({ actor, body }) => `${actor.id} ${(body as { code: string }).code}`);
    t.same(new Set(denied), new Set(['mallory FORBIDDEN', 'olga FORBIDDEN', 'adam FORBIDDEN', 'alice FORBIDDEN', 'bob FORBIDDEN']), 'each 403, by name');
    const refusals = [...(await gateway.records('target.decided')), ...(await gateway.records('order.decided'))].filter(({ body }) => (body as { decision: string }).decision === 'denied');
    t.equal(refusals.length, deniable(await now()).length, 'each denial, once');
    t.same(await gateway.records('access.counted'), [], 'all else is counted by the minute');
    t.equal(await gateway.stop(), 0);

    const next = await startGatewayProcess(folder.path, settings);
    const [counted] = (await next.records('access.counted')).map(({ body }) => body as { counts: Record<string, number>; source: string });
    t.equal(counted?.source, '127.0.0.1');
    t.ok(['INVALID_BODY', 'UNAUTHENTICATED', 'TOO_LARGE', 'UNSUPPORTED_MEDIA'].every((code) => (counted?.counts[code] ?? 0) > 0), JSON.stringify(counted?.counts));
    t.notOk(counted?.counts['DENIED'], 'what has a record of its own is not counted');
    t.equal((await next.records('order.decided')).filter(({ body }) => (body as { decision: string }).decision === 'accepted').length, goods, 'and every good order is there');
    const copied = await next.call(alice, 'POST', '/v1/orders', order({ clOrdId: 'GOOD1' }));
    t.equal(copied.status, 200, 'ids are remembered after a restart');
    const key = (await portcullis(folder.path, ['log', 'key'])).stdout.trim();
    const verified = await portcullis(folder.path, ['verify', '--url', next.url, '--key', key], { PORTCULLIS_TOKEN: await next.token('regulator') });
    t.match(verified, { code: 0, stdout: /\nverified\n$/ });
    t.same([...gateway.lines, ...next.lines].filter((line) => line.includes('defect')), []);
    t.equal(await next.stop(), 0);
  });
});
