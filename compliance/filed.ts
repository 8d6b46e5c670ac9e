/** What a row of the log is found by: copies of what its text says, which nothing but this compares with it. */
import { parseRecord, subjectOf } from './fold.ts';
import type { StoredRecord } from './journal.ts';

export interface FiledRecord extends StoredRecord {
  readonly subject: string | null;
  /** Microseconds since the epoch. */
  readonly atUs: bigint;
}

/** How a row is filed otherwise than its text says; null when it is not. The text is a record's, as the chain has it. */
export function misfiling({ canonical, subject, atUs }: FiledRecord): string | null {
  const { kind, body, at } = parseRecord(canonical);
  const wanted = subjectOf(kind, body);
  if (subject !== wanted) return `subject ${String(subject)}, the text says ${String(wanted)}`;
  return atUs === at / 1_000n ? null : `at ${String(atUs)} us, the text says ${String(at / 1_000n)}`;
}
