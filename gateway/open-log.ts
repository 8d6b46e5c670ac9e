/** Opens the log: database, lease, state. What it gives is the fold of everything that was ever acknowledged. */
import { randomUUID } from 'node:crypto';
import { recoverState, type Recovered } from '../compliance/recover.ts';
import type { Fork } from '../compliance/records.ts';
import { snapshotTable } from '../compliance/snapshots.ts';
import { postgresStore, type PostgresStore } from '../compliance/store.ts';
import type { ClientConfig } from 'pg';
import type { Config } from './config.ts';
import { endAll } from './end-all.ts';
import { openLogId } from './log-id.ts';
import { openDatabase, type GatewayDatabase } from './postgres.ts';

export interface OpenLog extends Recovered {
  readonly log: string;
  /** The log that this one was begun from, where `portcullis log fork` began it. */
  readonly forkOf: Fork | null;
  readonly store: PostgresStore;
  readonly writer: ClientConfig;
  /** Closes the store and stops the embedded database, in this order. */
  readonly close: () => Promise<void>;
}

/** No answer from the database for so long is an unknown outcome; a kill does not wait longer than this for the log. */
const DEADLINE_MS = 1_000;

export async function openLog(config: Config, say: (line: string) => void): Promise<OpenLog> {
  const database = await openDatabase({ url: config.databaseUrl ?? undefined, dataDir: config.dataDir, log: say });
  try {
    return await openOn(database, config, say);
  } catch (error) {
    await database.leave();
    throw error;
  }
}

async function openOn(database: GatewayDatabase, { dataDir }: Config, say: (line: string) => void): Promise<OpenLog> {
  const { log, forkOf } = await openLogId(dataDir, database.writer);
  const onLost = (error: Error): void => { say(`a connection to the database ended: ${error.message}`); };
  const store = await postgresStore({ connection: database.writer, log, instance: `${String(process.pid)}-${randomUUID()}`, deadlineMs: DEADLINE_MS, onLost });
  try {
    const recovered = await recoverState({ store, snapshots: snapshotTable(store.tables, log), say });
    return { log, forkOf, store, writer: database.writer, ...recovered, close: () => endAll(() => store.close(), () => database.stop()) };
  } catch (error) {
    await store.close();
    throw error;
  }
}
