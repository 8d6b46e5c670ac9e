/**
 * What is done behind the live log, in threads of their own: snapshots of the fold, and the verification of what was there at a start.
 * They read as anybody would, hold no lease, and write nothing but snapshots.
 */
import { constants, setPriority } from 'node:os';
import type { ClientConfig } from 'pg';
import { ChainVerifier, genesis, type Fault } from './chain.ts';
import { misfiling } from './filed.ts';
import { FOLD_VERSION } from './fold.ts';
import type { StateSnapshotted } from './records.ts';
import { recoverState } from './recover.ts';
import type { Head } from './seal.ts';
import { formatSnapshot } from './snapshot.ts';
import { snapshotTable } from './snapshots.ts';
import { storedReads } from './store.ts';
import { openTables, type Database } from './tables.ts';

/** What a thread is given; all of it can be copied to it. */
export interface SnapshotJob {
  readonly connection: ClientConfig;
  readonly log: string;
  /** Number of records to fold; all of them are durable. */
  readonly size: number;
}
export interface VerifyJob {
  readonly connection: ClientConfig;
  readonly log: string;
  /** Up to which record, and what its hash must be. */
  readonly until: Pick<Head, 'size' | 'hash'>;
}

/** Snapshots of one fold that are kept: the newest may turn out not to be vouched for. */
const KEPT = 3;
const PAGE = 2_000;

/**
 * Folds the first `size` records and stores the snapshot; what is given back is for the log to vouch for. A crash before that leaves a
 * snapshot that every start passes over. Errors: the database's; `BrokenLogError`; RangeError when the text is longer than a string
 * can be (512 MiB).
 */
export async function takeSnapshot({ connection, log, size }: SnapshotJob): Promise<StateSnapshotted> {
  return await withTables(connection, async (tables) => {
    const snapshots = snapshotTable(tables, log);
    const { state, head } = await recoverState({ store: storedReads(tables, log), snapshots, say: () => undefined }, size);
    if (head.size !== size) throw new Error(`the log has ${String(head.size)} records, not ${String(size)}`);
    const hash = await snapshots.put({ size, fold: String(FOLD_VERSION), body: formatSnapshot({ state, head }) });
    await snapshots.prune(String(FOLD_VERSION), KEPT);
    return { size, hash, foldVersion: FOLD_VERSION };
  });
}

/** Verifies the records that were there at a start: every text, hash and link, and how each row is found. Gives the first fault, or null. */
export async function verifyPast({ connection, log, until }: VerifyJob): Promise<Fault | null> {
  return await withTables(connection, async (tables) => {
    const store = storedReads(tables, log);
    const chain = new ChainVerifier(genesis(log));
    while (chain.size < until.size) {
      const page = await store.filed(chain.size, Math.min(PAGE, until.size - chain.size));
      for (const line of page) {
        if (chain.add(line) !== null) return chain.fault;
        const misfiled = misfiling(line);
        if (misfiled !== null) return { seq: line.seq, code: 'MISFILED', detail: misfiled };
      }
      if (page.length === 0) return { seq: chain.size, code: 'GAP', detail: `${String(chain.size)} records, expected ${String(until.size)}` };
    }
    return chain.head === until.hash ? null : { seq: until.size, code: 'PREV_MISMATCH', detail: `prev ${until.hash}, expected ${chain.head}` };
  });
}

async function withTables<T>(connection: ClientConfig, run: (tables: Database) => Promise<T>): Promise<T> {
  if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL); // of this thread alone; elsewhere it would be the process
  const tables = openTables(connection, () => undefined); // whoever uses a lost connection learns of it
  try {
    return await run(tables);
  } finally {
    await tables.destroy();
  }
}
