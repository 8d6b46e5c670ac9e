/** Time: nanoseconds since the epoch as a bigint; RFC 3339 UTC with nine fractional digits in records. */

export type Ns = bigint & { readonly __ns: unique symbol };

export const NS_PER_MS = 1_000_000n;
export const NS_PER_SECOND = 1_000_000_000n;
export const NS_PER_DAY = 86_400n * NS_PER_SECOND;

const MS_PER_DAY = 86_400_000;
const SECONDS_PER_DAY = 86_400;
const INSTANT = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/;

/** A calendar day since the epoch, and its text. An instant is mostly of the day of the one before: only a new day asks the calendar. */
interface Day {
  readonly number: number;
  readonly text: string;
}
let formatted: Day = { number: 0, text: '1970-01-01' };
let parsed: Day = formatted;

const textOfDay = (number: number): string => new Date(number * MS_PER_DAY).toISOString().slice(0, 10);
const twoDigits = (value: number): string => (value < 10 ? `0${value}` : String(value));

/** `2026-11-20T09:30:00.000000000Z`, from 1970 to 9999. */
export function formatInstant(at: Ns): string {
  const second = Number(at / NS_PER_SECOND);
  const number = Math.floor(second / SECONDS_PER_DAY);
  if (number !== formatted.number) formatted = { number, text: textOfDay(number) };
  const ofDay = second - number * SECONDS_PER_DAY;
  const minute = Math.floor(ofDay / 60);
  const time = `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}:${twoDigits(ofDay % 60)}`;
  return `${formatted.text}T${time}.${(at % NS_PER_SECOND).toString().padStart(9, '0')}Z`;
}

/** The last text that was parsed: the records of one unit name one instant by the hundreds. */
let last: { readonly text: string; readonly at: Ns } | null = null;

/** Parses an RFC 3339 instant in UTC with at most nine fractional digits; null for anything else, a 30 February included. */
export function parseInstant(text: unknown): Ns | null {
  if (typeof text !== 'string' || text.length > 30) return null;
  if (last?.text === text) return last.at;
  if (!INSTANT.test(text)) return null;
  const day = text.slice(0, 10);
  if (day !== parsed.text) {
    const number = Date.parse(day) / MS_PER_DAY;
    if (!Number.isFinite(number) || textOfDay(number) !== day) return null;
    parsed = { number, text: day };
  }
  const second = Number(text.slice(11, 13)) * 3600 + Number(text.slice(14, 16)) * 60 + Number(text.slice(17, 19));
  const fraction = Number(text.slice(20, -1).padEnd(9, '0'));
  last = { text, at: (BigInt(parsed.number * SECONDS_PER_DAY + second) * NS_PER_SECOND + BigInt(fraction)) as Ns };
  return last.at;
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
