/** Rows /v1/audit, /v1/stream, health, metrics and the OpenAPI document of API.md. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { leafHash } from '../../compliance/canonical.ts';
import { openCheckpoint } from '../../compliance/checkpoint.ts';
import { verifyConsistency, verifyInclusion } from '../../compliance/merkle.ts';
import { parseVerifierKey } from '../../compliance/note.ts';
import { jsonSchemaOf } from '../doubles/contract.ts';
import { portcullis } from '../doubles/gateway.ts';
import type { Client, Message } from '../doubles/stream.ts';
import { ended, names, orderOf, recordIn, startWalk, targetOf, type Body, type Walk } from './walk.ts';

/** The routes of API.md that stand. */
const ROUTES = [
  'GET /health/live', 'GET /health/ready', 'GET /metrics', 'GET /openapi.json', 'GET /v1/accounts/{account}', 'GET /v1/accounts/{account}/positions',
  'GET /v1/approvals', 'GET /v1/audit/checkpoint', 'GET /v1/audit/key', 'GET /v1/audit/proof/consistency', 'GET /v1/audit/proof/inclusion',
  'GET /v1/audit/records', 'GET /v1/instruments', 'GET /v1/limits', 'GET /v1/orders', 'POST /v1/orders', 'GET /v1/orders/{clOrdId}',
  'PATCH /v1/orders/{clOrdId}', 'DELETE /v1/orders/{clOrdId}', 'GET /v1/stream', 'GET /v1/switches', 'POST /v1/switches', 'POST /v1/switches/release',
  'POST /v1/approvals/{approvalId}', 'GET /v1/targets', 'POST /v1/targets', 'GET /v1/targets/{targetId}', 'DELETE /v1/targets/{targetId}',
];

async function page(walk: Walk, query: string): Promise<Body> {
  const { status, body } = await walk.as('rita', 'GET', `/v1/audit/records?${query}`);
  if (status !== 200) throw new Error(`records?${query}: ${String(status)}`);
  return body;
}
const seqOf = (item: Body): number => (JSON.parse(item.canonical) as { seq: number }).seq;

/** A checkpoint that covers at least so many records; one is published each second in which records came. */
async function checkpointOf(walk: Walk, size: number, socket: Client): Promise<{ size: number; root: Buffer; log: string }> {
  const key = parseVerifierKey((await walk.text('rita', '/v1/audit/key')).trim())!;
  for (;;) {
    const checkpoint = openCheckpoint(await walk.text('rita', '/v1/audit/checkpoint'), key);
    if (checkpoint !== null && checkpoint.size >= size) return checkpoint;
    await socket.next(({ kind }) => kind === 'beat');
  }
}

