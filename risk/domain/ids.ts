/**
 * Names that outsiders give to things, one predicate each. `typeof` comes first: a pattern alone accepts `["a"]`.
 * Bytes are compared; nothing is normalised.
 */

const ACCOUNT = /^[A-Z0-9][A-Z0-9._-]{0,31}$/;
const STRATEGY = /^[a-z0-9][a-z0-9._-]{0,31}$/;
const SUBJECT = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,127}$/;
const TARGET_ID = /^[A-Za-z0-9._-]{1,64}$/;
const CL_ORD_ID = /^[A-Z0-9]{1,24}$/;
const SYMBOL = /^[A-Z0-9][A-Z0-9./-]{0,31}$/;

export const ID_PATTERNS = {
  account: ACCOUNT.source, strategy: STRATEGY.source, subject: SUBJECT.source, targetId: TARGET_ID.source, clOrdId: CL_ORD_ID.source, symbol: SYMBOL.source,
} as const;

export const isAccountId = (text: unknown): text is string => typeof text === 'string' && ACCOUNT.test(text);
export const isStrategyId = (text: unknown): text is string => typeof text === 'string' && STRATEGY.test(text);
export const isSubject = (text: unknown): text is string => typeof text === 'string' && SUBJECT.test(text);
export const isTargetId = (text: unknown): text is string => typeof text === 'string' && TARGET_ID.test(text);
export const isClOrdId = (text: unknown): text is string => typeof text === 'string' && CL_ORD_ID.test(text);
export const isSymbol = (text: unknown): text is string => typeof text === 'string' && SYMBOL.test(text);

/** C0 and C1 controls, line and paragraph separators, bidirectional controls, the byte order mark, lone surrogates. */
const POISON = /[\u0000-\u001f\u007f-\u009f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u;

/** The one predicate that every free text entering a record passes: well-formed, without controls. */
export const isCleanText = (text: string): boolean => !POISON.test(text);
