/**
 * The ids that were seen last: at least `generation` of them, at most twice as many. Memory is bounded; what fell out is only in
 * the log or the journal.
 */
export class IdWindow {
  readonly #generation: number;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(generation: number) {
    this.#generation = generation;
  }

  add(id: string): void {
    if (this.#young.size >= this.#generation) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(id);
  }

  has(id: string): boolean {
    return this.#young.has(id) || this.#old.has(id);
  }
}
