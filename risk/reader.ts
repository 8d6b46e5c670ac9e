/**
 * Strict reading of what people write: YAML to JSON, and JSON to a typed value, one reader per shape. Everything is required,
 * nothing unknown is allowed, nothing is coerced. An error names where and what is wrong and never repeats the file's text: the path
 * of a file comes from a setting, and the file may be another's.
 */
import { Composer, Parser, visit, type CST, type Document } from 'yaml';
import { isDecimalText, parseDecimal, type Decimal } from './domain/decimal.ts';
import { isCleanText } from './domain/ids.ts';

export type PolicyErrorCode =
  | 'TOO_LARGE' | 'SYNTAX' | 'ALIAS' | 'TAG' | 'DIRECTIVE' | 'WRONG_TYPE' | 'UNKNOWN_KEY' | 'MISSING_KEY'
  | 'BAD_TEXT' | 'OUT_OF_RANGE' | 'DUPLICATE' | 'INCONSISTENT';

/** What is wrong with a policy or a universe, and where. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly code: PolicyErrorCode;
  /** As an officer would point at it: `limits.kelly.fraction`, `accounts[0].id`; empty for the whole file. */
  readonly path: string;

  constructor(code: PolicyErrorCode, path: string, what: string) {
    super(path === '' ? what : `${path}: ${what}`);
    this.code = code;
    this.path = path;
  }
}

/** Deeper than any policy; far less than what overflows a stack. */
const DEPTH_MAX = 32;

/**
 * YAML 1.2, core schema, to plain JSON values. No aliases, tags, directives or merge keys, one document, unique text keys, at most
 * `bytesMax` bytes of UTF-8 and 32 levels.
 */
export function readYaml(text: string, bytesMax: number): unknown {
  if (text.length > bytesMax || Buffer.byteLength(text) > bytesMax) throw new PolicyError('TOO_LARGE', '', `more than ${bytesMax} bytes`);
  if (/^%/m.test(text)) throw new PolicyError('DIRECTIVE', '', 'no line may begin with %');
  try {
    const document = composed(text);
    const fault = document.errors[0];
    if (fault !== undefined) throw new PolicyError('SYNTAX', '', `not readable as YAML at line ${lineAt(text, fault.pos[0])} (${fault.code})`);
    refuseTricks(document, text);
    return document.toJS({ maxAliasCount: 0 }) as unknown;
  } catch (error) {
    if (error instanceof RangeError) throw new PolicyError('SYNTAX', '', 'not readable as YAML');
    throw error;
  }
}

/**
 * The depth is looked at between parsing, which keeps a stack of its own, and composing, which recurses: on Node 20 a regular
 * expression first compiled near the end of the stack ends the process, and no catch sees it.
 */
function composed(text: string): Document.Parsed {
  const tokens = [...new Parser().parse(text)];
  refuseDepth(tokens);
  const composer = new Composer({ version: '1.2', schema: 'core', merge: false, uniqueKeys: true, stringKeys: true, strict: true });
  const [document, another] = [...composer.compose(tokens, true, text.length)] as Document.Parsed[];
  if (document === undefined || another !== undefined) throw new PolicyError('SYNTAX', '', 'one document is expected');
  return document;
}

function refuseDepth(tokens: readonly CST.Token[]): void {
  const todo: { readonly token: CST.Token; readonly depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { token, depth } = next;
    if (depth > DEPTH_MAX) throw new PolicyError('SYNTAX', '', `more than ${DEPTH_MAX} levels`);
    for (const child of childrenOf(token)) todo.push({ token: child, depth: depth + 1 });
  }
}

function childrenOf(token: CST.Token): readonly CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  return token.items.flatMap(({ key, value }) => [key, value].filter((child) => child !== undefined && child !== null));
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

function refuseTricks(document: Document.Parsed, text: string): void {
  const warning = document.warnings[0];
  if (warning !== undefined) throw new PolicyError('TAG', '', `a tag that is not allowed at line ${lineAt(text, warning.pos[0])}`);
  visit(document, {
    Alias: () => {
      throw new PolicyError('ALIAS', '', 'aliases (*name) are not allowed');
    },
    Node: (_, node) => {
      if (node.tag !== undefined) throw new PolicyError('TAG', '', 'tags (!name) are not allowed');
    },
  });
}

