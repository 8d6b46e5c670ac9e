/** Stores in memory: an honest one, and one that fails as real ones do. */
import { contentHash, leafHash } from '../../compliance/canonical.ts';
import type { LogStore, StoredLine } from '../../compliance/journal.ts';

export interface MemoryStore extends LogStore {
  /** What is stored, in seq order. */
  readonly lines: StoredLine[];
}

/** All or nothing, no gap, no seq twice, and each hash is its text's: what the tables of migrations/ enforce. */
export function memoryStore(): MemoryStore {
  const lines: StoredLine[] = [];
  const blobs = new Map<string, string>();
  const done = <T>(value: T): Promise<T> => Promise.resolve(value);
  return {
    lines,
    append(batch) {
      for (const [i, { seq, canonical, hash }] of batch.entries()) {
        if (seq !== lines.length + i) return Promise.reject(new Error(`seq ${String(seq)} is taken or leaves a gap`));
        if (leafHash(canonical) !== hash) return Promise.reject(new Error(`hash of seq ${String(seq)}`));
      }
      lines.push(...batch);
      return done(undefined);
    },
    read: (from, limit) => done(lines.slice(from, from + limit).map(({ seq, canonical, hash }) => ({ seq, canonical, hash }))),
    search: (from, to, texts, limit) => done(lines.slice(from, to).filter(({ canonical }) => texts.every((text) => canonical.includes(text))).slice(0, limit)),
    size: () => done(lines.length),
    bySubject: (wanted) => done(lines.filter(({ subject }) => subject === wanted)),
    hashes: (from, to) => done(lines.slice(from, to).map(({ hash }) => Buffer.from(hash, 'hex'))),
    putBlob(hash, text) {
      if (contentHash(JSON.parse(text) as never) !== hash) return Promise.reject(new Error('hash of a blob'));
      blobs.set(hash, text);
      return done(undefined);
    },
    getBlob: (hash) => done(blobs.get(hash) ?? null),
  };
}

/**
 * What may become of a call:
 *  refused      nothing is stored, and the caller is told so (reads: no answer);
 *  persisted    everything is stored, and the caller is told that it failed;
 *  late         the caller is told that it failed, and it is stored just before the next append arrives;
 *  prefix       the first half is stored, and the caller is told that it failed;
 *  stolen       another writer's record takes the first seq, and the caller is told that it failed.
 */
export type Fault = 'refused' | 'persisted' | 'late' | 'prefix' | 'stolen';

export interface FaultyStore extends LogStore {
  /** How often each fault fired: one that never did has proved nothing. */
  readonly fired: Readonly<Record<Fault, number>>;
}

/** `plan` is asked once a call and says what becomes of it; null: it works. Faults that only an append can have count as `refused` elsewhere. */
export function faultyStore(inner: LogStore, plan: (call: 'append' | 'read') => Fault | null): FaultyStore {
  const fired: Record<Fault, number> = { refused: 0, persisted: 0, late: 0, prefix: 0, stolen: 0 };
  let late: readonly StoredLine[] = [];
  const fail = (fault: Fault): never => {
    fired[fault] += 1;
    throw new Error(`planned: ${fault}`);
  };
  const reading = async <T>(read: () => Promise<T>): Promise<T> => (plan('read') === null ? read() : fail('refused'));
  const effects: Readonly<Record<Fault, (lines: readonly StoredLine[]) => Promise<void>>> = {
    refused: () => Promise.resolve(),
    persisted: (lines) => inner.append(lines),
    late(lines) {
      late = lines;
      return Promise.resolve();
    },
    prefix: (lines) => inner.append(lines.slice(0, Math.ceil(lines.length / 2))),
    stolen: (lines) => inner.append(lines.slice(0, 1).map((line) => ({ ...line, canonical: `${line.canonical} `, hash: leafHash(`${line.canonical} `) }))),
  };
  return {
    fired,
    async append(lines) {
      const waiting = late;
      late = [];
      if (waiting.length > 0) await inner.append(waiting);
      const fault = plan('append');
      if (fault === null) return inner.append(lines);
      await effects[fault](lines);
      return fail(fault);
    },
    read: (from, limit) => reading(() => inner.read(from, limit)),
    search: (from, to, texts, limit) => reading(() => inner.search(from, to, texts, limit)),
    size: () => reading(() => inner.size()),
    bySubject: (subject) => reading(() => inner.bySubject(subject)),
    hashes: (from, to) => reading(() => inner.hashes(from, to)),
    putBlob: (hash, text) => reading(() => inner.putBlob(hash, text)),
    getBlob: (hash) => reading(() => inner.getBlob(hash)),
  };
}
