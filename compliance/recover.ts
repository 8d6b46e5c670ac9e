/** Folding stored records: at a restart, and in the snapshot worker behind the live log. */
import { emptyState, fold, FOLD_VERSION, parseRecord, type State } from './fold.ts';
import { leafHash } from './canonical.ts';
import { NO_HASH, type Head } from './seal.ts';
import { parseSnapshot, type Snapshot } from './snapshot.ts';
import type { SnapshotTable } from './snapshots.ts';
import type { StateSnapshotted } from './records.ts';
import type { Ns } from '../risk/domain/time.ts';
import type { LogStore, StoredRecord } from './journal.ts';
import type { LogRecord } from '../risk/domain/record.ts';
import type { PolicyActivated } from '../risk/records.ts';

const PAGE = 10_000;

/** What folding needs of a store. */
export type Reads = Pick<LogStore, 'read' | 'getBlob'>;

/** What the database holds is input: a record whose text does not give its hash stops the start. */
export class BrokenLogError extends Error {
  readonly code = 'LOG_BROKEN';
  readonly seq: number;
  constructor(seq: number, detail: string) {
    super(`record ${String(seq)}: ${detail}`);
    this.seq = seq;
  }
}

/** Before the first record. */
export const EMPTY_HEAD: Head = { size: 0, hash: NO_HASH, at: 0n as Ns };

export interface RecoverPorts {
  readonly store: Reads & Pick<LogStore, 'bySubject'>;
  readonly snapshots: Pick<SnapshotTable, 'latest'>;
  /** For the operator: a snapshot was passed over, and why. */
  readonly say: (line: string) => void;
}

/** The fold of a log, and where it was picked up. */
export interface Recovered extends Snapshot {
  /** Head of the snapshot that was loaded, `EMPTY_HEAD` without one: the records before it were not looked at. */
  readonly resumedFrom: Head;
}

/** The state after the first `until` records: the newest snapshot that the log vouches for, and the records after it, verified. Errors: `BrokenLogError`. */
export async function recoverState(ports: RecoverPorts, until = Number.MAX_SAFE_INTEGER): Promise<Recovered> {
  const { state, head: resumedFrom } = (await newestSnapshot(ports, until)) ?? { state: emptyState(), head: EMPTY_HEAD };
  return { state, head: await foldStored(ports.store, state, resumedFrom, until), resumedFrom };
}

/** A snapshot whose hash the log did not record, or that cannot be read, is passed over for an older one: the record that vouches is in the tail. */
async function newestSnapshot({ store, snapshots, say }: RecoverPorts, until: number): Promise<Snapshot | null> {
  for (let atMost = until; ;) {
    const found = await snapshots.latest(String(FOLD_VERSION), atMost);
    if (found === null) return null;
    const why = (await isVouchedFor(store, found.size, found.hash)) ? null : 'the log does not vouch for it';
    const snapshot = why ?? readSnapshot(found.body);
    if (typeof snapshot !== 'string') return snapshot;
    say(`the snapshot of ${String(found.size)} records is passed over: ${snapshot}`);
    atMost = found.size - 1;
  }
}

/** Only by a record behind it, which the start folds and so verifies: one before it nobody looks at until the state is in use. */
async function isVouchedFor(store: RecoverPorts['store'], size: number, hash: string): Promise<boolean> {
  const records = (await store.bySubject(`snapshot:${String(size)}`)).filter(({ seq }) => seq >= size).map(({ canonical }) => parseRecord(canonical));
  return records.some(({ kind, body }) => kind === 'state.snapshotted' && (body as StateSnapshotted).hash === hash);
}

function readSnapshot(body: string): Snapshot | string {
  try {
    return parseSnapshot(body);
  } catch (error) {
    return (error as Error).message;
  }
}

/** Folds the stored records from `head.size` to the end of the log into `state`, checking every hash and link on the way. */
export async function foldStored(store: Reads, state: State, head: Head, until = Number.POSITIVE_INFINITY): Promise<Head> {
  let last = head;
  for (;;) {
    const page = await store.read(last.size, Math.min(PAGE, until - last.size));
    for (const stored of page) last = await foldOne(store, state, last, stored);
    if (page.length === 0 || last.size >= until) return last;
  }
}

async function foldOne(store: Reads, state: State, last: Head, stored: StoredRecord): Promise<Head> {
  if (leafHash(stored.canonical) !== stored.hash) throw new BrokenLogError(stored.seq, 'its text does not give its hash');
  const record = parseRecord(stored.canonical) as LogRecord & { readonly prev: string };
  if (record.seq !== last.size || stored.seq !== last.size) throw new BrokenLogError(stored.seq, `expected seq ${String(last.size)}`);
  if (record.prev !== last.hash) throw new BrokenLogError(stored.seq, 'it does not follow the record before');
  const blobs = record.kind === 'policy.activated' ? await blobsOf(store, record.body as PolicyActivated) : new Map<string, string | null>();
  fold(state, record, (hash) => blobs.get(hash) ?? null);
  return { size: last.size + 1, hash: stored.hash, at: record.at };
}

async function blobsOf(store: Reads, { hash, universeHash }: PolicyActivated): Promise<Map<string, string | null>> {
  return new Map([[hash, await store.getBlob(hash)], [universeHash, await store.getBlob(universeHash)]]);
}
