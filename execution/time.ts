import type { Ns } from '../risk/domain/time.ts';

/** The clock the house keeps: the wall's, a replayed market's, or a test's. */
export interface Clock {
  now(): Ns;
}

export interface Timer {
  cancel(): void;
}

/** Time makes commands: `run` is called once, at or after `when` by the same clock. Equal instants run in the order they were asked for. */
export interface Timers extends Clock {
  at(when: Ns, run: () => void): Timer;
}
