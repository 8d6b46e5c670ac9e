import type { Ns } from '../../risk/domain/time.ts';
import type { Timers } from '../time.ts';
import { dueItems } from './due.ts';

/** A clock that moves only when told to: the simulation's and the tests'. */
export interface VirtualTimers extends Timers {
  /** Runs the earliest item, at its instant; false when there is none. */
  runNext(): boolean;
  /** Runs what is due up to and including `to`, then stands at `to`. */
  advanceTo(to: Ns): void;
  nextDue(): Ns | null;
  stop(): void;
}

/** Deterministic: the same calls give the same order. An item asked for in the past runs at the present: time never goes back. */
export function virtualTimers(start: Ns): VirtualTimers {
  const items = dueItems();
  let now = start;

  function runNext(): boolean {
    const next = items.next();
    if (next === null) return false;
    if (next > now) now = next;
    items.take()?.();
    return true;
  }

  return {
    now: () => now,
    at: (when, run) => items.add(when, run),
    runNext,
    advanceTo(to) {
      for (let next = items.next(); next !== null && next <= to; next = items.next()) runNext();
      if (to > now) now = to;
    },
    nextDue: () => items.next(),
    stop() {
      items.close();
    },
  };
}
