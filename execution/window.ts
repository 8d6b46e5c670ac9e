/**
 * The latest entries by key: at least a generation of them, at most two. One Map as a queue would hold exactly as many as wanted, but
 * V8 leaves holes where the oldest were, and finding the next oldest steps over all of them: milliseconds, at a million.
 */
export interface Window<T> {
  young: Map<string, T>;
  old: Map<string, T>;
}

export const emptyWindow = <T>(): Window<T> => ({ young: new Map(), old: new Map() });

/** Adds an entry. The generation before the last is forgotten when the present one is full: `isFull` of it, asked before. Says whether anything was. */
export function keep<T>(window: Window<T>, key: string, entry: T, isFull: (young: ReadonlyMap<string, T>) => boolean): boolean {
  const full = isFull(window.young);
  const forgets = full && window.old.size > 0;
  if (full) {
    window.old = window.young;
    window.young = new Map();
  }
  window.young.set(key, entry);
  return forgets;
}

/** The entry of a key, the latest first; undefined when it is forgotten or was never there. */
export function recall<T>(window: Window<T>, key: string): T | undefined {
  return window.young.get(key) ?? window.old.get(key);
}
