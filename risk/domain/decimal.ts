/**
 * Exact decimals: quantities, prices and money are bigints at scale 10^18, and decimal strings on the wire and in records.
 * The scale is one for all, so sums need no thought; a product is exact as long as the decimals of both factors together are at
 * most 18, which the universe loader enforces for lot × tick.
 */

/** An exact decimal: the value times 10^18. */
export type Decimal = bigint & { readonly __decimal: unique symbol };

const SCALE_DIGITS = 18;
const SCALE = 10n ** 18n;
const TEXT = /^-?(?:0|[1-9]\d{0,17})(?:\.\d{1,18})?$/;
/** `-`, 18 digits, the point and 18 digits: checked before the pattern, so that a hostile string costs nothing. */
const TEXT_LENGTH_MAX = 38;

/** 10^-6: what has no further decimals and at most 15 digits in all is a double's own text, there and back. */
const MICRO = 10n ** 12n;
export const MICROS_MAX = 1e15;
const MICRO_TEXT_LENGTH_MAX = 15;
const MICRO_DIGITS = 6;

export const ZERO = 0n as Decimal;
export const ONE = SCALE as Decimal;

/** Whether `text` is a decimal of the wire: no exponent, no leading zero, no sign but `-`, at most 18 digits on either side. */
export function isDecimalText(text: unknown): text is string {
  return typeof text === 'string' && text.length <= TEXT_LENGTH_MAX && TEXT.test(text);
}

/** Parses a decimal of the wire. Throws RangeError on anything else: callers at the edge ask `isDecimalText` first. */
export function parseDecimal(text: string): Decimal {
  if (!isDecimalText(text)) throw new RangeError('not a decimal of at most 18 digits on either side of the point');
  const point = text.indexOf('.');
  if (text.length <= MICRO_TEXT_LENGTH_MAX && (point === -1 || text.length - point <= MICRO_DIGITS + 1)) {
    const micros = Math.round(Number(text) * 1e6);
    if (Math.abs(micros) < MICROS_MAX) return (BigInt(micros) * MICRO) as Decimal;
  }
  if (point === -1) return (BigInt(text) * SCALE) as Decimal;
  const fraction = text.slice(point + 1);
  return BigInt(text.slice(0, point) + fraction.padEnd(SCALE_DIGITS, '0')) as Decimal;
}

/** The one text of a decimal: no trailing zeros, no `-0`. */
export function formatDecimal(value: Decimal): string {
  if (value % MICRO === 0n) {
    const micros = Number(value / MICRO);
    if (Math.abs(micros) < MICROS_MAX) return microsText(micros);
  }
  const rounded = value / SCALE;
  if (rounded * SCALE === value) return rounded.toString();
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(SCALE_DIGITS + 1, '0');
  const whole = digits.slice(0, -SCALE_DIGITS);
  const text = `${whole}.${withoutZeros(digits, whole.length)}`;
  return negative ? `-${text}` : text;
}

/** The text of a whole number of millionths, fewer than `MICROS_MAX`: as `String` prints the double, at half the cost. */
export function microsText(micros: number): string {
  const size = Math.abs(micros);
  const whole = Math.floor(size / 1e6);
  const rest = size - whole * 1e6;
  const text = rest === 0 ? String(whole) : `${String(whole)}.${withoutZeros(String(1e6 + rest), 1)}`;
  return micros < 0 ? `-${text}` : text;
}

/** From `start` on, without the zeros at the end. */
function withoutZeros(digits: string, start: number): string {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 48) end--;
  return digits.slice(start, end);
}

/** a × b. Exact, or a RangeError: money never loses a digit unseen. */
export function multiply(a: Decimal, b: Decimal): Decimal {
  const product = a * b;
  const quotient = product / SCALE;
  if (quotient * SCALE !== product) throw new RangeError('a product of more than 18 decimals');
  return quotient as Decimal;
}

/** Whether a × b has no more than 18 decimals: then `multiply` gives it. */
export const isExactProduct = (a: Decimal, b: Decimal): boolean => (a * b) % SCALE === 0n;

/** a ÷ b rounded half away from zero to 18 decimals. For averages shown to people; never for a balance. */
export function divide(a: Decimal, b: Decimal): Decimal {
  if (b === 0n) throw new RangeError('division by zero');
  const numerator = a * SCALE * 2n + (a < 0n === b < 0n ? b : -b);
  return (numerator / (2n * b)) as Decimal;
}

export function add(a: Decimal, b: Decimal): Decimal {
  return (a + b) as Decimal;
}
export function subtract(a: Decimal, b: Decimal): Decimal {
  return (a - b) as Decimal;
}
export function negate(a: Decimal): Decimal {
  return -a as Decimal;
}
export function absolute(a: Decimal): Decimal {
  return (a < 0n ? -a : a) as Decimal;
}
export function minimum(a: Decimal, b: Decimal): Decimal {
  return a < b ? a : b;
}
export function maximum(a: Decimal, b: Decimal): Decimal {
  return a > b ? a : b;
}
/** Whether `value` is a whole multiple of `step`. */
export function isMultiple(value: Decimal, step: Decimal): boolean {
  return value % step === 0n;
}
/** The multiple of `step` nearest to `value` on the side of zero. */
export function truncateTo(value: Decimal, step: Decimal): Decimal {
  return (value - (value % step)) as Decimal;
}

/** A decimal as a double, within one unit in the last place, for analytics. Nothing computed from it goes back into a balance. */
export function toNumber(value: Decimal): number {
  return Number(value) / 1e18;
}

/** A double as a decimal, rounded to `decimals` places half away from zero. Throws RangeError when it is not finite or too large. */
export function fromNumber(value: number, decimals: number): Decimal {
  const text = value.toFixed(decimals);
  return parseDecimal(text === '-0' || /^-0\.0*$/.test(text) ? '0' : text);
}
