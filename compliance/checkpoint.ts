/**
 * Checkpoints (C2SP tlog-checkpoint): the head of a log as a text to be signed and published. Exactly three lines:
 *   portcullis/<log>
 *   <number of records, decimal, no leading zero>
 *   <root of the Merkle tree, base64>
 * We write no extension lines and accept none; whoever adds one makes a new format.
 */
import type { KeyObject } from 'node:crypto';
import { HASH_BYTES } from './merkle.ts';
import { decodeBase64, isSignedBy, parseNote, signNote } from './note.ts';
import type { Verifier } from './note.ts';

export interface Checkpoint {
  readonly log: string;
  /** Number of records. */
  readonly size: number;
  readonly root: Buffer;
}

const PREFIX = 'portcullis/';
const TEXT = /^portcullis\/([A-Za-z0-9][A-Za-z0-9._-]{0,63})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/;

/** The name under which a log signs. */
export const originOf = (log: string): string => PREFIX + log;

/** The text that is signed. Throws RangeError for what `parseCheckpoint` would not read. */
export function formatCheckpoint({ log, size, root }: Checkpoint): string {
  const text = `${originOf(log)}\n${String(size)}\n${root.toString('base64')}\n`;
  if (parseCheckpoint(text) === null) throw new RangeError('not a checkpoint');
  return text;
}

/** Reads a checkpoint's text; null for anything that `formatCheckpoint` does not write. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const [, log, digits, encoded = ''] = TEXT.exec(text) ?? [];
  const size = Number(digits);
  const root = decodeBase64(encoded);
  if (log === undefined || !Number.isSafeInteger(size) || root?.length !== HASH_BYTES) return null;
  return { log, size, root };
}

/** The checkpoint as a note signed by its log. */
export function signCheckpoint(checkpoint: Checkpoint, privateKey: KeyObject): string {
  return signNote(formatCheckpoint(checkpoint), originOf(checkpoint.log), privateKey);
}

/** The checkpoint in a note, when this verifier's key signed it and the log is the one that the key is for; null otherwise. */
export function openCheckpoint(note: string, verifier: Verifier): Checkpoint | null {
  const parsed = parseNote(note);
  if (parsed === null || !isSignedBy(parsed, verifier)) return null;
  const checkpoint = parseCheckpoint(parsed.text);
  return checkpoint !== null && originOf(checkpoint.log) === verifier.name ? checkpoint : null;
}
