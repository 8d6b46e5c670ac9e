import type { Ns } from '../../risk/domain/time.ts';
import type { Clock, Timer, Timers } from '../time.ts';
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
export function replayedTimers(options: ReplayedTimersOptions): ReplayedTimers {
  return new Replayed(options);
}

class Replayed implements ReplayedTimers {
  readonly #items = dueItems();
  readonly #speed: number | 'max';
  readonly #settle: () => Promise<void>;
  readonly #wall: Clock;
  /** The latest instant shown. */
  #reached: Ns;
  /** The wall's instant `#anchor` is this instant here; no anchor before `begin`. */
  #base: Ns;
  #anchor: Ns | null = null;
  #holds = 0;
  #stopped = false;
  #wake = (): void => undefined;

  constructor({ start, speed, settle, wall = wallClock() }: ReplayedTimersOptions) {
    this.#reached = start;
    this.#base = start;
    this.#speed = speed;
    this.#settle = settle;
    this.#wall = wall;
  }

  now(): Ns {
    const next = this.#items.next();
    if (this.#holds > 0 || (next !== null && this.#speed === 'max')) return this.#reached;
    const aim = this.#target();
    const bound = next !== null && next < aim ? next : aim;
    if (bound > this.#reached) this.#reached = bound;
    return this.#reached;
  }

  at(when: Ns, run: () => void): Timer {
    this.now(); // with nothing due the clock ran: it keeps what it has shown
    const timer = this.#items.add(when, run);
    this.#wake();
    return timer;
  }

  begin(): void {
    if (this.#anchor !== null || this.#stopped) return;
    this.#anchor = this.#wall.now();
    void this.#run();
  }

  hold(): () => void {
    this.now();
    this.#holds++;
    let held = true;
    return () => {
      if (held) this.#holds--;
      held = false;
      this.#wake();
    };
  }

  stop(): void {
    this.#stopped = true;
    this.#items.close();
    this.#wake();
  }

  /** Where the wall alone would put the clock. */
  #target(): Ns {
    if (this.#anchor === null) return this.#base;
    const elapsed = Number(this.#wall.now() - this.#anchor);
    return (this.#base + BigInt(Math.round(elapsed * (this.#speed === 'max' ? 1 : this.#speed)))) as Ns;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const next = this.#items.next();
      if (this.#holds > 0 || next === null) {
        await this.#pause(null);
      } else if (this.#speed !== 'max' && next > this.#target()) {
        await this.#pause(Number(next - this.#target()) / 1e6 / this.#speed);
      } else {
        await nextTurn();
        if (this.#speed === 'max') await this.#settle();
        this.#runDue();
      }
    }
  }

  /** Runs the earliest item, unless in the meantime it was cancelled or time was held. */
  #runDue(): void {
    const next = this.#items.next();
    if (this.#holds > 0 || next === null) return;
    if (this.#speed !== 'max' && next > this.#target()) return;
    if (next > this.#reached) this.#reached = next;
    if (this.#speed === 'max') {
      this.#base = this.#reached;
      this.#anchor = this.#wall.now();
    }
    this.#holds++; // while an item runs it is its instant
    try {
      this.#items.take()?.();
    } finally {
      this.#holds--;
    }
  }

  async #pause(waitMs: number | null): Promise<void> {
    let timeout: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (waitMs !== null) timeout = setTimeout(resolve, Math.min(Math.ceil(waitMs), TIMEOUT_MAX_MS));
    });
    clearTimeout(timeout);
  }
}
