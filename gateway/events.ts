/** The log as a stream: because every subscriber reads the log from where it stands, resuming is the same as beginning. */
import { parseRecord } from '../compliance/fold.ts';
import type { LogStore, StoredRecord } from '../compliance/journal.ts';
import type { Principal } from './auth/principal.ts';
import { seesRecord, type AccountOf } from './auth/sight.ts';
import { channelsOf, type EventSink, type EventSource, type LogChannel, type Subscription } from './ws/events.ts';

/** Durable records kept in memory for those who keep up; the others read the database. */
const RECENT_MAX = 8_192;
const PAGE = 500;

export class EventHub implements EventSource {
  readonly #store: LogStore;
  readonly #accountOf: AccountOf;
  /** Empty while nobody listens: what nobody will read is not kept. */
  #recent: StoredRecord[] = [];
  #listeners = 0;
  #size: number;
  readonly #waiting = new Set<() => void>();
  readonly #failed: (error: unknown) => void;

  /** `size`: durable records at the start. `accountOf`: the account that a strategy is registered on. `failed` is told when the past cannot be read. */
  constructor(store: LogStore, size: number, accountOf: AccountOf, failed: (error: unknown) => void) {
    this.#store = store;
    this.#size = size;
    this.#accountOf = accountOf;
    this.#failed = failed;
  }

  /** Records that have become durable, in order. */
  publish(records: readonly StoredRecord[]): void {
    if (this.#listeners > 0) for (const record of records) this.#recent.push(record);
    if (this.#recent.length > 2 * RECENT_MAX) this.#recent = this.#recent.slice(-RECENT_MAX);
    this.#size += records.length;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  subscribe(principal: Principal, channels: ReadonlySet<LogChannel>, after: number | null, sink: EventSink): Subscription {
    let closed = false;
    let wake = (): void => undefined;
    const isOver = (): boolean => closed || sink.closed;
    const pump = async (): Promise<void> => {
      let next = after === null ? this.#size : after + 1;
      while (!isOver()) {
        const page = await this.#page(next);
        // Asked again: it may have closed while the page was read, or at the event before.
        for (const stored of page) if (!isOver()) this.#offer(principal, channels, stored, sink);
        next += page.length;
        if (page.length > 0) await sink.drained();
        else if (!isOver()) await new Promise<void>((resolve) => this.#waiting.add(wake = resolve));
      }
    };
    this.#listeners += 1;
    pump().catch(this.#failed).finally(() => { this.#forget(); });
    return {
      // A log that does not grow would keep a closed listener, and its socket, in memory.
      close: () => {
        closed = true;
        this.#waiting.delete(wake);
        wake();
      },
    };
  }

  #forget(): void {
    this.#listeners -= 1;
    if (this.#listeners === 0) this.#recent = [];
  }

  /** Empty at the head, and while the database does not answer: both wait for the next durable record, which proves that it does. */
  async #page(from: number): Promise<readonly StoredRecord[]> {
    const first = this.#size - this.#recent.length;
    if (from >= first) return this.#recent.slice(from - first, from - first + PAGE);
    try {
      return await this.#store.read(from, PAGE);
    } catch (error) {
      this.#failed(error);
      return [];
    }
  }

  #offer(principal: Principal, channels: ReadonlySet<LogChannel>, stored: StoredRecord, sink: EventSink): void {
    const record = parseRecord(stored.canonical);
    if (!channelsOf(record.kind).some((channel) => channels.has(channel)) || !seesRecord(principal, record, this.#accountOf)) return;
    sink.send({ seq: stored.seq, kind: record.kind, canonical: stored.canonical });
  }
}