/** Reads one value, found at `path`. */
export type Read<T> = (value: unknown, path: string) => T;

const KEY = /^[A-Za-z][A-Za-z0-9]{0,39}$/;
const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** A map with exactly these keys. */
export function object<T extends object>(fields: { readonly [K in keyof T]-?: Read<T[K]> }): Read<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PolicyError('WRONG_TYPE', path, 'a map of keys is expected');
    const given = value as Record<string, unknown>;
    for (const key of Object.keys(given)) {
      if (!Object.hasOwn(fields, key)) throw new PolicyError('UNKNOWN_KEY', below(path, KEY.test(key) ? key : '(unreadable key)'), 'no such key');
    }
    const entries = names.map((name) => {
      if (!Object.hasOwn(given, name)) throw new PolicyError('MISSING_KEY', below(path, name), 'is missing; there are no defaults');
      return [name, fields[name](given[name], below(path, name))] as const;
    });
    return Object.fromEntries(entries) as T;
  };
}

export function list<T>(item: Read<T>, { min, max }: { readonly min: number; readonly max: number }): Read<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new PolicyError('WRONG_TYPE', path, 'a list is expected');
    if (value.length < min || value.length > max) throw new PolicyError('OUT_OF_RANGE', path, `a list of ${min} to ${max} is expected`);
    return value.map((entry, i) => item(entry, `${path}[${i}]`));
  };
}

/** A finite double within [min, max]; `above` makes the lower end exclusive. */
export function number({ min, max, above = false }: { readonly min: number; readonly max: number; readonly above?: boolean }): Read<number> {
  return (value, path) => {
    if (typeof value !== 'number') throw new PolicyError('WRONG_TYPE', path, 'a number without quotes is expected');
    const within = Number.isFinite(value) && !Object.is(value, -0) && value <= max && (above ? value > min : value >= min);
    if (!within) throw new PolicyError('OUT_OF_RANGE', path, `a number ${above ? 'above' : 'from'} ${min} to ${max} is expected`);
    return value;
  };
}

export function integer(range: { readonly min: number; readonly max: number }): Read<number> {
  const read = number(range);
  return (value, path) => {
    const whole = read(value, path);
    if (!Number.isSafeInteger(whole)) throw new PolicyError('OUT_OF_RANGE', path, 'a whole number is expected');
    return whole;
  };
}

const DECIMAL_MAX = parseDecimal('1000000000000000');

/** An exact decimal, written in quotes, within (0, 10^15], or [0, …] with `zero`. */
export function decimal({ zero }: { readonly zero: boolean }): Read<Decimal> {
  return (value, path) => {
    if (!isDecimalText(value)) throw new PolicyError('WRONG_TYPE', path, 'an exact decimal in quotes is expected, such as "0.01"');
    const exact = parseDecimal(value);
    if (exact < 0n || (exact === 0n && !zero) || exact > DECIMAL_MAX) {
      throw new PolicyError('OUT_OF_RANGE', path, `a decimal ${zero ? 'from' : 'above'} 0 to 1000000000000000 is expected`);
    }
    return exact;
  };
}
export const flag: Read<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new PolicyError('WRONG_TYPE', path, 'true or false is expected');
  return value;
};

/** A text that `accepts`; `what` says what would be. */
export function text<T extends string>(accepts: (value: unknown) => value is T, what: string): Read<T> {
  return (value, path) => {
    if (typeof value !== 'string') throw new PolicyError('WRONG_TYPE', path, `${what} is expected`);
    if (!accepts(value)) throw new PolicyError('BAD_TEXT', path, `${what} is expected`);
    return value;
  };
}

/** A name for people: 1 to 80 characters without controls. */
export const title: Read<string> = text(
  (value): value is string => typeof value === 'string' && value.length >= 1 && value.length <= 80 && isCleanText(value), 'a text of 1 to 80 characters',
);

export function oneOf<T extends string>(...words: readonly T[]): Read<T> {
  return text((value): value is T => words.some((word) => word === value), words.join(' or '));
}

/** Refuses two entries with the same key. */
export function unique(keys: readonly string[], pathOf: (i: number) => string): void {
  const seen = new Set<string>();
  keys.forEach((key, i) => {
    if (seen.has(key)) throw new PolicyError('DUPLICATE', pathOf(i), 'is there twice');
    seen.add(key);
  });
}
