/**
 * Rows of numbers, read from bytes without making strings of them. What a field may hold stands in its format; anything else, be it
 * a letter, a lost comma or an absurd number, makes the row malformed.
 */

export type Field =
  /** A decimal with at most `decimals` places, given as a whole number of 10^−decimals; NaN where `optional` and empty. */
  | { readonly kind: 'number'; readonly decimals: number; readonly min: number; readonly max: number; readonly optional?: true }
  /** Up to eight hexadecimal digits. */
  | { readonly kind: 'hex' }
  /** A short word that is not read; NaN. */
  | { readonly kind: 'word' }
  /** All that follows, if anything does, not read; only as the last. */
  | { readonly kind: 'rest' };

const COMMA = 44;
const POINT = 46;
const MINUS = 45;
const NEWLINE = 10;
const RETURN = 13;
const DIGITS_MAX = 15;
const WORD_MAX = 16;
const LINE_BYTES_MAX = 4096;

const digitAt = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) - 48;

function hexDigitAt(bytes: Uint8Array, at: number): number {
  const decimal = digitAt(bytes, at);
  if (decimal >= 0 && decimal <= 9) return decimal;
  const letter = ((bytes[at] ?? 0) | 32) - 97;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

function number(bytes: Uint8Array, start: number, end: number, field: Field & { kind: 'number' }): number | null {
  if (start === end) return field.optional === true ? NaN : null;
  const negative = bytes[start] === MINUS;
  let at = negative ? start + 1 : start;
  let value = 0;
  let digits = 0;
  let places = -1;
  for (; at < end; at++) {
    if (bytes[at] === POINT && places === -1 && digits > 0) {
      places = 0;
      continue;
    }
    const digit = digitAt(bytes, at);
    if (digit < 0 || digit > 9 || ++digits > DIGITS_MAX) return null;
    if (places >= 0 && ++places > field.decimals) return null;
    value = value * 10 + digit;
  }
  if (digits === 0 || places === 0) return null;
  value *= 10 ** (field.decimals - Math.max(0, places));
  if (negative) value = 0 - value;
  return value >= field.min && value <= field.max ? value : null;
}

function hex(bytes: Uint8Array, start: number, end: number): number | null {
  if (start === end || end - start > 8) return null;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = hexDigitAt(bytes, at);
    if (digit < 0) return null;
    value = value * 16 + digit;
  }
  return value;
}

function one(bytes: Uint8Array, start: number, end: number, field: Field): number | null {
  switch (field.kind) {
    case 'number': return number(bytes, start, end, field);
    case 'hex': return hex(bytes, start, end);
    case 'word': return end - start <= WORD_MAX ? NaN : null;
    case 'rest': return NaN;
  }
}

/** Reads the line of `bytes` from `start` to `end` into `out`; false when it is not a row of these fields. */
export function parseRow(bytes: Uint8Array, start: number, end: number, fields: readonly Field[], out: Float64Array): boolean {
  let at = start;
  for (const [index, field] of fields.entries()) {
    if (at > end) return field.kind === 'rest';
    let stop = at;
    if (field.kind === 'rest') stop = end;
    else while (stop < end && bytes[stop] !== COMMA) stop++;
    const value = one(bytes, at, stop, field);
    if (value === null) return false;
    out[index] = value;
    at = stop + 1;
  }
  return at === end + 1;
}

/** Some whole lines of a file: line `first + i` stands between `bounds[2i]` and `bounds[2i + 1]`, without its end. */
export interface Lines {
  readonly bytes: Uint8Array;
  readonly bounds: readonly number[];
  readonly first: number;
}

/** Cuts chunks into lines, keeping what is cut through. `null` from `add` or `end`: nothing whole yet; 'long': a line beyond the bound. */
export class LineCutter {
  #rest: Uint8Array = new Uint8Array();
  #line = 1;

  /** The number of the line that comes next, from 1; after 'long', of the line that is. */
  get line(): number {
    return this.#line;
  }

  add(chunk: Uint8Array): Lines | 'long' | null {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const bounds: number[] = [];
    let start = 0;
    for (let stop = bytes.indexOf(NEWLINE); stop !== -1; stop = bytes.indexOf(NEWLINE, start)) {
      if (stop - start > LINE_BYTES_MAX) return this.#refuse(bounds);
      bounds.push(start, bytes[stop - 1] === RETURN && stop > start ? stop - 1 : stop);
      start = stop + 1;
    }
    this.#rest = bytes.subarray(start);
    return this.#rest.length > LINE_BYTES_MAX ? this.#refuse(bounds) : this.#give(bytes, bounds);
  }

  /** The last line, where the file does not end with a line's end. */
  end(): Lines | null {
    return this.#give(this.#rest, this.#rest.length === 0 ? [] : [0, this.#rest.length]);
  }

  /** Leaves the number of the line that is too long. */
  #refuse(bounds: readonly number[]): 'long' {
    this.#line += bounds.length / 2;
    return 'long';
  }

  #give(bytes: Uint8Array, bounds: readonly number[]): Lines | null {
    const first = this.#line;
    this.#line += bounds.length / 2;
    return bounds.length === 0 ? null : { bytes, bounds, first };
  }
}
