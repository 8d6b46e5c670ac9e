/** Drafts become records: each gets its seq, its instant, and the hash of the record before it. Pure; what cannot be a record is refused here. */
import type { Draft, Json, LogRecord } from '../risk/domain/record.ts';
import { formatInstant, type Ns } from '../risk/domain/time.ts';
import { canonicalize, canonicalRecord, RECORD_BYTES_MAX } from './canonical.ts';
import type { StoredLine } from './journal.ts';

/** `prev` of the record with seq 0. */
export const NO_HASH = '0'.repeat(64);

/** Where a chain stands: how many records, the hash of the last (`NO_HASH` when none), and its instant. */
export interface Head {
  readonly size: number;
  readonly hash: string;
  readonly at: Ns;
}

/** The key by which a record is looked up later (`bySubject`), or null. */
export type SubjectOf = (kind: string, body: unknown) => string | null;

/** Drafts that are committed together, as records and as the lines to be stored. */
export interface Unit {
  readonly records: readonly LogRecord[];
  readonly lines: readonly StoredLine[];
  /** UTF-8 bytes of all canonical texts. */
  readonly bytes: number;
}

const SUBJECT = /^[\x21-\x7e]{1,255}$/;

/**
 * Seals one unit onto the head. Errors: RangeError when a draft has no canonical text, is longer than 65,535 bytes, or names a cause that
 * is not before it; then nothing has happened.
 */
export function seal(log: string, head: Head, at: Ns, drafts: readonly Draft[], subjectOf: SubjectOf): Unit {
  if (drafts.length === 0) throw new RangeError('a unit holds at least one record');
  const instant = formatInstant(at);
  const records: LogRecord[] = [];
  const lines: StoredLine[] = [];
  let total = 0;
  let prev = head.hash;
  for (const { kind, v, actor, cause: given, body } of drafts) {
    const seq = head.size + records.length;
    const cause = given === 'first' ? head.size : given;
    if (cause !== null && cause >= seq) throw new RangeError(`the cause of ${kind} is not before it`);
    const subject = subjectOf(kind, body);
    if (subject !== null && !SUBJECT.test(subject)) throw new RangeError(`the subject of ${kind} is not printable ASCII`);
    const { canonical, bytes, hash } = canonicalRecord({ actor, at: instant, cause, kind, log, prev, seq, v }, canonicalize(body as Json));
    if (bytes > RECORD_BYTES_MAX) throw new RangeError(`${kind} would be a record of ${String(bytes)} bytes; at most ${String(RECORD_BYTES_MAX)}`);
    prev = hash;
    total += bytes;
    records.push({ log, seq, at, kind, v, actor, cause, body });
    lines.push({ seq, canonical, hash, at, subject, bytes });
  }
  return { records, lines, bytes: total };
}
