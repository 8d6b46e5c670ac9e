/**
 * Verifies a log as a stranger does: from its texts alone. Knows the envelope of a record and nothing of what records mean.
 * The first fault is data; nothing after it is looked at.
 */
import { formatInstant, parseInstant } from '../risk/domain/time.ts';
import type { Json } from '../risk/domain/record.ts';
import { canonicalize, leafHash, RECORD_BYTES_MAX } from './canonical.ts';
import { openCheckpoint } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import { TreeBuilder } from './merkle.ts';
import type { Verifier } from './note.ts';
import { NO_HASH } from './seal.ts';

export type FaultCode =
  | 'TOO_LARGE' | 'HASH_MISMATCH' | 'NOT_CANONICAL' | 'LOG_MISMATCH' | 'GAP' | 'PREV_MISMATCH' | 'TIME_BACKWARDS' | 'CHECKPOINT_MISMATCH' | 'SIGNATURE'
  /** Of a database alone: a row is found by other words than its text has. */
  | 'MISFILED';
export interface Fault {
  /** The seq that should have stood there. */
  readonly seq: number;
  readonly code: FaultCode;
  /** What was seen and what was expected, for a person. */
  readonly detail: string;
}

/** A record as stored or exported; the hash where the source states one. */
export interface ChainLine {
  readonly canonical: string;
  readonly hash?: string;
}

/** Where a verification begins: after `tree.size` records, of which `head` is the last one's hash. */
export interface ChainStart {
  readonly tree: TreeBuilder;
  readonly head: string;
  /** Null: whatever the first record names. */
  readonly log: string | null;
  /** `at` of the record before; the empty text before the first. Instants of one form order as texts. */
  readonly at: string;
}

export const genesis = (log: string | null = null): ChainStart => ({ tree: new TreeBuilder(), head: NO_HASH, log, at: '' });

/** Feed it lines in order; `fault` is the first fault or null. */
export class ChainVerifier {
  readonly #tree: TreeBuilder;
  readonly #expected: readonly Checkpoint[];
  #next = 0;
  #head: string;
  #log: string | null;
  #at: string;
  #fault: Fault | null = null;

  /**
   * `checkpoints`, opened already, are compared as their sizes are reached; `finish` finds those that never were. Those of fewer
   * records than the start has are not judged.
   */
  constructor(start: ChainStart = genesis(), checkpoints: readonly Checkpoint[] = []) {
    this.#tree = start.tree;
    this.#head = start.head;
    this.#log = start.log;
    this.#at = start.at;
    this.#expected = checkpoints.toSorted((a, b) => a.size - b.size);
    this.#compareCheckpoints();
  }

  /** Number of records that hold. */
  get size(): number {
    return this.#tree.size;
  }
  /** Hash of the last record that holds, hex. */
  get head(): string {
    return this.#head;
  }
  /** The log's id; null before the first record. */
  get log(): string | null {
    return this.#log;
  }
  get fault(): Fault | null {
    return this.#fault;
  }
  /** Root of the records that hold. */
  root(): Buffer {
    return this.#tree.root();
  }

