/** Time that stands until it is moved. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Timers } from '../../execution/time.ts';
import { instant, plusMs, type Ns } from '../../risk/domain/time.ts';

export interface ManualTimers extends Timers {
  /** Sets the clock, backwards too, without running anything. */
  set(to: Ns): void;
  /** Runs everything due within `ms`, letting promises settle before and after each. */
  advance(ms: number): Promise<void>;
  /** Lets promises and immediates settle, at this instant. */
  settle(): Promise<void>;
}

export function manualTimers(start = instant('2026-11-20T09:30:00Z')): ManualTimers {
  let now = start;
  let waiting: { readonly when: Ns; readonly run: () => void }[] = [];
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 8; i++) await turn();
  };
  return {
    now: () => now,
    set(to) { now = to; },
    at(when, run) {
      const timer = { when, run };
      waiting.push(timer);
      return { cancel() { waiting = waiting.filter((one) => one !== timer); } };
    },
    settle,
    async advance(ms) {
      const end = plusMs(now, ms);
      for (;;) {
        await settle();
        const next = waiting.filter(({ when }) => when <= end).reduce<(typeof waiting)[number] | null>((a, b) => (a === null || b.when < a.when ? b : a), null);
        if (next === null) break;
        waiting = waiting.filter((one) => one !== next);
        if (next.when > now) now = next.when;
        next.run();
      }
      now = end;
    },
  };
}

/** The machine's own time. */
export function wallTimers(): Timers {
  const now = (): Ns => (BigInt(Date.now()) * 1_000_000n) as Ns;
  return {
    now,
    at(when, run) {
      const timer = setTimeout(run, Math.max(0, Number(when - now()) / 1e6));
      return { cancel() { clearTimeout(timer); } };
    },
  };
}