t.test('evidence', async (t) => {
  const walk = await startWalk(t);
  const { as, gateway } = walk;
  const socket = await walk.hears('alice', 'orders');
  const trade = async (clOrdId: string): Promise<void> => {
    const { status, body } = await as('alice', 'POST', '/v1/orders', orderOf({ clOrdId, symbol: 'BAC' }));
    t.equal(status, 201);
    await ended(socket, body.parent);
  };
  await trade('E1');
  await trade('E2');

  await t.test('records, page by page, as they were hashed', async (t) => {
    const items: Body[] = [];
    for (let after: number | null = -1; after !== null;) {
      const { items: some, next } = await page(walk, `after=${String(after)}&limit=4`);
      if (next !== null) t.equal(next, seqOf(some.at(-1)!), 'next is the last seq given');
      items.push(...some);
      after = next;
    }
    t.same(items.map(seqOf), items.map((_, seq) => seq), 'no gap');
    for (const item of items) t.same([names(item), leafHash(item.canonical)], [['canonical', 'hash'], item.hash]);
    t.equal((await page(walk, 'limit=1000')).next, null, 'null at the head');
    t.equal((await page(walk, `after=${String(items.length + 100)}`)).items.length, 0);
    const kinds = async (query: string): Promise<string[]> => (await page(walk, query)).items.map(({ canonical }) => (JSON.parse(canonical) as { kind: string }).kind);
    t.same(new Set(await kinds('kind=order.filled&limit=1000')), new Set(['order.filled']));
    t.ok((await kinds('clOrdId=E1')).includes('order.decided'));
    t.same((await kinds('account=ACC2')), ['strategy.registered', 'account.funded']);
    for (const query of ['limit=0', 'limit=1001', 'after=-2', 'kind=x', 'clOrdId=e1', 'what=1']) t.equal((await as('rita', 'GET', `/v1/audit/records?${query}`)).status, 400, query);
    for (const person of ['alice', 'adam'] as const) t.equal((await as(person, 'GET', '/v1/audit/records')).status, 403, person);
  });

  await t.test('proofs, by the reader’s own tree', async (t) => {
    const old = await checkpointOf(walk, 1, socket);
    await trade('E3');
    const young = await checkpointOf(walk, old.size + 1, socket);
    t.equal(young.log, (await as('alice', 'GET', '/v1/orders/E1')).body.receipt.log, 'the origin is that of the receipts');
    const { receipt } = (await as('alice', 'GET', '/v1/orders/E1')).body;
    const hashes = (body: Body): Buffer[] => body.hashes.map((hash) => Buffer.from(hash, 'base64'));
    const inclusion = (await as('rita', 'GET', `/v1/audit/proof/inclusion?seq=${String(receipt.seq)}&size=${String(young.size)}`)).body;
    t.match(inclusion, { seq: receipt.seq, size: young.size });
    t.ok(verifyInclusion(receipt.seq, young.size, Buffer.from(receipt.hash, 'hex'), hashes(inclusion), young.root), 'the receipt is in the tree');
    const consistency = (await as('rita', 'GET', `/v1/audit/proof/consistency?from=${String(old.size)}&to=${String(young.size)}`)).body;
    t.same(names(consistency), ['from', 'hashes', 'to']);
    t.ok(verifyConsistency(old.size, young.size, old.root, young.root, hashes(consistency)), 'the tree only grew');
    for (const path of ['inclusion?seq=9&size=9', 'inclusion?seq=1&size=1000000', 'inclusion?seq=1', 'consistency?from=0&to=5', 'consistency?from=9&to=5']) {
      t.match(await as('rita', 'GET', `/v1/audit/proof/${path}`), { status: 400, body: { code: 'INVALID_BODY' } }, path);
    }
  });

  await t.test('a stranger verifies, and finds one changed letter', async (t) => {
    const PORTCULLIS_TOKEN = await walk.token('rita');
    const key = (await portcullis(gateway.dataDir, ['log', 'key'])).stdout.trim();
    t.equal((await walk.text('rita', '/v1/audit/key')).trim(), key);
    t.match(await portcullis(gateway.dataDir, ['verify', '--url', gateway.url, '--key', key], { PORTCULLIS_TOKEN }), { code: 0, stdout: /verified\n$/ });
    const narrow = await gateway.token('compliance', { sub: 'nora', accounts: ['ACC2'] });
    const partial = await portcullis(gateway.dataDir, ['verify', '--url', gateway.url], { PORTCULLIS_TOKEN: narrow });
    t.match(partial, { code: 1, stdout: /GAP: .*; a token that names accounts is shown their records alone: take one that names none\n$/ });
    const lines = (await page(walk, 'limit=1000')).items.map(({ canonical }) => canonical);
    const file = join(gateway.dataDir, 'copy.jsonl');
    await writeFile(file, lines.join('\n'));
    t.match(await portcullis(gateway.dataDir, ['verify', file]), { code: 0, stdout: /verified\n$/ });
    await writeFile(file, lines.map((line, seq) => (seq === 5 ? line.replace('ACC1', 'ACC3') : line)).join('\n'));
    t.match(await portcullis(gateway.dataDir, ['verify', file]), { code: 1, stdout: /broken at seq [56]/ });
  });

  await t.test('the stream: in order, each once, resumable, one’s own', async (t) => {
    const wanted = (await gateway.records()).filter(({ kind }) => /^(target|leg|order|slice)\./.test(kind)).map(({ seq }) => seq);
    const collect = async (after: number, until: number): Promise<Message[]> => {
      const client = await walk.socket('alice');
      await client.ask({ id: 1, op: 'subscribe', channels: ['decisions', 'orders'], after });
      const events: Message[] = [];
      do events.push(await client.next(({ seq }) => typeof seq === 'number')); while (events.at(-1)!['seq'] !== until);
      client.socket.close();
      return events;
    };
    const all = await collect(-1, wanted.at(-1)!);
    t.same(all.map(({ seq }) => seq), wanted);
    for (const event of all) t.match(event, { seq: recordIn(event).seq, kind: recordIn(event).kind });
    t.same(await collect(wanted[3]!, wanted.at(-1)!), all.slice(4), 'from where one stopped');

    const bobs = await walk.hears('bob', 'decisions', 'orders', 'fills');
    await trade('E4');
    t.equal((await as('bob', 'POST', '/v1/orders', orderOf({ clOrdId: 'B1', account: 'ACC2', strategy: 'beta-1' }))).status, 201);
    const first = await bobs.next(({ seq }) => typeof seq === 'number');
    t.match(recordIn(first), { kind: 'order.decided', body: { account: 'ACC2' } }, 'nothing of another account came before');
  });

  await t.test('summary and beat, for screens', async (t) => {
    const screen = await walk.socket('olga');
    t.match(await screen.ask({ id: 's', op: 'subscribe', channels: ['summary'], after: null }), { id: 's', status: 200 });
    t.match(await screen.next(({ kind }) => kind === 'summary'), { summary: { accounts: [{ account: 'ACC1' }, { account: 'ACC2' }] } });
    t.match(await screen.next(({ kind }) => kind === 'beat'), { head: Number, marketAgeMs: Number, logLag: Number });
    const alice = await walk.socket('alice');
    await alice.ask({ id: 's', op: 'subscribe', channels: ['summary'], after: null });
    const { summary } = (await alice.next(({ kind }) => kind === 'summary')) as { summary?: { accounts: { account: string }[] } };
    t.same(summary?.accounts.map(({ account }) => account), ['ACC1']);
  });

  await t.test('commands over the socket', async (t) => {
    const client = await walk.socket('both');
    const ask = (op: string, body: unknown): Promise<Message> => client.ask({ id: op, op, body });
    const target = targetOf({ targetId: 'WS-1', asOf: await walk.now(), legs: [{ symbol: 'SPY', target: '0.01' }] });
    t.match(await ask('target.submit', target), { id: 'target.submit', status: 201, body: { decision: 'accepted' } });
    t.match(await ask('order.submit', orderOf({ clOrdId: 'WS1', type: 'limit', limitPx: '176.00' })), { status: 201 });
    await socket.next((message) => message['kind'] === 'order.acknowledged' && recordIn(message).body.symbol === 'IBM');
    t.match(await ask('order.amend', { clOrdId: 'WS1', account: 'ACC1', orderQty: '11' }), { status: 200, body: { orderQty: '11' } });
    t.match(await ask('order.cancel', { clOrdId: 'WS1', account: 'ACC1' }), { status: 202 });
    t.match(await ask('switch.flip', { scope: { kind: 'firm', id: '*' }, state: 'halted', cancel: 'none', reason: 'x' }), { status: 403, body: { code: 'FORBIDDEN' } });
    t.match(await client.ask({ id: 'x', op: 'order.fly', body: {} }), { status: 400, body: { code: 'INVALID_BODY' } });
    const officer = await walk.socket('olga');
    const halt = { id: 1, op: 'switch.flip', body: { scope: { kind: 'venue', id: 'PAPER' }, state: 'halted', cancel: 'working', reason: 'by socket' } };
    t.match(await officer.ask(halt), { status: 201, body: { receipt: { seq: Number }, cancels: { requested: Number } } });
  });

  await t.test('health, metrics, the document', async (t) => {
    t.same((await as(null, 'GET', '/health/live')).body, { live: true });
    const ready = (await as(null, 'GET', '/health/ready')).body;
    t.same(names(ready), ['head', 'now', 'ready']);
    t.match(ready, { now: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/ });
    const metrics = await walk.text(null, '/metrics');
    for (const name of ['portcullis_records_total', 'portcullis_log_size', 'portcullis_ready', 'portcullis_refusals_total']) t.ok(metrics.includes(name), name);
    t.notMatch(metrics, /ACC1|alpha-|alice|E1\b/, 'no label names anybody');
    const { document } = walk.contract;
    const routes = Object.entries(document.paths).flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`));
    t.same(ROUTES.filter((route) => !routes.includes(route)), [], 'every route stands in it');
    let count = 0;
    for (const [place, schema] of walk.contract.schemas()) {
      t.doesNotThrow(() => { Compile(jsonSchemaOf(schema) as TSchema); }, place);
      count++;
    }
    t.ok(count > 60, `${String(count)} schemas`);
    t.match(await as('alice', 'GET', '/openapi.json'), { status: 200 });
    t.match(await gateway.call(await walk.token('alice'), 'GET', '/v1/nothing'), { status: 404, body: { code: 'NOT_FOUND' } });
    t.match(await gateway.call(null, 'GET', '/v1/nothing'), { status: 401 });
  });
});
