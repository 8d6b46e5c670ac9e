/** Those who cannot wait for the log learn here that it cannot be written. */
export class Trouble {
  readonly #waiting = new Set<() => void>();

  began(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** What `durable` resolves to, or null as soon as there is trouble. Whoever was answered waits no longer: nothing is left behind. */
  async unless<T>(durable: Promise<T>, isTrouble: boolean): Promise<T | null> {
    let wake = (): void => undefined;
    const trouble = new Promise<null>((resolve) => { wake = () => { resolve(null); }; });
    if (isTrouble) wake();
    else this.#waiting.add(wake);
    try {
      return await Promise.race([durable, trouble]);
    } finally {
      this.#waiting.delete(wake);
    }
  }
}
