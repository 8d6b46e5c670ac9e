/** The port through which flows record: everything that happened goes through `append`, and nothing is acted upon before its `Receipt`. */
import type { Draft, LogRecord } from '../risk/domain/record.ts';
import type { Receipt } from '../risk/domain/proof.ts';
import type { Ns } from '../risk/domain/time.ts';

/** Who may fill the queue how far: strategies are refused at 75 %, the rest is a reserve for reports, cancels and switches. */
export type Lane = 'strategy' | 'reserved';

/** What `append` gives back, at once: the records have their seq and hash and are folded; `durable` says when they are on disk. */
export interface Appended {
  readonly records: readonly LogRecord[];
  /** One receipt a record, in order. Rejects only when the log can never take them: then nothing more leaves this house. */
  readonly durable: Promise<readonly Receipt[]>;
}

export interface Journal {
  readonly log: string;
  /** The seq that the next record gets: ids of orders are made from it. */
  readonly nextSeq: number;
  /** Number of durable records. */
  readonly durableSize: number;
  /** False while the outcome of a commit is unknown, during an emergency, and when the queue is three quarters full for `strategy`. */
  accepts(lane: Lane): boolean;
  /** The instant that a record appended in this turn gets. It never decreases. */
  now(): Ns;
  /**
   * Gives seq, prev and `at`, folds into memory and queues, in one synchronous turn. The drafts are one unit: they are committed together.
   * `at`, from `now()` of the same turn, makes a decision's record carry the very instant at which its facts were read: replay needs it.
   */
  append(drafts: readonly Draft[], at?: Ns): Appended;
  /** Resolves when the record at `seq` is durable. */
  whenDurable(seq: number): Promise<Receipt>;
}

/** A stored record: the canonical text as it was hashed, and its leaf hash. */
export interface StoredRecord {
  readonly seq: number;
  readonly canonical: string;
  /** Hex. */
  readonly hash: string;
}

/** What a batch carries to the store. `subject` is the key by which an older order or target is looked up, or null. */
export interface StoredLine extends StoredRecord {
  /** Of the record. */
  readonly at: Ns;
  readonly subject: string | null;
  /** Of the canonical text in UTF-8. */
  readonly bytes: number;
}

/** The database behind the log. Implementations: PostgreSQL, and the simulation's that fails at will. */
export interface LogStore {
  /** All or nothing, as one statement. Rejects also when the outcome is unknown: the caller reads back. */
  append(lines: readonly StoredLine[]): Promise<void>;
  /** Records with seq ≥ from, ascending, at most `limit`. */
  read(from: number, limit: number): Promise<readonly StoredRecord[]>;
  /** Records from ≤ seq < to whose text holds all of these, ascending, at most `limit`. */
  search(from: number, to: number, texts: readonly string[], limit: number): Promise<readonly StoredRecord[]>;
  /** Number of records stored. */
  size(): Promise<number>;
  /** Records of one subject, ascending. */
  bySubject(subject: string): Promise<readonly StoredRecord[]>;
  /** Leaf hashes of records from ≤ seq < to, ascending: what proofs need. */
  hashes(from: number, to: number): Promise<readonly Buffer[]>;
  putBlob(hash: string, text: string): Promise<void>;
  getBlob(hash: string): Promise<string | null>;
}

/** The log cannot be read now: the database does not answer. What was asked may be asked again. */
export class LogUnreadable extends Error {
  override readonly name = 'LogUnreadable';
}
