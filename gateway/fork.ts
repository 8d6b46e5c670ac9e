/** The way on where a start is refused: a new log that names what is left of the old one. */
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { BrokenLogError, recoverState } from '../compliance/recover.ts';
import type { Fork } from '../compliance/records.ts';
import { NO_HASH } from '../compliance/seal.ts';
import { snapshotTable } from '../compliance/snapshots.ts';
import { postgresStore, type PostgresStore } from '../compliance/store.ts';
import { openKeyFile } from './auth/key-file.ts';
import { newLogId, readLogFile, replaceLogFile } from './log-id.ts';
import { ShrunkenLogError, Transparency } from './transparency.ts';

const DEADLINE_MS = 5_000;

export interface Forked {
  readonly log: string;
  readonly forkOf: Fork;
}

/**
 * Begins a new log in this folder; the old one stays in the database as it is, and its checkpoint beside as `checkpoint.<log>`. Errors:
 * one line where a gateway runs, where there is no log, and where a start would take the log that is there.
 */
export async function forkLog(dataDir: string, writer: ClientConfig): Promise<Forked> {
  const named = readLogFile(dataDir);
  if (named === null) throw new Error(`${dataDir} holds no log`);
  const { log: old } = named;
  const store = await postgresStore({ connection: writer, log: old, instance: `fork ${String(process.pid)}`, deadlineMs: DEADLINE_MS, onLost: () => undefined });
  try {
    const size = await store.size();
    if (size === 0 && named.forkOf !== null) return forget(dataDir, { log: old, forkOf: named.forkOf });
    if (!(await isRefused(store, old, dataDir, size))) throw new Error(`the log ${old} holds everything that was published: there is nothing to fork from`);
    const [last] = await store.read(size - 1, 1);
    const forked = { log: newLogId(), forkOf: { log: old, size, hash: last?.hash ?? NO_HASH } };
    if (existsSync(join(dataDir, 'checkpoint'))) copyFileSync(join(dataDir, 'checkpoint'), join(dataDir, `checkpoint.${old}`));
    replaceLogFile(dataDir, forked);
    return forget(dataDir, forked); // a crash before: a start refuses the old checkpoint, and the next call ends here
  } finally {
    await store.close();
  }
}

/** The published checkpoint is of the old log, and stands aside. */
function forget(dataDir: string, forked: Forked): Forked {
  rmSync(join(dataDir, 'checkpoint'), { force: true });
  return forked;
}

/** Asks as a start does. */
async function isRefused(store: PostgresStore, log: string, dataDir: string, size: number): Promise<boolean> {
  try {
    await new Transparency(log, store, dataDir, openKeyFile(dataDir, 'log.key.pem')).load(size);
    await recoverState({ store, snapshots: snapshotTable(store.tables, log), say: () => undefined });
    return false;
  } catch (error) {
    if (error instanceof ShrunkenLogError || error instanceof BrokenLogError) return true;
    throw error;
  }
}
