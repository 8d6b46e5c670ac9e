import type { Clock, Timers } from '../time.ts';
import { plusMs } from '../../risk/domain/time.ts';
import { dueItems } from './due.ts';
import { wallClock } from './wall.ts';

/** The longest wait of `setTimeout`; a longer one would fire at once. */
export const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/** So long may items run in one turn: when hundreds of slices are due at one instant, switches and cancels must not wait for all of them. */
const TURN_MS_MAX = 5;

/** Timers on the wall's clock: one `setTimeout` for the earliest item. An error of an item leaves as an uncaught exception; the others still run. */
export function realTimers(clock: Clock = wallClock()): Timers & { stop(): void } {
  const items = dueItems();
  let armed: NodeJS.Timeout | undefined;

  function arm(): void {
    clearTimeout(armed);
    const next = items.next();
    if (next === null) return;
    const waitMs = Math.ceil(Number(next - clock.now()) / 1e6);
    armed = setTimeout(fire, Math.min(Math.max(waitMs, 0), TIMEOUT_MAX_MS));
  }

  function fire(): void {
    const now = clock.now();
    const last = plusMs(now, TURN_MS_MAX);
    try {
      for (let next = items.next(); next !== null && next <= now && clock.now() < last; next = items.next()) items.take()?.();
    } finally {
      arm();
    }
  }

  return {
    now: () => clock.now(),
    at(when, run) {
      const before = items.next();
      const timer = items.add(when, run);
      if (before === null || when < before) arm();
      return timer;
    },
    stop() {
      items.close();
      clearTimeout(armed);
    },
  };
}
