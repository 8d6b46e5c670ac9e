/**
 * The one writer of the log. A record gets its seq and hash and is folded in one synchronous turn, so that the next decision sees it; what
 * follows is transport. One commit is in flight; what comes meanwhile gathers, and the next batch is cut when it returns. A `Receipt` is
 * made here, of a stored record, and nowhere else.
 */
import type { Draft, LogRecord } from '../risk/domain/record.ts';
import type { Receipt } from '../risk/domain/proof.ts';
import type { Ns } from '../risk/domain/time.ts';
import type { Clock, Timers } from '../execution/time.ts';
import { createCommitter, LogFork, type Commit } from './committer.ts';
import type { Appended, Journal, Lane, LogStore, StoredLine } from './journal.ts';
import { seal, type Head, type SubjectOf, type Unit } from './seal.ts';

export interface SequencerLimits {
  readonly batchUnits: number;
  readonly batchBytes: number;
  /** What waits and is in flight together; strategies are refused at three quarters of either. */
  readonly queueRecords: number;
  readonly queueBytes: number;
  readonly emergencyAfterMs: number;
}

export const LIMITS: SequencerLimits = { batchUnits: 1_024, batchBytes: 4 * 2 ** 20, queueRecords: 16_384, queueBytes: 64 * 2 ** 20, emergencyAfterMs: 5_000 };

export interface SequencerEvents {
  /** A batch is stored: its records, and their lines as stored, in order. Called before those who wait for them. */
  readonly onDurable: (records: readonly LogRecord[], lines: readonly StoredLine[]) => void;
  /** An attempt to write failed; the sequencer goes on trying. */
  readonly onTrouble: (error: Error) => void;
  /** The log has not been writable for `emergencyAfterMs`: cancel what works, through the emergency log, and stay up. */
  readonly onEmergency: (error: Error) => void;
  /** The log is writable again after trouble, however short: a kill may have gone past it meanwhile. */
  readonly onRecovered: () => void;
  /** Memory is no longer the log's fold: emergency cancel, exit 1. Every pending `durable` has been rejected with it. */
  readonly onFatal: (error: Error) => void;
  /** The clock was read this long before the reading before; `at` stands still meanwhile. May append. */
  readonly onClockStep: (back: Ns) => void;
}

export interface SequencerOptions {
  readonly log: string;
  /** Of the store, as verified at the start. */
  readonly head: Head;
  readonly store: LogStore;
  /** Gives `at`: the wall's clock or a replayed market's. */
  readonly clock: Clock;
  /** Counts retries and the emergency: always the wall's, or the simulation's. */
  readonly timers: Timers;
  readonly fold: (record: LogRecord) => void;
  readonly subjectOf: SubjectOf;
  readonly events: SequencerEvents;
  readonly limits?: SequencerLimits;
  /** Runs the first cut after all requests of one poll; the simulation gives its own. */
  readonly defer?: (run: () => void) => void;
}

/** `unknown`: the outcome of a commit is not known yet. `failed` is for ever. */
export type SequencerState = 'flowing' | 'unknown' | 'emergency' | 'failed';

export interface Sequencer extends Journal {
  /** `at` of the last record: a clock that reads less has stepped back. */
  readonly headAt: Ns;
  readonly state: SequencerState;
  /** Hash of the last durable record: with `durableSize` what a checkpoint may sign. */
  readonly durableHash: string;
  /** Takes nothing more, and resolves when all that was taken is durable. Rejects when it never will be. */
  close(): Promise<void>;
}

const STRATEGY_SHARE = 0.75;

export const createSequencer = (options: SequencerOptions): Sequencer => new LogSequencer(options);

