import type { Ns } from '../../risk/domain/time.ts';
import { Heap } from '../heap.ts';
import type { Slotted } from '../heap.ts';
import type { Timer } from '../time.ts';

interface Item extends Slotted {
  readonly when: Ns;
  readonly order: number;
  readonly run: () => void;
}

/** What is due and when, whatever clock runs it: the earliest first, equal instants in the order they were asked for. */
export interface DueItems {
  add(when: Ns, run: () => void): Timer;
  /** The instant of the earliest item, or null. */
  next(): Ns | null;
  /** Removes and gives the earliest item. */
  take(): (() => void) | null;
  /** Forgets everything, also what is added from now on: a house that stops starts nothing. */
  close(): void;
}

export function dueItems(): DueItems {
  let heap = new Heap<Item>((a, b) => (a.when === b.when ? a.order < b.order : a.when < b.when));
  let order = 0;
  let closed = false;
  return {
    add(when, run) {
      const item: Item = { when, order: order++, run, slot: -1 };
      if (!closed) heap.push(item);
      return {
        cancel: () => {
          heap.remove(item);
        },
      };
    },
    next: () => heap.peek()?.when ?? null,
    take() {
      const item = heap.peek();
      if (item === undefined) return null;
      heap.remove(item);
      return item.run;
    },
    close() {
      closed = true;
      heap = new Heap<Item>(() => false);
    },
  };
}
