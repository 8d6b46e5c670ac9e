/** Bounds of the edge: every table has a size, every rate a bucket. Time is a monotonic clock's, in milliseconds. */
import type { Socket } from 'node:net';

export const BOUNDS = {
  targetBodyBytes: 1024 * 1024,
  bodyBytes: 64 * 1024,
  requestTimeoutMs: 30_000,
  connections: 2048,
  unauthenticatedConnections: 256,
  connectionsOfAPerson: 512,
  failedTokensPerSecond: 20,
  failedTokensBurst: 100,
  forbiddenPerMinute: 600,
  inFlight: 4096,
  retryAfterSeconds: 1,
} as const;

/** Node's own, of its HTTP server. A request without a host is refused by us, in our form. */
export const HTTP = { requireHostHeader: false, maxHeaderSize: 16 * 1024, headersTimeout: 10_000, connectionsCheckingInterval: 2_000 };

const KEYS_MAX = 10_000;

/** Token buckets by key. A key that was forgotten for want of room starts full. */
export class Buckets {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #nowMs: () => number;
  readonly #levels = new Map<string, { level: number; atMs: number }>();

  constructor(perSecond: number, burst: number, nowMs: () => number) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#nowMs = nowMs;
  }

  /** Whether nothing is left for `key`. Takes nothing. */
  empty(key: string): boolean {
    return this.#levels.has(key) && this.#refilled(key).level < 1;
  }
  /** Takes one; false when there is none. */
  take(key: string): boolean {
    const bucket = this.#refilled(key);
    if (bucket.level < 1) return false;
    bucket.level -= 1;
    return true;
  }
  giveBack(key: string): void {
    const bucket = this.#refilled(key);
    bucket.level = Math.min(this.#burst, bucket.level + 1);
  }

  #refilled(key: string): { level: number; atMs: number } {
    const nowMs = this.#nowMs();
    const known = this.#levels.get(key);
    if (known !== undefined) {
      known.level = Math.min(this.#burst, known.level + (nowMs - known.atMs) * this.#perMs);
      known.atMs = nowMs;
      return known;
    }
    const oldest = this.#levels.size >= KEYS_MAX ? this.#levels.keys().next() : null;
    if (oldest?.done === false) this.#levels.delete(oldest.value);
    const fresh = { level: this.#burst, atMs: nowMs };
    this.#levels.set(key, fresh);
    return fresh;
  }
}

/** Connections that have shown no good token: past the bound the oldest is dropped, so that half-open ones never shut an officer out. */
export class Strangers {
  readonly #max: number;
  readonly #maxOfAPerson: number;
  readonly #sockets = new Set<Socket>();
  readonly #byPerson = new Map<string, Set<Socket>>();

  constructor(max: number, maxOfAPerson: number) {
    this.#max = max;
    this.#maxOfAPerson = maxOfAPerson;
  }
  get size(): number {
    return this.#sockets.size;
  }
  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#sockets.size <= this.#max) return;
    for (const oldest of this.#sockets) {
      this.#sockets.delete(oldest);
      oldest.destroy();
      return;
    }
  }
  /** At the end of the house: who has shown no token is not waited for. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
  /** The connection showed a good token. A person's oldest make room for his newest: nobody can take all the room there is. */
  known(socket: Socket, person: string): void {
    if (!this.#sockets.delete(socket)) return;
    const sockets = this.#byPerson.get(person) ?? new Set<Socket>();
    this.#byPerson.set(person, sockets.add(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0) this.#byPerson.delete(person);
    });
    const [oldest] = sockets;
    if (oldest === undefined || sockets.size <= this.#maxOfAPerson) return;
    sockets.delete(oldest);
    oldest.destroy();
  }
}

/** Requests that are being worked on. Kills and cancels are not counted and never wait. */
export class InFlight {
  readonly #max: number;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }
  get count(): number {
    return this.#count;
  }
  enter(): boolean {
    if (this.#count >= this.#max) return false;
    this.#count += 1;
    return true;
  }
  leave(): void {
    this.#count -= 1;
  }
}
