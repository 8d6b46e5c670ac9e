/** Time: nanoseconds since the epoch as a bigint; RFC 3339 UTC with nine fractional digits in records. */

export type Ns = bigint & { readonly __ns: unique symbol };

export const NS_PER_MS = 1_000_000n;
export const NS_PER_SECOND = 1_000_000_000n;
export const NS_PER_DAY = 86_400n * NS_PER_SECOND;

const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;

let cachedSecond = -1n;
let cachedText = '';

/** `2026-11-20T09:30:00.000000000Z`. */
export function formatInstant(at: Ns): string {
  const second = at / NS_PER_SECOND;
  if (second !== cachedSecond) {
    cachedText = new Date(Number(second) * 1000).toISOString().slice(0, 19);
    cachedSecond = second;
  }
  return `${cachedText}.${(at % NS_PER_SECOND).toString().padStart(9, '0')}Z`;
}

/** Parses an RFC 3339 instant in UTC with at most nine fractional digits; null for anything else, a 30 February included. */
export function parseInstant(text: unknown): Ns | null {
  if (typeof text !== 'string' || text.length > 30) return null;
  const match = INSTANT.exec(text);
  if (match === null) return null;
  const ms = Date.parse(`${match[1]}Z`);
  if (!Number.isFinite(ms) || new Date(ms).toISOString().slice(0, 19) !== match[1]) return null;
  return (BigInt(ms) * NS_PER_MS + BigInt((match[2] ?? '').padEnd(9, '0'))) as Ns;
}

export function instant(text: string): Ns {
  const at = parseInstant(text);
  if (at === null) throw new RangeError('not an RFC 3339 instant in UTC');
  return at;
}

/** a − b in milliseconds, as a double. */
export function msBetween(later: Ns, earlier: Ns): number {
  return Number(later - earlier) / 1e6;
}
export function plusMs(at: Ns, ms: number): Ns {
  return (at + BigInt(Math.round(ms * 1e6))) as Ns;
}
