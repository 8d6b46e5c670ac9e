/** The database behind the log: the operator's (DATABASE_URL), or one of our own in DATA_DIR. Migrated, and seen as the writer. */
import type { ClientConfig } from 'pg';
import { startPostgres } from './postgres/cluster.ts';
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
}

/** Errors: one line saying what to do. */
export async function openDatabase({ url, dataDir, log }: DatabaseOptions): Promise<GatewayDatabase> {
  if (url !== undefined) {
    const owner = databaseUrl(url);
    report(await migrate(owner, log), log);
    return { writer: writerSession(owner), stop: () => Promise.resolve() };
  }
  const { connection, stop } = await startPostgres({ dataDir, log });
  report(await migrate(connection, log), log);
  return { writer: await writerLogin(connection, log), stop };
}

function report(done: readonly string[], log: (line: string) => void): void {
  if (done.length > 0) log(`database migrated: ${done.join(', ')}`);
}
