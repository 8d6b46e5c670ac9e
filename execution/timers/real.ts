import type { Timers } from '../time.ts';
import { NS_PER_MS, plusMs, type Ns } from '../../risk/domain/time.ts';
import { dueItems } from './due.ts';
import { THIS_MACHINE, wallClock, type Machine } from './wall.ts';

/** The longest wait of `setTimeout`; a longer one would fire at once. */
export const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/** So long may items run in one turn: when hundreds of slices are due at one instant, switches and cancels must not wait for all of them. */
const TURN_MS_MAX = 5;

/** The counter may be ahead of the clock by less than this without a step: the clock itself is read a little earlier. */
const STEP_MIN_NS = 10n * NS_PER_MS;

/**
 * Timers on the wall's clock: one `setTimeout` for the earliest item. An error of an item leaves as an uncaught exception; the others still
 * run. What waits waits no longer for a clock that is set back: a kill file is looked at, and an emergency begins, when the time has passed.
 */
export function realTimers(machine: Machine = THIS_MACHINE): Timers & { stop(): void } {
  const clock = wallClock(machine);
  const items = dueItems();
  let armed: NodeJS.Timeout | undefined;
  /** How far the clock was set back, and not forth again: items are due by the clock and this. */
  let setBack = 0n;
  let wall = clock.now();
  let counter = machine.counterNs();

  function progress(): Ns {
    const elapsed = machine.counterNs() - counter;
    const now = clock.now();
    const parted = elapsed - (now - wall);
    counter += elapsed;
    wall = now;
    if (parted > STEP_MIN_NS || parted < -STEP_MIN_NS) setBack = setBack + parted > 0n ? setBack + parted : 0n;
    return (now + setBack) as Ns;
  }

  function arm(): void {
    clearTimeout(armed);
    const next = items.next();
    if (next === null) return;
    const waitMs = Math.ceil(Number(next - progress()) / 1e6);
    armed = setTimeout(fire, Math.min(Math.max(waitMs, 0), TIMEOUT_MAX_MS));
  }

  function fire(): void {
    const now = progress();
    const last = plusMs(now, TURN_MS_MAX);
    try {
      for (let next = items.next(); next !== null && next <= now && progress() < last; next = items.next()) items.take()?.();
    } finally {
      arm();
    }
  }

  return {
    now: () => clock.now(),
    at(when, run) {
      progress();
      const due = (when + setBack) as Ns;
      const before = items.next();
      const timer = items.add(due, run);
      if (before === null || due < before) arm();
      return timer;
    },
    stop() {
      items.close();
      clearTimeout(armed);
    },
  };
}
