/**
 * The one writer of the log. A record gets its seq and hash and is folded in one synchronous turn, so that the next decision sees it; what
 * follows is transport. One commit is in flight; what comes meanwhile gathers, and the next batch is cut when it returns. A `Receipt` is
 * made here, of a stored record, and nowhere else.
 */
import type { LogRecord } from '../risk/domain/record.ts';
import type { Receipt } from '../risk/domain/proof.ts';
import type { Ns } from '../risk/domain/time.ts';
import type { Clock, Timers } from '../execution/time.ts';
import { createCommitter, LogFork } from './committer.ts';
import type { Appended, Journal, LogStore, StoredLine } from './journal.ts';
import { seal, type Head, type SubjectOf, type Unit } from './seal.ts';

export interface SequencerLimits {
  readonly batchUnits: number;
  readonly batchBytes: number;
  /** What waits and is in flight together; strategies are refused at three quarters of either. */
  readonly queueRecords: number;
  readonly queueBytes: number;
  readonly emergencyAfterMs: number;
}

export const LIMITS: SequencerLimits = { batchUnits: 1_024, batchBytes: 4 * 2 ** 20, queueRecords: 65_536, queueBytes: 64 * 2 ** 20, emergencyAfterMs: 5_000 };

export interface SequencerEvents {
  /** A batch is stored: its records and receipts in order. Called before those who wait for them. */
  readonly onDurable: (records: readonly LogRecord[], receipts: readonly Receipt[]) => void;
  /** An attempt to write failed; the sequencer goes on trying. */
  readonly onTrouble: (error: Error) => void;
  /** The log has not been writable for `emergencyAfterMs`: cancel what works, through the emergency log, and stay up. */
  readonly onEmergency: (error: Error) => void;
  /** The log is writable again after an emergency. */
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
  readonly state: SequencerState;
  /** Hash of the last durable record: with `durableSize` what a checkpoint may sign. */
  readonly durableHash: string;
  /** Takes nothing more, and resolves when all that was taken is durable. Rejects when it never will be. */
  close(): Promise<void>;
}

/** A unit on its way, with those who wait for it. */
interface Pending extends Unit {
  readonly durable: Promise<readonly Receipt[]>;
  readonly resolve: (receipts: readonly Receipt[]) => void;
  readonly reject: (error: Error) => void;
}

const STRATEGY_SHARE = 0.75;

