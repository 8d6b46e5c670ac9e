/** The tables of migrations/, as Kysely reads them, over a small pool that never writes the log. */
import { Kysely, PostgresDialect } from 'kysely';
import pg, { type ClientConfig } from 'pg';

/** int8 arrives as text: a seq is below 2^53 and becomes a number where it is used. */
export interface Tables {
  records: { log: string; seq: string; hash: Buffer; at: Date; subject: string | null; canonical: string };
  blobs: { hash: Buffer; text: string };
  checkpoints: { log: string; size: string; note: string };
  snapshots: { log: string; size: string; fold: string; hash: Buffer; body: string };
}

export type Database = Kysely<Tables>;

const CONNECTIONS = 4;
const CONNECT_DEADLINE_MS = 4_000;

/** @param onLost a connection broke while idle; the pool replaces it. */
export function openTables(connection: ClientConfig, onLost: (error: Error) => void): Database {
  const pool = new pg.Pool({ ...connection, max: CONNECTIONS, connectionTimeoutMillis: CONNECT_DEADLINE_MS, keepAlive: true });
  pool.on('error', onLost);
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }).withSchema('portcullis');
}
