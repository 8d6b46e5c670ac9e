/**
 * Gets one batch into the store, whatever happens: the answer to an append may be no, or yes that sounded like no, or silence. So after
 * anything but a clear yes the store is read back by seq. Nothing is ever decided again: the same bytes, or the end.
 */
import { plusMs } from '../risk/domain/time.ts';
import type { Timers } from '../execution/time.ts';
import type { LogStore, StoredLine } from './journal.ts';

/** The store holds another record where ours should be, or has lost one that it had acknowledged: this process's memory is not the log's. */
export class LogFork extends Error {
  override readonly name = 'LogFork';
}

export interface CommitterOptions {
  readonly store: LogStore;
  /** The wall's, also when the log keeps a replayed market's time. */
  readonly timers: Timers;
  readonly emergencyAfterMs: number;
  /** An attempt failed; the outcome of the batch is unknown until `onHealed`. Called for every failure. */
  readonly onTrouble: (error: Error) => void;
  /** The log has not been writable for `emergencyAfterMs`; once for each time of trouble. Attempts go on. */
  readonly onEmergency: (error: Error) => void;
  /** The batch is stored after all. */
  readonly onHealed: () => void;
}

/** Resolves when the lines are stored. `before` is the hash of the durable record before them. Rejects with `LogFork` only. One at a time. */
export type Commit = (lines: readonly StoredLine[], before: string) => Promise<void>;

const FIRST_RETRY_MS = 25;
const LAST_RETRY_MS = 1_000;

export function createCommitter(options: CommitterOptions): Commit {
  const { store, timers } = options;
  return async (lines, before) => {
    const cutAt = timers.now();
    try {
      await store.append(lines);
    } catch (error) {
      await heal(options, lines, before, asError(error), cutAt);
    }
  };
}

async function heal(options: CommitterOptions, lines: readonly StoredLine[], before: string, first: Error, cutAt: ReturnType<Timers['now']>): Promise<void> {
  const { store, timers, emergencyAfterMs, onTrouble, onEmergency, onHealed } = options;
  let last = first;
  const now = timers.now(); // before the cut where the clock was set back meanwhile
  const alarm = timers.at(plusMs(cutAt < now ? cutAt : now, emergencyAfterMs), () => {
    onEmergency(last);
  });
  onTrouble(first);
  try {
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
      try {
        const rest = await missing(store, lines, before);
        if (rest.length > 0) await store.append(rest);
        break;
      } catch (error) {
        if (error instanceof LogFork) throw error;
        last = asError(error);
        onTrouble(last);
      }
      await new Promise<void>((resolve) => { timers.at(plusMs(timers.now(), delayMs), resolve); });
    }
  } finally {
    alarm.cancel();
  }
  onHealed();
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** The lines that the store does not hold. Errors: `LogFork`; the store's own when it cannot be read. */
async function missing(store: LogStore, lines: readonly StoredLine[], before: string): Promise<readonly StoredLine[]> {
  const first = lines[0]?.seq ?? 0;
  const from = Math.max(0, first - 1);
  const found = await store.read(from, lines.length + 1);
  if (first > 0 && (found[0]?.seq !== from || found[0].hash !== before)) {
    throw new LogFork(`the record before seq ${String(first)} is not the one that the store had acknowledged`);
  }
  const ours = found.filter(({ seq }) => seq >= first).slice(0, lines.length);
  for (const [i, { seq, hash, canonical }] of ours.entries()) {
    const line = lines[i];
    if (seq !== line?.seq || hash !== line.hash || canonical !== line.canonical) throw new LogFork(`another record stands at seq ${String(line?.seq)}`);
  }
  return lines.slice(ours.length);
}
