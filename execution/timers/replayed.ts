import type { Ns } from '../../risk/domain/time.ts';
import type { Clock, Timers } from '../time.ts';
import { dueItems } from './due.ts';
import { TIMEOUT_MAX_MS } from './real.ts';
import { wallClock } from './wall.ts';

/** The clock of a replayed market. */
export interface ReplayedTimers extends Timers {
  /** Lets time run; before it the clock stands at its start. */
  begin(): void;
  /** Time stands until the function given back is called: what comes next is still being read. Holds are counted. */
  hold(): () => void;
  stop(): void;
}

export interface ReplayedTimersOptions {
  readonly start: Ns;
  /** Market seconds a second of the wall; `max` jumps from item to item, and runs with the wall where nothing is due. */
  readonly speed: number | 'max';
  /** For `max`: settles once all that is in flight is durable and reported, so that a jump leaves nothing behind. */
  readonly settle: () => Promise<void>;
  readonly wall?: Clock;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Time never passes an item that has not run: a slow machine slows the clock, and no reader sees an instant whose quotes it has not
 * been told of. Each item has a turn of the event loop to itself, so that callers are served at any speed. An error of an item or of
 * `settle` is an unhandled rejection: it ends the process, as an error in any timer does.
 */
export function replayedTimers({ start, speed, settle, wall = wallClock() }: ReplayedTimersOptions): ReplayedTimers {
  const items = dueItems();
  let reached = start;
  let base = start;
  let anchor: Ns | null = null;
  let holds = 0;
  let stopped = false;
  let wake = (): void => undefined;

  /** Where the wall alone would put the clock. */
  function target(): Ns {
    if (anchor === null) return base;
    const elapsed = Number(wall.now() - anchor);
    return (base + BigInt(Math.round(elapsed * (speed === 'max' ? 1 : speed)))) as Ns;
  }

  function now(): Ns {
    if (holds > 0) return reached;
    const next = items.next();
    if (next !== null && speed === 'max') return reached;
    const aim = target();
    const bound = next !== null && next < aim ? next : aim;
    if (bound > reached) reached = bound;
    return reached;
  }

  const isDue = (next: Ns): boolean => speed === 'max' || next <= target();

  function runDue(): void {
    const next = items.next();
    if (stopped || holds > 0 || next === null || !isDue(next)) return;
    if (next > reached) reached = next;
    if (speed === 'max') {
      base = reached;
      anchor = wall.now();
    }
    holds++; // while an item runs it is its instant
    try {
      items.take()?.();
    } finally {
      holds--;
    }
  }

  async function pause(waitMs: number | null): Promise<void> {
    let timeout: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (waitMs !== null) timeout = setTimeout(resolve, Math.min(Math.ceil(waitMs), TIMEOUT_MAX_MS));
    });
    clearTimeout(timeout);
  }

  async function run(): Promise<void> {
    while (!stopped) {
      const next = items.next();
      if (holds > 0 || next === null) {
        await pause(null);
      } else if (!isDue(next) && speed !== 'max') {
        await pause(Number(next - target()) / 1e6 / speed);
      } else {
        await nextTurn();
        if (speed === 'max') await settle();
        runDue();
      }
    }
  }

  return {
    now,
    at(when, item) {
      now(); // with nothing due the clock ran: it keeps what it has shown
      const timer = items.add(when, item);
      wake();
      return timer;
    },
    begin() {
      if (anchor !== null || stopped) return;
      anchor = wall.now();
      void run();
    },
    hold() {
      now();
      holds++;
      let held = true;
      return () => {
        if (held) holds--;
        held = false;
        wake();
      };
    },
    stop() {
      stopped = true;
      items.close();
      wake();
    },
  };
}
