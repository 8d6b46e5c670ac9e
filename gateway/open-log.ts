/** Opens the log: database, lease, state. What it gives is the fold of everything that was ever acknowledged. */
import { randomUUID } from 'node:crypto';
import { emptyState, FOLD_VERSION, type State } from '../compliance/fold.ts';
import { EMPTY_HEAD, foldStored } from '../compliance/recover.ts';
import type { StateSnapshotted } from '../compliance/records.ts';
import { parseRecord } from '../compliance/fold.ts';
import type { Head } from '../compliance/seal.ts';
import { parseSnapshot, type Snapshot } from '../compliance/snapshot.ts';
import { snapshotTable } from '../compliance/snapshots.ts';
import { postgresStore, type PostgresStore } from '../compliance/store.ts';
import type { ClientConfig } from 'pg';
import type { Config } from './config.ts';
import { openLogId } from './log-id.ts';
import { openDatabase } from './postgres.ts';

export interface OpenLog {
  readonly log: string;
  readonly store: PostgresStore;
  readonly writer: ClientConfig;
  readonly state: State;
  readonly head: Head;
  /** Closes the store and stops the embedded database, in this order. */
  readonly close: () => Promise<void>;
}

/** No answer from the database for so long is an unknown outcome; a kill does not wait longer than this for the log. */
const DEADLINE_MS = 1_000;

export async function openLog(config: Config, say: (line: string) => void): Promise<OpenLog> {
  const database = await openDatabase({ url: config.databaseUrl ?? undefined, dataDir: config.dataDir, log: say });
  const log = await openLogId(config.dataDir, database.writer);
  const onLost = (error: Error): void => { say(`a connection to the database ended: ${error.message}`); };
  const store = await postgresStore({ connection: database.writer, log, instance: `${String(process.pid)}-${randomUUID()}`, deadlineMs: DEADLINE_MS, onLost });
  const close = async (): Promise<void> => {
    await store.close();
    await database.stop();
  };
  try {
    const from = (await newestSnapshot(store, log, say)) ?? { state: emptyState(), head: EMPTY_HEAD };
    const head = await foldStored(store, from.state, from.head);
    return { log, store, writer: database.writer, state: from.state, head, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The newest snapshot whose hash the log itself recorded; one that the log does not vouch for is passed over for an older one. */
async function newestSnapshot(store: PostgresStore, log: string, say: (line: string) => void): Promise<Snapshot | null> {
  const table = snapshotTable(store.tables, log);
  for (let below = Number.MAX_SAFE_INTEGER; ;) {
    const found = await table.latest(String(FOLD_VERSION), below - 1);
    if (found === null) return null;
    const vouched = (await store.bySubject(`snapshot:${String(found.size)}`)).map(({ canonical }) => parseRecord(canonical).body as StateSnapshotted);
    if (vouched.some(({ hash }) => hash === found.hash)) return parseSnapshot(found.body);
    say(`the snapshot of ${String(found.size)} records is not the log's: passed over`);
    below = found.size;
  }
}
