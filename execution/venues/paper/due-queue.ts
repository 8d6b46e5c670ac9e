import type { Ns } from '../../../risk/domain/time.ts';

/**
 * What is due when: items by instant, equal instants in the order they were added. Removing is O(1), so that orders which end
 * early leave nothing behind; the instants that have items stand in one ascending list.
 */
export class DueQueue<T> {
  readonly #items = new Map<Ns, Set<T>>();
  readonly #instants: Ns[] = [];

  add(at: Ns, item: T): void {
    const items = this.#items.get(at);
    if (items !== undefined) {
      items.add(item);
      return;
    }
    this.#items.set(at, new Set([item]));
    this.#instants.splice(this.#position(at), 0, at);
  }

  delete(at: Ns, item: T): void {
    const items = this.#items.get(at);
    if (items?.delete(item) !== true || items.size > 0) return;
    this.#items.delete(at);
    this.#instants.splice(this.#position(at), 1);
  }

  /** The earliest instant with something due; null when nothing is. */
  next(): Ns | null {
    return this.#instants[0] ?? null;
  }

  /** Takes out the first item due at or before `to`, with its instant; null when there is none. */
  take(to: Ns): { readonly at: Ns; readonly item: T } | null {
    const at = this.#instants[0];
    if (at === undefined || at > to) return null;
    const [item] = this.#items.get(at) as Set<T>;
    this.delete(at, item as T);
    return { at, item: item as T };
  }

  /** Index of the first instant not before `at`. */
  #position(at: Ns): number {
    let low = 0;
    let high = this.#instants.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#instants[middle] as Ns) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
