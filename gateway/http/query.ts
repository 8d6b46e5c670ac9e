/** Query text by our own parser: known names only, each at most once, each value by one predicate. Nothing is coerced by luck. */
import { Refusal } from './errors.ts';

/** A query parameter: `read` gives undefined for a value that does not have the form. `schema` describes it in the OpenAPI document. */
export interface Param<T> {
  readonly read: (text: string) => T | undefined;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly required?: true;
}
export type QuerySpec = Readonly<Record<string, Param<unknown>>>;
export type QueryOf<S extends QuerySpec> = { readonly [K in keyof S]: Value<S[K]> | (S[K] extends { required: true } ? never : undefined) };
type Value<P> = P extends Param<infer T> ? T : never;

const QUERY_LENGTH_MAX = 2048;

/** Exactly `true` or `false`: `?dryRun=1` is refused, since the opposite reading would trade. */
export const flag: Param<boolean> = { read: (text) => (text === 'true' ? true : text === 'false' ? false : undefined), schema: { type: 'boolean' } };

export function integerParam(minimum: number, maximum: number): Param<number> {
  const read = (text: string): number | undefined => {
    const number = /^(?:-?[1-9]\d{0,15}|0)$/.test(text) ? Number(text) : NaN;
    return number >= minimum && number <= maximum ? number : undefined;
  };
  return { read, schema: { type: 'integer', minimum, maximum } };
}
export function wordParam<const W extends string>(words: readonly W[]): Param<W> {
  return { read: (text) => words.find((word) => word === text), schema: { enum: words } };
}
export function patternParam(pattern: string): Param<string> {
  const form = new RegExp(pattern);
  return { read: (text) => (form.test(text) ? text : undefined), schema: { type: 'string', pattern } };
}
export function required<T>(param: Param<T>): Param<T> & { required: true } {
  return { ...param, required: true };
}

/** Parses `text` (without the `?`). Throws Refusal INVALID_BODY. */
export function parseQuery<S extends QuerySpec>(spec: S, text: string): QueryOf<S> {
  const values: Record<string, unknown> = {};
  if (text.length > QUERY_LENGTH_MAX) throw new Refusal('INVALID_BODY', 'The query is too long');
  for (const pair of text === '' ? [] : text.split('&')) {
    const [name, value] = splitPair(pair);
    const param = Object.hasOwn(spec, name) ? spec[name] : undefined;
    if (param === undefined) throw new Refusal('INVALID_BODY', 'A query parameter is not known');
    if (Object.hasOwn(values, name)) throw new Refusal('INVALID_BODY', `The query parameter ${name} is repeated`);
    const read = param.read(value);
    if (read === undefined) throw new Refusal('INVALID_BODY', `The query parameter ${name} does not have the form asked for`);
    values[name] = read;
  }
  const missing = Object.keys(spec).find((name) => spec[name]?.required === true && !Object.hasOwn(values, name));
  if (missing !== undefined) throw new Refusal('INVALID_BODY', `The query parameter ${missing} is missing`);
  return values as QueryOf<S>;
}

function splitPair(pair: string): readonly [string, string] {
  const equals = pair.indexOf('=');
  const name = equals === -1 ? pair : pair.slice(0, equals);
  const value = equals === -1 ? '' : pair.slice(equals + 1);
  try {
    return [decodeURIComponent(name), decodeURIComponent(value)];
  } catch {
    throw new Refusal('INVALID_BODY', 'The query is not well-formed');
  }
}

/** The query as a JSON Schema, for the OpenAPI document only. */
export function querySchema(spec: QuerySpec): Record<string, unknown> {
  const names = Object.keys(spec);
  const properties = Object.fromEntries(names.map((name) => [name, spec[name]?.schema]));
  return { type: 'object', properties, required: names.filter((name) => spec[name]?.required === true) };
}