class LogSequencer implements Sequencer {
  readonly log: string;
  readonly #options: SequencerOptions;
  readonly #limits: SequencerLimits;
  readonly #commit: Commit;
  /** Each gathers until it is full; the first is the next to be cut. */
  readonly #queue: Batch[] = [];
  #inFlight: Batch | null = null;
  #head: Head;
  #durable: { readonly size: number; readonly hash: string };
  #lastReading: Ns;
  /** Of what waits and is in flight. */
  #records = 0;
  #bytes = 0;
  #isCutDue = false;
  #isClosed = false;
  #state: Exclude<SequencerState, 'failed'> = 'flowing';
  #failure: Error | null = null;

  constructor(options: SequencerOptions) {
    const { log, head, limits = LIMITS, store, timers } = options;
    this.log = log;
    this.#options = options;
    this.#limits = limits;
    this.#head = head;
    this.#durable = head;
    this.#lastReading = head.at;
    this.#commit = createCommitter({
      store, timers, emergencyAfterMs: limits.emergencyAfterMs,
      onTrouble: (error) => { this.#trouble(error); },
      onEmergency: (error) => { this.#emergency(error); },
      onHealed: () => { this.#healed(); },
    });
  }

  get nextSeq(): number { return this.#head.size; }
  get headAt(): Ns { return this.#head.at; }
  get durableSize(): number { return this.#durable.size; }
  get durableHash(): string { return this.#durable.hash; }
  get state(): SequencerState { return this.#failure === null ? this.#state : 'failed'; }

  accepts(lane: Lane): boolean {
    if (this.#failure !== null || this.#isClosed) return false;
    if (lane === 'reserved') return true;
    const { queueRecords, queueBytes } = this.#limits;
    return this.#state === 'flowing' && this.#records < queueRecords * STRATEGY_SHARE && this.#bytes < queueBytes * STRATEGY_SHARE;
  }

  append(drafts: readonly Draft[], given?: Ns): Appended {
    if (this.#failure !== null) throw this.#failure;
    if (this.#isClosed) throw new Error('the log is closed');
    const now = given ?? this.now(); // before the head is read: who is told of a clock's step may append
    const at = now > this.#head.at ? now : this.#head.at;
    const unit = new Pending(this.log, seal(this.log, this.#head, at, drafts, this.#options.subjectOf));
    this.#head = { size: this.#head.size + unit.lines.length, hash: lastOf(unit).hash, at };
    this.#gather(unit);
    this.#records += unit.lines.length;
    this.#bytes += unit.bytes;
    this.#fold(unit);
    if (this.#inFlight === null && !this.#isCutDue) {
      this.#isCutDue = true;
      (this.#options.defer ?? setImmediate)(() => { this.#cut(); });
    }
    return unit;
  }

  async whenDurable(seq: number): Promise<Receipt> {
    if (!Number.isSafeInteger(seq) || seq < 0 || seq >= this.nextSeq) throw new RangeError(`there is no record ${String(seq)} yet`);
    if (seq >= this.durableSize) {
      const unit = this.#waiting().find((one) => lastOf(one).seq >= seq);
      const receipt = (await unit?.durable)?.find((one) => one.seq === seq);
      if (receipt !== undefined) return receipt;
    }
    if (this.#failure !== null) throw this.#failure;
    const [line] = await this.#options.store.read(seq, 1);
    if (line?.seq !== seq) throw new LogFork(`the store has lost record ${String(seq)}`);
    return receiptOf(this.log, line);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#failure !== null) throw this.#failure;
    await this.#waiting().at(-1)?.durable;
  }

  now(): Ns {
    const now = this.#options.clock.now();
    const back = this.#lastReading - now;
    this.#lastReading = now;
    if (back > 0n) this.#options.events.onClockStep(back as Ns);
    return now > this.#head.at ? now : this.#head.at;
  }

  #fold({ records }: Unit): void {
    try {
      for (const record of records) this.#options.fold(record);
    } catch (error) {
      this.#fail(error as Error); // half a unit may be folded: this memory is of no use any more
      throw error;
    }
  }

  #waiting(): Pending[] {
    return [...(this.#inFlight?.units ?? []), ...this.#queue.flatMap(({ units }) => units)];
  }

  #gather(unit: Pending): void {
    const { batchUnits, batchBytes } = this.#limits;
    let batch = this.#queue.at(-1);
    if (batch === undefined || batch.units.length === batchUnits || batch.bytes + unit.bytes > batchBytes) {
      batch = { units: [], records: [], lines: [], bytes: 0 };
      this.#queue.push(batch);
    }
    batch.units.push(unit);
    for (const record of unit.records) batch.records.push(record);
    for (const line of unit.lines) batch.lines.push(line);
    batch.bytes += unit.bytes;
  }

  /** Sends the next batch, unless one is in flight. */
  #cut(): void {
    this.#isCutDue = false;
    const batch = this.#inFlight === null ? this.#queue.shift() : undefined;
    if (batch === undefined) return;
    this.#inFlight = batch;
    this.#commit(batch.lines, this.#durable.hash)
      .then(() => { this.#stored(batch); })
      .catch((error: unknown) => { this.#fail(error as Error); });
  }

  /** A crash before this line leaves records that nobody was told of; the next start folds them. */
  #stored({ units, records, lines, bytes }: Batch): void {
    if (this.#failure !== null) return;
    const { seq, hash } = lines.at(-1) as StoredLine;
    this.#durable = { size: seq + 1, hash };
    this.#records -= lines.length;
    this.#bytes -= bytes;
    this.#inFlight = null;
    this.#cut(); // before the answers: the disk works while they are given
    this.#options.events.onDurable(records, lines);
    for (const unit of units) unit.settle('stored');
  }

  #trouble(error: Error): void {
    if (this.#state === 'flowing') this.#state = 'unknown';
    this.#options.events.onTrouble(error);
  }

  #emergency(error: Error): void {
    if (this.#failure !== null) return;
    this.#state = 'emergency';
    this.#options.events.onEmergency(error);
  }

  #healed(): void {
    if (this.#failure !== null) return;
    this.#state = 'flowing';
    this.#options.events.onRecovered();
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    for (const unit of this.#waiting()) unit.settle(error);
    this.#options.events.onFatal(error);
  }
}

/** Units that travel together, and all that they hold. */
interface Batch {
  readonly units: Pending[];
  readonly records: LogRecord[];
  readonly lines: StoredLine[];
  bytes: number;
}

const lastOf = ({ lines }: Unit): StoredLine => lines.at(-1) as StoredLine;

/** The only place where a receipt is made: its record was read from, or acknowledged by, the store. */
const receiptOf = (log: string, { seq, hash }: { readonly seq: number; readonly hash: string }): Receipt => ({ log, seq, hash }) as Receipt;

/** A unit on its way. Nobody waits for most of them, so the promise is made for who asks. */
class Pending implements Unit, Appended {
  readonly records: Unit['records'];
  readonly lines: Unit['lines'];
  readonly bytes: number;
  readonly #log: string;
  #durable: Promise<readonly Receipt[]> | null = null;
  #outcome: 'open' | 'stored' | Error = 'open';
  #tell: (() => void) | null = null;

  constructor(log: string, { records, lines, bytes }: Unit) {
    this.#log = log;
    this.records = records;
    this.lines = lines;
    this.bytes = bytes;
  }

  get durable(): Promise<readonly Receipt[]> {
    if (this.#durable !== null) return this.#durable;
    this.#durable = new Promise((resolve, reject) => {
      this.#tell = () => {
        if (this.#outcome instanceof Error) reject(this.#outcome);
        else resolve(this.lines.map((line) => receiptOf(this.#log, line)));
      };
      if (this.#outcome !== 'open') this.#tell();
    });
    this.#durable.catch(() => undefined); // one who asked and went away: `onFatal` tells
    return this.#durable;
  }

  settle(outcome: 'stored' | Error): void {
    this.#outcome = outcome;
    this.#tell?.();
  }
}
