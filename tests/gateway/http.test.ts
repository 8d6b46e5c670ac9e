import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { LogUnreadable } from '../../compliance/journal.ts';
import { EDGE, EDGE_CODES, problemOf } from '../../gateway/http/errors.ts';
import { ROUTES } from '../../gateway/http/routes.ts';
import type { Answer } from '../../gateway/http/service.ts';
import { ROLES } from '../../gateway/auth/principal.ts';
import { halt, makeEdge, order, target } from './edge.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

t.test('codes by precedence: each row repairs one defect of the row before', async (t) => {
  const edge = await makeEdge();
  const good = await edge.token();
  const officer = await edge.token({ sub: 'officer', role: 'risk_officer', accounts: [] });
  const stranger = await edge.token({ sub: 'other', accounts: ['ACC2'] });
  const long = 'x'.repeat(70_000);
  const rows: [string, number, Record<string, string>, string, string?][] = [
    ['MISDIRECTED', 421, { host: 'evil.example', origin: 'http://evil.example', 'content-type': 'text/plain' }, long],
    ['UNAUTHENTICATED', 401, { host: 'localhost', origin: 'http://evil.example', 'content-type': 'text/plain' }, long],
    ['FORBIDDEN', 403, { authorization: `Bearer ${officer}`, origin: 'http://evil.example', 'content-type': 'text/plain' }, long],
    ['TOO_LARGE', 413, { authorization: `Bearer ${officer}`, 'content-type': 'text/plain' }, long],
    ['UNSUPPORTED_MEDIA', 415, { authorization: `Bearer ${officer}`, 'content-type': 'text/plain' }, '{'],
    ['UNSUPPORTED_MEDIA', 415, { authorization: `Bearer ${officer}`, ...JSON_TYPE, 'content-encoding': 'gzip' }, '{'],
    ['INVALID_BODY', 400, { authorization: `Bearer ${officer}`, ...JSON_TYPE }, '{'],
    ['INVALID_BODY', 400, { authorization: `Bearer ${officer}`, ...JSON_TYPE }, '{}'],
    ['INVALID_BODY', 400, { authorization: `Bearer ${officer}`, ...JSON_TYPE }, JSON.stringify(order), '?dryRun=true'],
    ['FORBIDDEN', 403, { authorization: `Bearer ${officer}`, ...JSON_TYPE }, JSON.stringify(order)],
    ['FORBIDDEN', 403, { authorization: `Bearer ${stranger}`, ...JSON_TYPE }, JSON.stringify(order)],
  ];
  for (const [code, status, headers, payload, query = ''] of rows) {
    const reply = await edge.app.inject({ method: 'POST', url: `/v1/orders${query}`, headers, payload });
    t.equal(reply.statusCode, status, code);
    t.match(reply.json(), { code, status, title: EDGE[code as keyof typeof EDGE].title });
    t.equal(reply.headers['content-type'], 'application/problem+json; charset=utf-8');
    t.equal(reply.headers['x-content-type-options'], 'nosniff');
    t.equal(reply.headers['cache-control'], 'no-store');
    t.notMatch(reply.body, /evil|xxx/, 'nothing of the request is repeated');
  }
  t.equal(edge.calls.length, 0, 'no look-up before the last row');
  const reply = await edge.app.inject({ method: 'POST', url: '/v1/orders', headers: { authorization: `Bearer ${good}`, ...JSON_TYPE }, payload: order });
  t.equal(reply.statusCode, 201);
  t.same(edge.calls[0]?.args[1], order);
  t.equal(edge.refusals.length, rows.length, 'each refusal is told once');
  t.same(edge.refusals.filter((event) => event.kind === 'denied').map((event) => event.principal?.sub), ['officer', 'officer', 'other']);
});

