/** A wire shape: one TypeBox schema, compiled once, with the rules that a schema cannot say. HTTP and socket use the same. */
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Refusal } from './errors.ts';

export interface Shape<T> {
  readonly schema: TSchema;
  /** The value, when it has the shape; throws Refusal INVALID_BODY, naming the first place that has not. */
  admit(value: unknown): T;
}

/** `rule` names what is wrong with a value that fits the schema, or null. */
export function shape<S extends TSchema>(schema: S, rule: (value: Static<S>) => string | null = () => null): Shape<Static<S>> {
  const compiled = Compile(schema);
  return {
    schema,
    admit(value) {
      if (!compiled.Check(value)) throw new Refusal('INVALID_BODY', faultOf(compiled.Errors(value)));
      const fault = rule(value);
      if (fault !== null) throw new Refusal('INVALID_BODY', fault);
      return value;
    },
  };
}

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
}

/** One sentence on the first fault. Places and names come from the schema; an unknown field's name is the sender's and is not repeated. */
function faultOf(errors: readonly SchemaError[]): string {
  const error = errors.find(({ keyword }) => keyword !== 'boolean');
  if (error === undefined) return 'The body does not have the form asked for';
  const place = error.instancePath === '' ? 'The body' : error.instancePath.slice(1).replaceAll('/', '.');
  const { params } = error;
  if (error.keyword === 'additionalProperties') return `${place} has a field that is not known`;
  if ('requiredProperties' in params && Array.isArray(params.requiredProperties)) return `${place} lacks ${params.requiredProperties.join(', ')}`;
  if ('type' in params && typeof params.type === 'string') return `${place} must be of type ${params.type}`;
  if ('pattern' in params && typeof params.pattern === 'string') return `${place} must match ${params.pattern}`;
  if ('allowedValues' in params && Array.isArray(params.allowedValues)) return `${place} must be one of ${params.allowedValues.join(', ')}`;
  return `${place} does not have the form asked for`;
}
