import type { Ns } from '../../risk/domain/time.ts';
import { NS_PER_MS } from '../../risk/domain/time.ts';
import type { Clock } from '../time.ts';

/** The machine's two clocks: the date in ms, which may step, and a counter in ns, which never does. */
export interface Machine {
  dateMs(): number;
  counterNs(): bigint;
}

export const THIS_MACHINE: Machine = { dateMs: () => Date.now(), counterNs: () => process.hrtime.bigint() };

/** How far the two clocks may part before the date wins: more than its own rounding, less than what a person would call a step. */
const PARTING_MAX_MS = 20;

/**
 * The wall's clock in nanoseconds, the one place where the wall is read: the counter since an anchor on the date. After a step of
 * the date (an administrator, a suspended machine) it follows the date, backward too; who keeps `at` from falling is the sequencer.
 */
export function wallClock(machine: Machine = THIS_MACHINE): Clock {
  let anchor = 0n;
  let counter = 0n;
  return {
    now() {
      const date = machine.dateMs();
      const read = machine.counterNs();
      const at = anchor + (read - counter);
      if (Math.abs(Number(at) / 1e6 - date) <= PARTING_MAX_MS) return at as Ns;
      anchor = BigInt(date) * NS_PER_MS;
      counter = read;
      return anchor as Ns;
    },
  };
}