t.test('the role table is total: every other role is refused before any look-up', async (t) => {
  const edge = await makeEdge();
  const bodies: Record<string, unknown> = {
    submitTarget: target, submitOrder: order, amendOrder: { orderQty: '5' }, flipSwitch: halt,
    requestRelease: { scope: halt.scope, reason: 'over' }, decideApproval: { approve: true, reason: 'checked' },
  };
  const queries: Record<string, string> = { inclusionProof: '?seq=1&size=2', consistencyProof: '?from=1&to=2' };
  for (const [name, route] of Object.entries(ROUTES)) {
    const url = route.url.replace(':account', 'ACC1').replace(/:\w+/, 'A1') + (queries[name] ?? '');
    for (const role of ROLES) {
      const token = await edge.token({ role, sub: `s-${role}` });
      const payload = bodies[name] === undefined ? {} : { payload: bodies[name] as object };
      const reply = await edge.app.inject({ method: route.method, url, headers: { authorization: `Bearer ${token}` }, ...payload });
      const allowed = route.roles.includes(role);
      t.equal(reply.statusCode < 300, allowed, `${role} ${route.method} ${url}: ${reply.statusCode}`);
      t.equal(edge.calls.length, allowed ? 1 : 0);
      if (!allowed) t.match(reply.json(), { code: 'FORBIDDEN' });
      edge.calls.length = 0;
    }
  }
  t.notOk(ROUTES.submitOrder.roles.includes('admin'));
});

t.test('an account outside the token is 403 wherever it is named', async (t) => {
  const edge = await makeEdge();
  const strategy = { authorization: `Bearer ${await edge.token()}` };
  const narrowed = { authorization: `Bearer ${await edge.token({ role: 'risk_officer', sub: 'o1' })}` };
  const wide = { authorization: `Bearer ${await edge.token({ role: 'risk_officer', sub: 'o2', accounts: [] })}` };
  for (const url of ['/v1/accounts/ACC2', '/v1/accounts/ACC2/positions', '/v1/limits?account=ACC2', '/v1/orders/A1?account=ACC2']) {
    for (const headers of [strategy, narrowed]) t.equal((await edge.app.inject({ url, headers })).statusCode, 403, url);
    t.equal((await edge.app.inject({ url, headers: wide })).statusCode, 200, url);
  }
  const payload = { ...target, account: 'ACC2' };
  t.equal((await edge.app.inject({ method: 'POST', url: '/v1/targets', headers: strategy, payload })).statusCode, 403);
});

t.test('queries: unknown, repeated and loose values are 400', async (t) => {
  const edge = await makeEdge();
  const headers = { authorization: `Bearer ${await edge.token()}` };
  for (const query of ['dryRun=1', 'dryRun=TRUE', 'dryRun=true&dryRun=true', 'dryRun', 'dryrun=true', '__proto__=1', 'dryRun=%E0%A4%A', 'dryRun=true&']) {
    const reply = await edge.app.inject({ method: 'POST', url: `/v1/targets?${query}`, headers, payload: target });
    t.equal(reply.statusCode, 400, query);
    t.notMatch(reply.body, /__proto__/);
  }
  t.equal(edge.calls.length, 0);
  t.equal((await edge.app.inject({ method: 'POST', url: '/v1/targets?dryRun=true', headers, payload: target })).statusCode, 201);
  t.same(edge.calls[0]?.args[2], { dryRun: true });
  const auditor = { authorization: `Bearer ${await edge.token({ role: 'regulator', accounts: [] })}` };
  const bad = ['limit=0', 'limit=1001', 'after=-2', 'after=1.5', 'after=1e3', 'limit=', 'limit=%2B5', 'limit=010', 'kind=order', 'account=acc1', 'clOrdId=a'];
  for (const query of bad) {
    t.equal((await edge.app.inject({ url: `/v1/audit/records?${query}`, headers: auditor })).statusCode, 400, query);
  }
  t.equal((await edge.app.inject({ url: '/v1/audit/proof/inclusion?seq=1', headers: auditor })).statusCode, 400);
  t.equal((await edge.app.inject({ url: '/v1/audit/records?after=-1&limit=1000&kind=order.decided', headers: auditor })).statusCode, 200);
  t.match(edge.calls.at(-1)?.args[1], { after: -1, limit: 1000, kind: 'order.decided' });
  await edge.app.inject({ url: '/v1/audit/records', headers: auditor });
  t.match(edge.calls.at(-1)?.args[1], { after: -1, limit: 100 });
});

