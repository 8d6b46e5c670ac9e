/** The OpenAPI document of a running gateway as a judge of its answers. */
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

type Schema = Readonly<Record<string, unknown>>;
interface Documented {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}
interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: Documented;
  readonly responses: Readonly<Record<string, Documented>>;
}
export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Judge {
  Check(value: unknown): boolean;
  Errors(value: unknown): readonly { readonly instancePath: string; readonly message: string }[];
}

const isObject = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A schema of OpenAPI 3.0 as JSON Schema: there a value may be null by `nullable`. */
export function jsonSchemaOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonSchemaOf);
  if (!isObject(value)) return value;
  const { nullable, ...rest } = value;
  const schema = Object.fromEntries(Object.entries(rest).map(([name, member]) => [name, jsonSchemaOf(member)]));
  return nullable === true ? { anyOf: [schema, { type: 'null' }] } : schema;
}

const judgeOf = (schema: Schema): Judge => Compile(jsonSchemaOf(schema) as TSchema);

export class Contract {
  readonly document: OpenApi;
  readonly #patterns: readonly (readonly [RegExp, string])[];
  readonly #judges = new Map<Schema, Judge>();

  constructor(document: OpenApi) {
    this.document = document;
    this.#patterns = Object.keys(document.paths).map((path) => [new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`), path]);
  }

  /** Every schema in it, with the place where it stands. */
  *schemas(): Generator<readonly [string, Schema]> {
    for (const [path, operations] of Object.entries(this.document.paths)) {
      for (const [method, { parameters = [], requestBody, responses }] of Object.entries(operations)) {
        for (const { name, schema } of parameters) yield [`${method} ${path} ${name}`, schema];
        for (const [status, { content = {} }] of [...Object.entries(responses), ['body', requestBody ?? {}] as const]) {
          for (const { schema } of Object.values(content)) if (schema !== undefined) yield [`${method} ${path} ${status}`, schema];
        }
      }
    }
  }

  /** Null when the document foresees this answer and the answer has the form that it says; else what is wrong. */
  fault(method: string, path: string, status: number, media: string, body: unknown): string | null {
    const bare = path.split('?')[0] ?? path;
    const known = this.#patterns.find(([pattern]) => pattern.test(bare))?.[1];
    const operation = known === undefined ? undefined : this.document.paths[known]?.[method.toLowerCase()];
    const response = operation?.responses[String(status)] ?? operation?.responses[`${String(status).charAt(0)}XX`];
    if (response === undefined) return `${method} ${bare} ${String(status)} is not documented`;
    const schema = response.content?.[media.split(';')[0] ?? '']?.schema;
    if (schema === undefined) return `${method} ${bare} ${String(status)} is not documented as ${media}`;
    const judge = this.#judges.get(schema) ?? judgeOf(schema);
    this.#judges.set(schema, judge);
    if (judge.Check(body)) return null;
    const [first] = judge.Errors(body);
    return `${method} ${bare} ${String(status)}: ${first?.instancePath ?? ''} ${first?.message ?? ''}`;
  }
}
