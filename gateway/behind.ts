/**
 * What goes on behind the live log, off its loop: a snapshot now and then, and after a start the verification of all that was there, what
 * the start took from a snapshot as well as how the rows that it read are found. A snapshot that fails is told and harms nothing: the next
 * start folds more. A past that is broken halts the firm.
 */
import { Worker } from 'node:worker_threads';
import type { SnapshotJob, VerifyJob } from '../compliance/behind.ts';
import type { Fault } from '../compliance/chain.ts';
import { draft, SYSTEM, type RecordBodies } from '../compliance/records.ts';
import type { House } from './house.ts';
import type { OpenLog } from './open-log.ts';

/** Durable records between two snapshots, at least; half as many as the last one folded, when that is more: a larger state costs more to write. */
const SNAPSHOT_RECORDS_MIN = 50_000;
/** Records since the last look: a snapshot waits while the log is busier than this, for it would take the core that the database needs. */
const BUSY_RECORDS_A_LOOK = 1_000;
/** So many looks at a log that is not busy, one after the other: a pause of the traffic is not yet its end. */
const QUIET_LOOKS = 10;
/** So many between two snapshots end the waiting: about what a start folds at most. */
const SNAPSHOT_RECORDS_MAX = 1_000_000;

/** When a snapshot is made: after so many durable records, and so many quiet looks. */
export interface Pace {
  readonly recordsMin: number;
  readonly quietLooks: number;
}

const PACE: Pace = { recordsMin: SNAPSHOT_RECORDS_MIN, quietLooks: QUIET_LOOKS };

interface Jobs {
  readonly snapshot: { readonly job: SnapshotJob; readonly result: RecordBodies['state.snapshotted'] };
  readonly verify: { readonly job: VerifyJob; readonly result: { readonly fault: Fault | null } };
}
const ENTRIES: { readonly [K in keyof Jobs]: URL } = {
  snapshot: new URL('../compliance/snapshot-worker.js', import.meta.url),
  verify: new URL('../compliance/verify-worker.js', import.meta.url),
};

export class Behind {
  readonly #opened: Pick<OpenLog, 'log' | 'writer' | 'resumedFrom' | 'head'>;
  readonly #say: (line: string) => void;
  readonly #pace: Pace;
  readonly #threads = new Map<keyof Jobs, Worker>();
  /** Size of the last snapshot that was asked for, made or not: one that fails is not tried again at once. */
  #asked: number;
  #seen: number;
  #quietLooks = 0;
  #isStopped = false;
  #isPastKnown = false;

  constructor(opened: Pick<OpenLog, 'log' | 'writer' | 'resumedFrom' | 'head'>, say: (line: string) => void, pace = PACE) {
    this.#opened = opened;
    this.#say = say;
    this.#pace = pace;
    this.#asked = opened.resumedFrom.size;
    this.#seen = opened.resumedFrom.size;
    this.#isPastKnown = opened.head.size === 0;
  }

  /** Begins a snapshot when enough has become durable since the last and the log has been quiet, or when so much has that it waits no longer; never two at once. */
  async look({ journal, fail }: Pick<House, 'journal' | 'fail'>): Promise<void> {
    const size = journal.durableSize;
    const recordsSince = size - this.#asked;
    this.#quietLooks = size - this.#seen > BUSY_RECORDS_A_LOOK ? 0 : this.#quietLooks + 1;
    this.#seen = size;
    const isQuiet = this.#quietLooks >= this.#pace.quietLooks;
    const isDue = recordsSince >= SNAPSHOT_RECORDS_MAX || (isQuiet && recordsSince >= Math.max(this.#pace.recordsMin, this.#asked / 2));
    if (!isDue || this.#isStopped || this.#threads.has('snapshot')) return;
    this.#asked = size;
    const { log, writer: connection } = this.#opened;
    const taken = await this.#run('snapshot', { connection, log, size });
    // A crash before this line leaves a snapshot that no start takes.
    if (taken !== null && journal.accepts('reserved')) journal.append([draft('state.snapshotted', SYSTEM, null, taken)]).durable.catch(fail);
  }

  /**
   * Verifies what was there at the start, until that is known: a call after a failure looks again, one after an answer does nothing.
   * A fault is an alert in the log, and `halt` is told the reason.
   */
  async verifyPast({ journal, fail }: Pick<House, 'journal' | 'fail'>, halt: (reason: string) => void): Promise<void> {
    if (this.#isPastKnown || this.#isStopped || this.#threads.has('verify')) return;
    const { log, writer: connection, head: { size, hash } } = this.#opened;
    const answer = await this.#run('verify', { connection, log, until: { size, hash } });
    if (answer === null) return;
    this.#isPastKnown = true;
    const { fault } = answer;
    if (fault === null) return;
    halt(`the log is broken at record ${String(fault.seq)}: ${fault.code}`);
    const detail = `record ${String(fault.seq)}: ${fault.code}: ${fault.detail}`;
    this.#say(`the log is broken: ${detail}`);
    if (journal.accepts('reserved')) journal.append([draft('alert.raised', SYSTEM, null, { code: 'LOG_BROKEN', detail })]).durable.catch(fail);
  }

  /** Ends what runs; nothing is recorded of it any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#threads.values()].map((thread) => thread.terminate()));
  }

  /** Null: it failed, which was told, or was ended. */
  async #run<K extends keyof Jobs>(kind: K, job: Jobs[K]['job']): Promise<Jobs[K]['result'] | null> {
    const thread = new Worker(ENTRIES[kind], { workerData: job });
    thread.unref(); // the process ends without waiting for it
    this.#threads.set(kind, thread);
    try {
      return await answerOf<Jobs[K]['result']>(thread);
    } catch (error) {
      if (!this.#isStopped) this.#say(`the ${kind} thread failed: ${(error as Error).message}`);
      return null;
    } finally {
      this.#threads.delete(kind);
    }
  }
}

const answerOf = <T>(thread: Worker): Promise<T> => new Promise((resolve, reject) => {
  thread.once('message', resolve).once('error', reject).once('exit', () => { reject(new Error('it ended without an answer')); });
});