t.test('answers: problems, text, readiness, what is not here', async (t) => {
  const edge = await makeEdge();
  const auditor = { authorization: `Bearer ${await edge.token({ role: 'regulator', accounts: [] })}` };
  edge.answers.set('auditKey', () => Promise.resolve({ status: 200, body: 'portcullis/x+1+k\n' }));
  const key = await edge.app.inject({ url: '/v1/audit/key', headers: auditor });
  t.match(key.headers['content-type'], 'text/plain');
  t.equal(key.body, 'portcullis/x+1+k\n');
  edge.answers.set('auditCheckpoint', () => Promise.reject(new Error('secret at /srv/db')));
  const defect = await edge.app.inject({ url: '/v1/audit/checkpoint', headers: auditor });
  t.equal(defect.statusCode, 500);
  t.notMatch(defect.body, /secret|srv/);
  t.equal(edge.defects.length, 1);
  t.equal((await edge.app.inject('/v1/nothing')).statusCode, 401);
  t.equal((await edge.app.inject('/v1/audit/key')).headers['www-authenticate'], 'Bearer');
  t.match((await edge.app.inject({ url: '/v1/nothing', headers: auditor })).json(), { code: 'NOT_FOUND' });
  for (const url of ['/', '/docs', '/alpaca/v2/orders', '/favicon.ico']) t.match((await edge.app.inject(url)).json(), { status: 404, code: 'NOT_FOUND' });
  t.match((await edge.app.inject({ method: 'PUT', url: '/v1/orders', headers: auditor })).json(), { status: 404 });
  t.match((await edge.app.inject('/health/ready')).json(), { ready: true, head: 7 });
  t.equal((await edge.app.inject('/health/live')).statusCode, 200);
  t.equal((await edge.app.inject('/health/live?x=1')).statusCode, 400);
  t.match((await edge.app.inject('/metrics')).headers['content-type'], 'text/plain');
  t.equal((await edge.app.inject({ url: '/health/live', headers: { origin: 'null' } })).statusCode, 403);
  t.equal((await edge.app.inject({ url: '/health/live', headers: { host: 'localhost:8080', origin: 'http://localhost:8080' } })).statusCode, 200);
  t.match((await edge.app.inject('/%')).json(), { status: 400, code: 'INVALID_BODY' });
  const tooLong = await edge.app.inject({ url: `/v1/orders/${'A'.repeat(200)}`, headers: auditor });
  t.equal(tooLong.headers['content-type'], 'application/problem+json; charset=utf-8');
  t.notMatch(tooLong.body, /AAAA/);
});

t.test('the OpenAPI document holds every route with its body', async (t) => {
  const edge = await makeEdge();
  const document = (await edge.app.inject('/openapi.json')).json<{ paths: Record<string, Record<string, { requestBody?: unknown }>> }>();
  for (const route of Object.values(ROUTES)) {
    const operation = document.paths[route.url.replace(/:(\w+)/g, '{$1}')]?.[route.method.toLowerCase()];
    t.ok(operation, `${route.method} ${route.url}`);
    t.equal(operation?.requestBody !== undefined, route.body !== undefined);
  }
});

t.test('rates: failed tokens by address, 403s by person; kills are exempt', async (t) => {
  const edge = await makeEdge();
  const good = { authorization: `Bearer ${await edge.token()}` };
  t.equal((await edge.app.inject({ url: '/v1/orders', headers: good })).statusCode, 200);
  const forged = { authorization: 'Bearer a.b.c' };
  const statuses = [];
  for (let n = 0; n < 130; n++) statuses.push((await edge.app.inject({ url: '/v1/orders', headers: forged })).statusCode);
  t.equal(statuses.filter((status) => status === 401).length, 100);
  t.equal(statuses.at(-1), 429);
  t.equal((await edge.app.inject({ url: '/v1/orders', headers: good })).statusCode, 200, 'a remembered good token from there still passes');
  const officer = { authorization: `Bearer ${await edge.token({ role: 'risk_officer', sub: 'o' })}` };
  t.equal((await edge.app.inject({ url: '/v1/switches', headers: officer })).statusCode, 429, 'an unknown one does not');
  t.equal((await edge.app.inject({ method: 'POST', url: '/v1/switches', headers: officer, payload: halt })).statusCode, 201, 'but its kill does');
  edge.time.nowMs += 1000;
  t.equal((await edge.app.inject({ url: '/v1/switches', headers: forged })).statusCode, 401, 'the bucket refills');

  for (let n = 0; n < 600; n++) await edge.app.inject({ url: '/v1/approvals', headers: good });
  t.equal(edge.refusals.filter((event) => event.kind === 'denied').length, 600);
  t.equal((await edge.app.inject({ url: '/v1/orders', headers: good })).statusCode, 429);
  t.equal((await edge.app.inject({ method: 'DELETE', url: '/v1/orders/A1', headers: good })).statusCode < 300, true, 'a cancel always passes');
  t.equal((await edge.app.inject({ url: '/v1/switches', headers: officer })).statusCode, 200, 'another person is not touched');
});