  /** Takes the next record. Returns the first fault so far, or null. */
  add(line: ChainLine): Fault | null {
    if (this.#fault !== null) return this.#fault;
    const hash = leafHash(line.canonical);
    const envelope = this.#inspect(line, hash);
    if (envelope === null) return this.#fault;
    this.#tree.add(hash);
    this.#head = hash;
    this.#log = envelope.log;
    this.#at = envelope.at;
    this.#compareCheckpoints();
    return this.#fault;
  }

  /** After the last record: a checkpoint of a larger size means that records are missing. */
  finish(): Fault | null {
    const ahead = this.#expected[this.#next];
    if (ahead !== undefined) this.#blame('CHECKPOINT_MISMATCH', `a checkpoint of ${String(ahead.size)} records, ${String(this.size)} given`);
    return this.#fault;
  }

  #inspect({ canonical, hash: stored }: ChainLine, hash: string): Envelope | null {
    const bytes = Buffer.byteLength(canonical);
    if (bytes > RECORD_BYTES_MAX) return this.#blame('TOO_LARGE', `${String(bytes)} bytes, at most ${String(RECORD_BYTES_MAX)}`);
    if (stored !== undefined && stored !== hash) return this.#blame('HASH_MISMATCH', `stored ${stored}, computed ${hash}`);
    const envelope = readEnvelope(canonical);
    if (typeof envelope === 'string') return this.#blame('NOT_CANONICAL', envelope);
    const log = this.#log ?? envelope.log;
    if (envelope.log !== log) return this.#blame('LOG_MISMATCH', `log ${envelope.log}, expected ${log}`);
    if (envelope.seq !== this.size) return this.#blame('GAP', `seq ${String(envelope.seq)}, expected ${String(this.size)}`);
    if (envelope.prev !== this.#head) return this.#blame('PREV_MISMATCH', `prev ${envelope.prev}, expected ${this.#head}`);
    if (envelope.at < this.#at) return this.#blame('TIME_BACKWARDS', `at ${envelope.at}, after ${this.#at}`);
    return envelope;
  }

  #compareCheckpoints(): void {
    for (;;) {
      const next = this.#expected[this.#next];
      if (next === undefined || next.size > this.size) return;
      this.#next += 1;
      if (this.#log !== null && next.log !== this.#log) this.#blame('LOG_MISMATCH', `a checkpoint of log ${next.log}, expected ${this.#log}`);
      else if (next.size === this.size && !next.root.equals(this.root())) {
        const [seen, expected] = [this.root(), next.root].map((root) => root.toString('base64'));
        this.#blame('CHECKPOINT_MISMATCH', `root ${String(seen)} at size ${String(this.size)}, the checkpoint says ${String(expected)}`);
      }
    }
  }

  #blame(code: FaultCode, detail: string): null {
    this.#fault ??= { seq: this.size, code, detail };
    return null;
  }
}

/** Opens a signed checkpoint for `ChainVerifier`; a note that this key did not sign, or that is none, is the fault SIGNATURE. */
export function openForChain(note: string, verifier: Verifier): Checkpoint | Fault {
  return openCheckpoint(note, verifier) ?? { seq: 0, code: 'SIGNATURE', detail: `not a checkpoint signed by ${verifier.name}+${verifier.keyId}` };
}

interface Envelope {
  readonly at: string;
  readonly log: string;
  readonly prev: string;
  readonly seq: number;
}

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
const matches = (pattern: RegExp) => (value: unknown): boolean => typeof value === 'string' && pattern.test(value);
const hasShape = (value: unknown, shape: Shape): boolean =>
  isObject(value) && Object.keys(value).join() === Object.keys(shape).join() && Object.entries(value).every(([key, part]) => shape[key]?.(part) === true);

const ACTOR: Shape = { id: (value) => typeof value === 'string', role: matches(/^[a-z_]+$/) };
/** In key order, as the canonical text has them. */
const ENVELOPE: Shape = {
  actor: (value) => hasShape(value, ACTOR),
  at: isInstant,
  body: isObject,
  cause: (value) => value === null || isCount(value),
  kind: matches(/^[a-z-]+\.[a-z-]+$/),
  log: matches(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  prev: matches(/^[0-9a-f]{64}$/),
  seq: isCount,
  v: isCount,
};

/** Nine fractional digits, always: one form, so that instants order as texts. */
function isInstant(value: unknown): boolean {
  const at = parseInstant(value);
  return at !== null && formatInstant(at) === value;
}

/** The envelope of a canonical text, or why it is none. */
function readEnvelope(canonical: string): Envelope | string {
  let record: Json;
  try {
    record = JSON.parse(canonical) as Json;
    if (canonicalize(record) !== canonical) return 'not the canonical form of its content';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return hasShape(record, ENVELOPE) ? (record as unknown as Envelope) : 'not the envelope of a record';
}
