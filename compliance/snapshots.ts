/** Snapshots of the fold, as a table. What they mean is decided elsewhere; here they are put and found. */
import { hash } from 'node:crypto';
import type { Database } from './tables.ts';

export interface StoredSnapshot {
  /** Number of records folded into it. */
  readonly size: number;
  /** Version of the fold that made it: another version does not read it. */
  readonly fold: string;
  /** SHA-256 of the body, hex: what a `state.snapshotted` in the log vouches for. */
  readonly hash: string;
  readonly body: string;
}

export interface SnapshotTable {
  /** Stores it and gives its hash; the same size and fold again is not stored twice. */
  put(snapshot: Omit<StoredSnapshot, 'hash'>): Promise<string>;
  /** The newest of this fold with at most `size` records, or null. A body that is not its hash's is passed over for an older one. */
  latest(fold: string, size: number): Promise<StoredSnapshot | null>;
  /** Removes all but the newest `keep` of this fold, and every one of other folds. */
  prune(fold: string, keep: number): Promise<void>;
}

export function snapshotTable(tables: Database, log: string): SnapshotTable {
  const ofLog = tables.selectFrom('snapshots').where('log', '=', log);
  return {
    async put({ size, fold, body }) {
      const digest = hash('sha256', body, 'hex');
      await tables.insertInto('snapshots').values({ log, size: String(size), fold, hash: Buffer.from(digest, 'hex'), body })
        .onConflict((conflict) => conflict.doNothing()).execute();
      return digest;
    },
    async latest(fold, size) {
      for (let below = size + 1; ;) {
        const row = await ofLog.selectAll().where('fold', '=', fold).where('size', '<', String(below)).orderBy('size', 'desc').limit(1).executeTakeFirst();
        if (row === undefined) return null;
        const digest = row.hash.toString('hex');
        if (hash('sha256', row.body, 'hex') === digest) return { size: Number(row.size), fold, hash: digest, body: row.body };
        below = Number(row.size);
      }
    },
    async prune(fold, keep) {
      const kept = ofLog.select('size').where('fold', '=', fold).orderBy('size', 'desc').limit(keep);
      await tables.deleteFrom('snapshots').where('log', '=', log)
        .where((is) => is.or([is('fold', '!=', fold), is('size', 'not in', kept)])).execute();
    },
  };
}
