/**
 * What is done while the log cannot be written: halts, withdrawals and cancels, chained and flushed to DATA_DIR/emergency.log before they act, and
 * adopted into the log when it can be written again. NDJSON, one entry a line:
 *   {"at":"…","body":{…},"hash":"…","kind":"cancel.requested","n":0,"prev":"…"}
 * `hash` is SHA-256 of the line's canonical text without `hash`; `prev` is that of the entry before, 64 zeros for the first.
 *
 * The write is synchronous, flush included: the event loop has nothing better to do than this, and a cancel must not wait behind a queue.
 * A crash on any line leaves whole entries and at most one torn last line, whose cancel was never sent.
 */
import {
  appendFileSync, closeSync, constants, existsSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, readdirSync, readFileSync, renameSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Json } from '../risk/domain/record.ts';
import { formatInstant, parseInstant, type Ns } from '../risk/domain/time.ts';
import { canonicalize, contentHash } from './canonical.ts';
import { NO_HASH } from './seal.ts';

const KINDS = ['switch.flipped', 'target.withdrawn', 'cancel.requested'] as const;
export type EmergencyKind = (typeof KINDS)[number];

/** What was done: who did it, and the body as the record of that kind has it. */
export interface EmergencyDeed {
  readonly kind: EmergencyKind;
  readonly body: Json;
}

export interface EmergencyEntry extends EmergencyDeed {
  readonly n: number;
  readonly at: Ns;
  readonly hash: string;
}

export interface EmergencyContents {
  /** Whole and chained, in order. */
  readonly entries: readonly EmergencyEntry[];
  /** The last line was cut off by a crash: what it said was never done. */
  readonly isTorn: boolean;
  /** Why reading ended before the end; null when the chain holds. Entries before it stand. */
  readonly fault: string | null;
  /** Bytes of the entries. */
  readonly bytes: number;
}

export interface EmergencyLog {
  /** What was done and is not archived yet, in order. */
  entries(): readonly EmergencyEntry[];
  /** One flush for all, and all are on disk when it returns. Errors: the disk's; then they are done all the same and the error told. */
  append(at: Ns, deeds: readonly EmergencyDeed[]): readonly EmergencyEntry[];
  /** Sets the file aside as emergency-<n>.log, once its entries are durable in the log; the next entry begins a new chain. */
  archive(): void;
  close(): void;
}

export const emergencyPath = (dataDir: string): string => join(dataDir, 'emergency.log');

/** All entries of the file; none when there is no file. */
export function readEmergency(path: string): EmergencyContents {
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const lines = text.split('\n');
  const isTorn = lines.pop() !== '';
  const entries: EmergencyEntry[] = [];
  let bytes = 0;
  for (const line of lines) {
    const entry = parseEntry(line, entries.length, entries.at(-1)?.hash ?? NO_HASH);
    if (typeof entry === 'string') return { entries, isTorn, fault: `entry ${String(entries.length)}: ${entry}`, bytes };
    entries.push(entry);
    bytes += Buffer.byteLength(line) + 1;
  }
  return { entries, isTorn, fault: null, bytes };
}

/** The entry, or what is wrong with its line. */
function parseEntry(line: string, n: number, prev: string): EmergencyEntry | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return (error as Error).message;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  const { hash, ...rest } = value as Record<string, Json>;
  const at = parseInstant(rest['at']);
  const kind = KINDS.find((one) => one === rest['kind']);
  if (typeof hash !== 'string' || contentHash(rest) !== hash) return 'its hash is not that of its text';
  if (rest['n'] !== n || rest['prev'] !== prev) return 'it does not follow the entry before';
  if (at === null || kind === undefined || rest['body'] === undefined) return 'a field is missing';
  return { n, at, kind, body: rest['body'], hash };
}

/**
 * Opens the file for appending, after its last whole entry; a torn line is cut off. Errors: a broken chain, which somebody must look at
 * first; the folder's.
 */
export function openEmergency(path: string): EmergencyLog {
  let file = openFile(path);
  let { n, prev, bytes } = file;
  return {
    entries: () => readEmergency(path).entries,
    append(at, deeds) {
      const all = chained(at, deeds, n, prev);
      const text = all.map(({ line }) => line).join('');
      try {
        appendFileSync(file.fd, text);
        fdatasyncSync(file.fd);
      } catch (error) {
        ftruncateSync(file.fd, bytes); // a full disk may have taken half of it: the next entry must begin a line
        throw error;
      }
      bytes += Buffer.byteLength(text);
      n += all.length;
      prev = all.at(-1)?.entry.hash ?? prev;
      return all.map(({ entry }) => entry);
    },
    archive() {
      if (n === 0) return;
      closeSync(file.fd);
      renameSync(path, join(dirname(path), `emergency-${String(archived(path) + 1)}.log`));
      file = openFile(path);
      ({ n, prev, bytes } = file);
    },
    close() { closeSync(file.fd); },
  };
}

/** The entries that these deeds make after `before`, each with its line. */
function chained(at: Ns, deeds: readonly EmergencyDeed[], first: number, before: string): readonly { readonly entry: EmergencyEntry; readonly line: string }[] {
  let prev = before;
  return deeds.map(({ kind, body }, i) => {
    const n = first + i;
    const unhashed = { at: formatInstant(at), body, kind, n, prev };
    prev = contentHash(unhashed);
    return { entry: { n, at, kind, body, hash: prev }, line: `${canonicalize({ ...unhashed, hash: prev })}\n` };
  });
}

interface OpenFile {
  readonly fd: number;
  readonly n: number;
  readonly prev: string;
  readonly bytes: number;
}

function openFile(path: string): OpenFile {
  const { entries, fault, bytes } = readEmergency(path);
  if (fault !== null) {
    throw new Error(`${path} does not hold together (${fault}): it may hold a halt, so make the file KILL beside it; then keep it as evidence, under another name`);
  }
  const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  ftruncateSync(fd, bytes);
  fsyncSync(fd);
  flushFolder(dirname(path));
  return { fd, n: entries.length, prev: entries.at(-1)?.hash ?? NO_HASH, bytes };
}

/** A new name is on disk only when its folder is. */
function flushFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY);
  fsyncSync(fd);
  closeSync(fd);
}

/** The highest number given to a file set aside. */
function archived(path: string): number {
  return Math.max(0, ...readdirSync(dirname(path)).map((name) => Number(/^emergency-(\d+)\.log$/.exec(name)?.[1] ?? 0)));
}