t.test('room: past the bound 503 with Retry-After, kills and cancels pass', async (t) => {
  const edge = await makeEdge();
  const good = { authorization: `Bearer ${await edge.token()}` };
  const held: (() => void)[] = [];
  edge.answers.set('getOrder', () => new Promise((resolve) => held.push(() => { resolve({ status: 200, body: {} }); })));
  const waiting = Array.from({ length: 4096 }, () => edge.app.inject({ url: '/v1/orders/A1', headers: good }));
  while (held.length < 4096) await new Promise(setImmediate);
  const refused = await edge.app.inject({ url: '/v1/orders', headers: good });
  t.equal(refused.statusCode, 503);
  t.match(refused.json(), { code: 'OVERLOADED' });
  t.equal(refused.headers['retry-after'], '1');
  t.ok((await edge.app.inject({ method: 'DELETE', url: '/v1/orders/A1', headers: good })).statusCode < 300);
  for (const release of held) release();
  for (const reply of await Promise.all(waiting)) if (reply.statusCode !== 200) t.fail('a held request was lost');
  t.equal((await edge.app.inject({ url: '/v1/orders', headers: good })).statusCode, 200);
});

t.test('a turn: a kill that is read after orders goes before them, and all others keep their order', async (t) => {
  const edge = await makeEdge();
  const strategy = { authorization: `Bearer ${await edge.token()}` };
  const risk = { authorization: `Bearer ${await edge.token({ sub: 'officer', role: 'risk_officer', accounts: [] })}` };
  await edge.app.inject({ method: 'GET', url: '/v1/switches', headers: risk }); // a token is checked once, and not in the turn of its request
  let answer: (given: Answer) => void = () => undefined;
  edge.answers.set('submitOrder', ([, body]) => ((body as { clOrdId: string }).clOrdId === 'A1'
    ? new Promise((resolve) => { answer = resolve; })
    : Promise.resolve().then(() => { edge.calls.push({ name: 'getOrder', args: [] }); }).then(() => ({ status: 201, body: {} }))));
  const post = (clOrdId: string) => edge.app.inject({ method: 'POST', url: '/v1/orders', headers: strategy, payload: { ...order, clOrdId } });
  const first = post('A1');
  while (edge.calls.length < 2) await nextTurn();
  await Promise.all([
    post('A2'), edge.app.inject({ method: 'PATCH', url: '/v1/orders/A2', headers: strategy, payload: { orderQty: '5' } }), post('A3'),
    edge.app.inject({ method: 'POST', url: '/v1/switches', headers: risk, payload: halt }),
  ]);
  answer({ status: 201, body: {} });
  t.equal((await first).statusCode, 201);
  const done = edge.calls.map(({ name, args }) => (name === 'submitOrder' ? (args[1] as { clOrdId: string }).clOrdId : name));
  t.same(done, ['getSwitches', 'A1', 'flipSwitch', 'A2', 'getOrder', 'amendOrder', 'A3', 'getOrder'], 'each with what follows from it');
});

t.test('the bound of 403s holds for requests that come together', async (t) => {
  const edge = await makeEdge();
  const good = { authorization: `Bearer ${await edge.token()}` };
  let answer: (given: Answer) => void = () => undefined;
  edge.answers.set('getOrder', () => new Promise((resolve) => { answer = resolve; }));
  const held = edge.app.inject({ url: '/v1/orders/A1', headers: good });
  while (edge.calls.length < 1) await nextTurn();
  await Promise.all(Array.from({ length: 1_000 }, () => edge.app.inject({ method: 'POST', url: '/v1/orders', headers: good, payload: { ...order, account: 'ACC2' } })));
  t.equal(edge.refusals.filter((event) => event.kind === 'denied').length, 600);
  answer({ status: 200, body: {} });
  t.equal((await held).statusCode, 200);
});

t.test('every code has its status', (t) => {
  t.equal(EDGE_CODES.length, Object.keys(EDGE).length);
  for (const code of EDGE_CODES) t.ok(EDGE[code].status >= 400);
  t.match(problemOf(new LogUnreadable('a name that nobody is told')), { status: 503, body: { code: 'NOT_READY', detail: 'The log cannot be read now' } });
  t.end();
});
