/** What the product is asked in a run: its policy, the orders of the load, a target of 500 legs, and what its metrics and tables say. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { parse, stringify } from 'yaml';
import { syntheticQuote } from '../../execution/markets/synthetic.ts';
import { wallClock } from '../../execution/timers/wall.ts';
import { readPolicy } from '../../gateway/policy.ts';
import { fromNumber, formatDecimal, toNumber, truncateTo } from '../../risk/domain/decimal.ts';
import { formatInstant } from '../../risk/domain/time.ts';
import type { Server } from './processes.ts';

export const UNIVERSE = 'policies/universe.yaml';
export const MARKET_SEED = 1;
export const ACCOUNT = 'ACC1';
const SYMBOLS = ['SPY', 'BAC', 'IBM', 'AIG'];
/** Below the bid and above the ask by so much: inside the collar, and never filled. */
const AWAY = 0.02;
const ORDER_QTY = '10';

/** The sample policy with all its limits armed, an account that a run does not fill, and a venue that answers at once. */
export function writePolicy(dataDir: string): string {
  const policy = parse(readFileSync('policies/default.yaml', 'utf8')) as {
    accounts: { openingCash: string }[]; venues: { latencyMs: number }[]; limits: Record<string, unknown>;
  };
  for (const account of policy.accounts) account.openingCash = '10000000';
  for (const venue of policy.venues) venue.latencyMs = 0;
  policy.limits = { ...policy.limits, turnoverXEquityPerDay: 1_000, leverageX: 1_000 };
  const path = join(dataDir, 'policy.yaml');
  writeFileSync(path, stringify(policy));
  return path;
}

/**
 * Limit orders short of the touch, immediate or cancel, buys and sells in turn over four symbols. Each is decided, released, acknowledged
 * and canceled within the run: it goes through its whole life, and leaves neither a position nor a working order behind, so that the
 * millionth order meets the same state as the first. A resting order would write one record less and pile up.
 */
export function orderBodies(policy: string): readonly string[] {
  const { universe } = readPolicy(policy, UNIVERSE);
  const now = wallClock().now();
  return SYMBOLS.flatMap((symbol) => {
    const instrument = universe.get(symbol);
    if (instrument === undefined) throw new Error(`${symbol} is not in the universe`);
    const quote = syntheticQuote(String(MARKET_SEED), instrument, now);
    return (['buy', 'sell'] as const).map((side) => {
      const px = side === 'buy' ? toNumber(quote.bidPx) * (1 - AWAY) : toNumber(quote.askPx) * (1 + AWAY);
      const limitPx = formatDecimal(truncateTo(fromNumber(px, 6), instrument.tickSize));
      return JSON.stringify({ clOrdId: '{{id}}', account: ACCOUNT, strategy: 'alpha-1', symbol, side, orderQty: ORDER_QTY, type: 'limit', limitPx, tif: 'ioc' });
    });
  });
}

export const LEGS = 500;

/** Every weight changes from one target to the next, and together they ask for more gross than is allowed: the projection has work to do. */
export function targetBody(n: number): string {
  const legs = Array.from({ length: LEGS }, (_, i) => {
    const size = 0.003 + 0.006 * (((i * 37 + n * 101) % LEGS) / LEGS);
    const target = (((i + n) % 2 === 0 ? 1 : -1) * size).toFixed(6);
    return { symbol: `S${String(i + 1).padStart(3, '0')}`, target };
  });
  return JSON.stringify({
    targetId: `BENCH-${String(n)}`, account: ACCOUNT, strategy: 'alpha-1', asOf: formatInstant(wallClock().now()), basis: 'weight', mode: 'clip', scope: 'listed',
    horizonSeconds: 600, legs,
  });
}

const get = async ({ port }: Server, path: string): Promise<string> => (await fetch(`http://127.0.0.1:${String(port)}${path}`)).text();

/** Orders that the venue has acknowledged, by the product's own metrics: counted from durable records. */
export async function acknowledged(server: Server): Promise<number> {
  const line = /^portcullis_records_total\{kind="order\.acknowledged"\} (\d+)$/m.exec(await get(server, '/metrics'));
  return Number(line?.[1] ?? 0);
}

export interface RecordKindSize {
  readonly kind: string;
  readonly bytes: number;
}

/** The kinds of record that one order writes, in the order written, each with its mean size. */
export async function recordsPerOrder(database: pg.Client, orders: number): Promise<readonly RecordKindSize[]> {
  const { rows } = await database.query<{ kind: string; count: number; bytes: number }>(
    `SELECT canonical::jsonb ->> 'kind' AS kind, count(*)::int AS count, avg(octet_length(canonical))::float AS bytes
     FROM portcullis.records GROUP BY 1 HAVING count(*) >= $1 / 2 ORDER BY min(seq)`, [orders]);
  if (rows.length === 0 || rows.some(({ count }) => count !== orders)) throw new Error(`not every order wrote the same records: ${JSON.stringify(rows)}`);
  return rows.map(({ kind, bytes }) => ({ kind, bytes: Math.round(bytes) }));
}

/** Of the log's rows and their indexes. */
export async function logBytes(database: pg.Client): Promise<number> {
  const { rows } = await database.query<{ bytes: string }>(`SELECT sum(pg_total_relation_size(relid)) AS bytes FROM pg_partition_tree('portcullis.records')`);
  return Number(rows[0]?.bytes);
}
