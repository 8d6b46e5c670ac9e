/** The tables of migrations/, as Kysely reads them, over a small pool that never writes the log. */
import { Kysely, PostgresDialect } from 'kysely';
import pg, { type ClientConfig } from 'pg';

/** int8 arrives as text: a seq is below 2^53 and becomes a number where it is used. */
export interface Tables {
  records: { log: string; seq: string; hash: Buffer; at: Date; subject: string | null; canonical: string };
  blobs: { hash: Buffer; text: string };
  snapshots: { log: string; size: string; fold: string; hash: Buffer; body: string };
}

export type Database = Kysely<Tables>;

const CONNECTIONS = 4;
const CONNECT_DEADLINE_MS = 4_000;

/**
 * Every query here has its index. Before the server has counted a table that grows, it takes it for almost empty, and would sort the rest
 * of the log, on disk, for each page of it.
 */
const BY_INDEX = '-c enable_seqscan=off -c enable_bitmapscan=off';

/** @param onLost a connection broke; the pool replaces it, and the query on it, if any, rejects. */
export function openTables(connection: ClientConfig, onLost: (error: Error) => void): Database {
  const options = connection.options === undefined ? BY_INDEX : `${connection.options} ${BY_INDEX}`;
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: openPool({ ...connection, options }, onLost) }) }).withSchema('portcullis');
}

/** A pool hears its idle connections only; one that breaks while Kysely has it would end the process as an unheard `error`. */
export function openPool(connection: ClientConfig, onLost: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({ ...connection, max: CONNECTIONS, connectionTimeoutMillis: CONNECT_DEADLINE_MS, keepAlive: true });
  pool.on('error', onLost);
  pool.on('connect', (client) => client.on('error', onLost));
  return pool;
}