export function createSequencer(options: SequencerOptions): Sequencer {
  const { log, store, clock, fold, subjectOf, events, limits = LIMITS, defer = setImmediate } = options;
  const queue: Pending[] = [];
  let inFlight: readonly Pending[] = [];
  let head = options.head;
  let lastReading = head.at;
  let durable = { size: head.size, hash: head.hash };
  let records = 0;
  let bytes = 0;
  let isCutDue = false;
  let isClosed = false;
  let state: SequencerState = 'flowing';
  let failure: Error | null = null;

  const commit = createCommitter({
    store, timers: options.timers, emergencyAfterMs: limits.emergencyAfterMs,
    onTrouble(error) {
      if (state === 'flowing') state = 'unknown';
      events.onTrouble(error);
    },
    onEmergency(error) {
      if (state === 'failed') return;
      state = 'emergency';
      events.onEmergency(error);
    },
    onHealed(wasEmergency) {
      if (state === 'failed') return;
      state = 'flowing';
      if (wasEmergency) events.onRecovered();
    },
  });

  function fail(error: Error): void {
    if (failure !== null) return;
    state = 'failed';
    failure = error;
    const lost = [...inFlight, ...queue.splice(0)];
    inFlight = [];
    for (const unit of lost) unit.reject(error);
    events.onFatal(error);
  }

  function cut(): void {
    isCutDue = false;
    if (inFlight.length > 0 || queue.length === 0) return;
    let size = 0;
    let count = 0;
    for (const unit of queue) {
      if (count > 0 && (count === limits.batchUnits || size + unit.bytes > limits.batchBytes)) break;
      size += unit.bytes;
      count += 1;
    }
    inFlight = queue.splice(0, count);
    commit(linesOf(inFlight), durable.hash).then(stored).catch(fail);
  }

  /** A crash before this line leaves records that nobody was told of; the next start folds them. */
  function stored(): void {
    const done = inFlight;
    const last = done.at(-1)?.lines.at(-1);
    if (last !== undefined) durable = { size: last.seq + 1, hash: last.hash };
    for (const unit of done) {
      records -= unit.lines.length;
      bytes -= unit.bytes;
    }
    inFlight = [];
    cut(); // before the answers: the disk works while they are given
    const receipts = done.map(({ lines }) => lines.map((line) => receiptOf(log, line)));
    events.onDurable(done.flatMap((unit) => unit.records), receipts.flat());
    for (const [i, unit] of done.entries()) unit.resolve(receipts[i] ?? []);
  }

  /** `at` never decreases. */
  function instant(): Ns {
    const now = clock.now();
    const back = lastReading - now;
    lastReading = now;
    if (back > 0n) events.onClockStep(back as Ns);
    return now > head.at ? now : head.at;
  }

  function append(drafts: Parameters<Journal['append']>[0]): Appended {
    if (failure !== null) throw failure;
    if (isClosed) throw new Error('the log is closed');
    const at = instant(); // before the head is read: who is told of a clock's step may append
    const unit = pending(seal(log, head, at, drafts, subjectOf));
    const last = unit.records.at(-1);
    head = { size: head.size + unit.lines.length, hash: unit.lines.at(-1)?.hash ?? head.hash, at: last?.at ?? head.at };
    queue.push(unit);
    records += unit.lines.length;
    bytes += unit.bytes;
    try {
      for (const record of unit.records) fold(record);
    } catch (error) {
      fail(error as Error); // half a unit may be folded: this memory is of no use any more
      throw error;
    }
    if (inFlight.length === 0 && !isCutDue) {
      isCutDue = true;
      defer(cut);
    }
    return { records: unit.records, durable: unit.durable };
  }

  async function whenDurable(seq: number): Promise<Receipt> {
    if (!Number.isSafeInteger(seq) || seq < 0 || seq >= head.size) throw new RangeError(`there is no record ${String(seq)} yet`);
    const unit = [...inFlight, ...queue].find(({ lines }) => (lines.at(-1)?.seq ?? -1) >= seq);
    if (unit === undefined || seq < durable.size) {
      const [line] = await store.read(seq, 1);
      if (line?.seq !== seq) throw new LogFork(`the store has lost record ${String(seq)}`);
      return receiptOf(log, line);
    }
    const receipt = (await unit.durable).find((one) => one.seq === seq);
    if (receipt === undefined) throw new RangeError(`there is no record ${String(seq)}`);
    return receipt;
  }

  return {
    log,
    get nextSeq() { return head.size; },
    get durableSize() { return durable.size; },
    get durableHash() { return durable.hash; },
    get state() { return state; },
    accepts(lane) {
      if (state === 'failed' || isClosed) return false;
      if (lane === 'reserved') return true;
      return state === 'flowing' && records < limits.queueRecords * STRATEGY_SHARE && bytes < limits.queueBytes * STRATEGY_SHARE;
    },
    append,
    whenDurable,
    async close() {
      isClosed = true;
      if (failure !== null) throw failure;
      await (queue.at(-1) ?? inFlight.at(-1))?.durable;
    },
  };
}

/** The only place where a receipt is made: its record was read from, or acknowledged by, the store. */
const receiptOf = (log: string, { seq, hash }: { readonly seq: number; readonly hash: string }): Receipt => ({ log, seq, hash }) as Receipt;

const linesOf = (units: readonly Pending[]): readonly StoredLine[] => (units.length === 1 ? units[0]?.lines ?? [] : units.flatMap(({ lines }) => lines));

function pending(unit: Unit): Pending {
  let resolve!: Pending['resolve'];
  let reject!: Pending['reject'];
  const durable = new Promise<readonly Receipt[]>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  durable.catch(() => undefined); // a unit for which nobody waits: `onFatal` tells
  return { ...unit, durable, resolve, reject };
}
