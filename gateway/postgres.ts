/** The database behind the log: the operator's (DATABASE_URL), or one of our own in DATA_DIR. Migrated, and seen as the writer. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { startPostgres, visitPostgres } from './postgres/cluster.ts';
import { writerLogin, writerSession } from './postgres/login.ts';
import { migrate } from './postgres/migrate.ts';
import { databaseUrl } from './postgres/url.ts';

export interface DatabaseOptions {
  /** Absent: embedded. */
  readonly url: string | undefined;
  readonly dataDir: string;
  readonly log: (line: string) => void;
}

export interface GatewayDatabase {
  /** For `postgresStore`. */
  readonly writer: ClientConfig;
  /**
   * Stops the embedded server, after the drain and after the store is closed. Only the gateway that holds the log's lease calls it: one
   * that was refused the lease leaves the server to the other.
   */
  stop(): Promise<void>;
  /** For a start that is given up: a server that it has started, and that nobody else uses, does not outlive it. */
  leave(): Promise<void>;
}

const NOTHING = (): Promise<void> => Promise.resolve();

/** Errors: one line saying what to do. */
export async function openDatabase({ url, dataDir, log }: DatabaseOptions): Promise<GatewayDatabase> {
  if (url !== undefined) {
    const owner = databaseUrl(url);
    report(await migrate(owner, log), log);
    return { writer: writerSession(owner), stop: NOTHING, leave: NOTHING };
  }
  const { connection, stop, leave } = await startPostgres({ dataDir, log });
  try {
    report(await migrate(connection, log), log);
    return { writer: await writerLogin(connection, log), stop, leave };
  } catch (error) {
    await leave();
    throw error;
  }
}

/**
 * The same database for a command: as it is, not migrated. An embedded one that does not run is started for as long as `use` takes.
 * Errors: one line saying what to do; those of `use`.
 */
export async function visitDatabase<T>({ url, dataDir, log }: DatabaseOptions, use: (writer: ClientConfig) => Promise<T>): Promise<T> {
  if (url !== undefined) return await use(writerSession(databaseUrl(url)));
  if (!existsSync(join(dataDir, 'postgres'))) throw new Error(`there is no database in ${dataDir}: start the gateway once`);
  return await visitPostgres({ dataDir, log }, async (superuser) => use(await writerLogin(superuser, log)));
}

/** Brings the database to this version's shape, and an embedded one into being; the names of what was done. */
export async function migrateDatabase({ url, dataDir, log }: DatabaseOptions): Promise<readonly string[]> {
  return url === undefined ? await visitPostgres({ dataDir, log }, (owner) => migrate(owner, log)) : await migrate(databaseUrl(url), log);
}

function report(done: readonly string[], log: (line: string) => void): void {
  if (done.length > 0) log(`database migrated: ${done.join(', ')}`);
}
