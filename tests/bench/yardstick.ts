/**
 * The yardstick: what any gateway with a durable log must do at least. Bare Fastify → schema → cached token → one trivial check →
 * hash chain → group-committed insert → reply. No books, no decisions, no venue, no recovery. Its insert is one statement of lines; that the
 * product's COPY costs less for a row is the product's gain, and stands in the ratio.
 *
 *   /v1/orders   as many records of the same sizes as the product writes an order
 *   /v1/one      the first of them only
 *   /v1/none     no store: what the load generator and HTTP can do
 */
import { hash } from 'node:crypto';
import Fastify from 'fastify';
import { importJWK, jwtVerify, type JWK, type JWTPayload } from 'jose';
import pg from 'pg';

export interface YardstickPlan {
  readonly connection: pg.ClientConfig;
  readonly issuerKey: JWK;
  /** Bytes of each record that one order writes. */
  readonly recordBytes: readonly number[];
}

interface Pending {
  readonly bodies: readonly string[];
  readonly resolve: (seq: number) => void;
  readonly reject: (error: unknown) => void;
}

const MANY = `INSERT INTO yardstick (seq, hash, body)
  SELECT $1::bigint + n - 1, substr($2::bytea, (n::int - 1) * 32 + 1, 32), line FROM string_to_table($3::text, E'\\n') WITH ORDINALITY AS t(line, n)`;

type Append = (bodies: readonly string[]) => Promise<number>;

/** One commit in flight; what comes meanwhile gathers. */
function groupCommit(client: pg.Client): Append {
  let pending: Pending[] = [];
  let busy = false;
  let seq = 0;
  let prev = '0'.repeat(64);
  const cut = async (): Promise<void> => {
    while (pending.length > 0) {
      const batch = pending;
      pending = [];
      const first = seq;
      const lines: string[] = [];
      const hashes: string[] = [];
      for (const { bodies } of batch) {
        for (const body of bodies) {
          const line = `{"body":${body},"prev":"${prev}","seq":${String(seq++)}}`;
          prev = hash('sha256', line);
          lines.push(line);
          hashes.push(prev);
        }
      }
      try {
        await client.query({ name: 'many', text: MANY, values: [first, Buffer.from(hashes.join(''), 'hex'), lines.join('\n')] });
        for (const { resolve } of batch) resolve(first);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    busy = false;
  };
  return (bodies) => new Promise((resolve, reject) => {
    pending.push({ bodies, resolve, reject });
    if (busy) return;
    busy = true;
    setImmediate(() => { void cut(); });
  });
}

const schema = {
  body: {
    type: 'object', additionalProperties: false, required: ['clOrdId', 'account', 'strategy', 'symbol', 'side', 'orderQty', 'type', 'tif'],
    properties: {
      clOrdId: { type: 'string', pattern: '^[A-Z0-9]{1,24}$' }, account: { type: 'string', maxLength: 32 }, strategy: { type: 'string', maxLength: 32 },
      symbol: { type: 'string', maxLength: 32 }, side: { enum: ['buy', 'sell'] }, orderQty: { type: 'string', maxLength: 38 }, type: { enum: ['limit'] },
      limitPx: { type: 'string', maxLength: 38 }, tif: { enum: ['day', 'ioc'] },
    },
  },
  response: { 201: { type: 'object', properties: { clOrdId: { type: 'string' }, state: { type: 'string' }, seq: { type: 'integer' } } } },
} as const;

/** `{"body":…,"prev":"64","seq":1234567}` and the body's own frame around order and pad. */
const FRAME_BYTES = 92 + 19;

async function serve(plan: YardstickPlan): Promise<void> {
  const client = new pg.Client(plan.connection);
  await client.connect();
  await client.query('CREATE TABLE IF NOT EXISTS yardstick (seq bigint PRIMARY KEY, hash bytea NOT NULL, body text NOT NULL)');
  const append = groupCommit(client);
  const key = await importJWK(plan.issuerKey, 'EdDSA');
  const cache = new Map<string, JWTPayload>();
  const app = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false } } });
  app.addHook('onRequest', async (request) => {
    const token = request.headers.authorization?.slice(7) ?? '';
    const cached = cache.get(token);
    if (cached !== undefined && (cached.exp ?? 0) * 1000 > Date.now()) return;
    cache.set(token, (await jwtVerify(token, key, { algorithms: ['EdDSA'], audience: 'portcullis' })).payload);
  });
  const pads = plan.recordBytes.map((bytes) => 'x'.repeat(bytes));
  const routes: Record<string, readonly string[]> = { '/v1/orders': pads, '/v1/one': pads.slice(0, 1), '/v1/none': [] };
  for (const [url, records] of Object.entries(routes)) {
    app.post<{ Body: Record<string, string> }>(url, { schema }, async (request, reply) => {
      const order = request.body;
      if (Number(order['orderQty']) * Number(order['limitPx']) > 1e9) return reply.code(422).send();
      const text = JSON.stringify(order);
      const bodies = records.map((pad) => `{"order":${text},"pad":"${pad.slice(text.length + FRAME_BYTES)}"}`);
      const seq = bodies.length === 0 ? 0 : await append(bodies);
      return reply.code(201).send({ clOrdId: order['clOrdId'], state: 'pending', seq });
    });
  }
  console.log(`READY ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
}

const plan = process.argv[2];
if (plan === undefined) throw new Error('usage: yardstick.js PLAN-AS-JSON');
await serve(JSON.parse(plan) as YardstickPlan);
