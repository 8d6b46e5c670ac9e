/** Words of the wire that several bodies share. */
import { Type, type TSchema } from 'typebox';
import { ID_PATTERNS, isCleanText } from '../../../risk/domain/ids.ts';
import { parseInstant, type Ns } from '../../../risk/domain/time.ts';

/** Objects are strict: a field that is not known is refused, since a misspelt limit would otherwise be no limit. */
export const STRICT = { additionalProperties: false } as const;

const DECIMAL_LENGTH_MAX = 38;
const text = (pattern: string, maxLength: number) => Type.String({ maxLength, pattern });

export const Account = text(ID_PATTERNS.account, 32);
export const Strategy = text(ID_PATTERNS.strategy, 32);
export const Symbol = text(ID_PATTERNS.symbol, 32);
export const TargetId = text(ID_PATTERNS.targetId, 64);
export const ClOrdId = text(ID_PATTERNS.clOrdId, 24);
export const RequestId = text('^[A-Za-z0-9._-]{1,64}$', 64);

/** Exact decimals are strings: a JSON number would already have lost digits. */
export const DecimalText = text('^-?(?:0|[1-9]\\d{0,17})(?:\\.\\d{1,18})?$', DECIMAL_LENGTH_MAX);
export const NonNegativeText = text('^(?:0|[1-9]\\d{0,17})(?:\\.\\d{1,18})?$', DECIMAL_LENGTH_MAX);
export const PositiveText = text('^(?=.*[1-9])(?:0|[1-9]\\d{0,17})(?:\\.\\d{1,18})?$', DECIMAL_LENGTH_MAX);

const INSTANT_LENGTH_MAX = 30;
/** RFC 3339 in UTC, at most nine fractional digits; a day that does not exist is refused with the pattern's own code. */
export const Instant = Type.Refine(
  text('^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d{1,9})?Z$', INSTANT_LENGTH_MAX), (value) => parseInstant(value) !== null);

/** Free text that enters a record: well-formed, without controls. */
const CleanText = (minLength: number, maxLength: number) => Type.Refine(Type.String({ minLength, maxLength }), isCleanText);

export const REASON_LENGTH_MAX = 500;
export const Reason = Type.Refine(CleanText(1, REASON_LENGTH_MAX), (value) => value.trim() !== '');

/** An override of the registration's attribution, whole or in part: an incomplete one is denied by the check, not refused here. */
export const Attribution = Type.Object({
  algorithmId: Type.Optional(CleanText(0, 64)),
  trader: Type.Optional(CleanText(0, 64)),
  desk: Type.Optional(CleanText(0, 64)),
  client: Type.Optional(CleanText(0, 64)),
  capacity: Type.Optional(Type.Enum(['DEAL', 'MTCH', 'AOTC'])),
}, STRICT);

/** An instant that the schema has admitted. */
export function admittedInstant(value: string): Ns {
  const at = parseInstant(value);
  if (at === null) throw new RangeError('an instant that no schema has admitted');
  return at;
}

export const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
