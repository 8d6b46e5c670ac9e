/**
 * Orders, fills and decisions as ordinary rows, for analysts: the role `portcullis_reader` sees these views and nothing else. They read
 * the canonical text and cannot disagree with it. Narrow a question by `seq` or `at`: those are what the tables can find quickly.
 */
import { sql, type Kysely } from 'kysely';

/** OFFSET 0 keeps the parsed text one value a row, whatever number of columns is taken from it. */
const events = sql`
  CREATE VIEW portcullis.events AS
  SELECT r.log, r.seq, r.at, e.j ->> 'kind' AS kind, (e.j ->> 'v')::int AS v, e.j #>> '{actor,id}' AS actor, e.j #>> '{actor,role}' AS role,
         (e.j ->> 'cause')::bigint AS cause, e.j -> 'body' AS body
  FROM portcullis.records r CROSS JOIN LATERAL (SELECT r.canonical::jsonb AS j OFFSET 0) e`;

const decisions = sql`
  CREATE VIEW portcullis.decisions AS
  SELECT log, seq, at, kind, actor, body ->> 'decision' AS decision, body ->> 'account' AS account, body ->> 'strategy' AS strategy,
         body ->> 'targetId' AS target_id, body ->> 'clOrdId' AS cl_ord_id, body ->> 'symbol' AS symbol,
         (body ->> 'deltaQty')::numeric AS delta_qty, (body ->> 'orderQty')::numeric AS order_qty, (body ->> 'arrivalPx')::numeric AS arrival_px,
         body #>> '{policy,hash}' AS policy_hash, body -> 'verdicts' AS verdicts
  FROM portcullis.events WHERE kind IN ('target.decided', 'leg.decided', 'order.decided')`;

const orders = sql`
  CREATE VIEW portcullis.orders AS
  SELECT log, seq, at, body ->> 'clOrdId' AS cl_ord_id, body ->> 'origClOrdId' AS orig_cl_ord_id, body ->> 'parent' AS parent, body ->> 'account' AS account,
         body ->> 'strategy' AS strategy, body ->> 'symbol' AS symbol, body ->> 'side' AS side, (body ->> 'orderQty')::numeric AS order_qty,
         body ->> 'type' AS type, (body ->> 'limitPx')::numeric AS limit_px, body ->> 'tif' AS tif, body ->> 'venue' AS venue, body ->> 'arm' AS arm
  FROM portcullis.events WHERE kind = 'slice.released'`;

const fills = sql`
  CREATE VIEW portcullis.fills AS
  SELECT log, seq, at, (body ->> 'venueAt')::timestamptz AS venue_at, body ->> 'execId' AS exec_id, body ->> 'clOrdId' AS cl_ord_id,
         body ->> 'parent' AS parent, body ->> 'account' AS account, body ->> 'strategy' AS strategy, body ->> 'symbol' AS symbol,
         body ->> 'side' AS side, body ->> 'venue' AS venue, (body ->> 'lastQty')::numeric AS last_qty, (body ->> 'lastPx')::numeric AS last_px,
         (body ->> 'cumQty')::numeric AS cum_qty,
         (body ->> 'leavesQty')::numeric AS leaves_qty, (body ->> 'fee')::numeric AS fee, body ->> 'liquidity' AS liquidity
  FROM portcullis.events WHERE kind = 'order.filled'`;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const view of [events, decisions, orders, fills]) await view.execute(db);
  await sql`GRANT SELECT ON portcullis.events, portcullis.decisions, portcullis.orders, portcullis.fills TO portcullis_reader`.execute(db);
}
