/** Refusals of the edge and of the flows as RFC 9457 problems. Nothing of the request is repeated in them, no library's words, no path. */
import { LogUnreadable } from '../../compliance/journal.ts';
import type { Verdict } from '../../risk/domain/verdict.ts';
import { sentenceOfDenial } from '../sentences.ts';
import type { Answer } from './service.ts';

export const EDGE_CODES = [
  'INVALID_BODY', 'UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'DENIED', 'TOO_LARGE', 'RATE_LIMITED', 'OVERLOADED', 'NOT_READY', 'SAME_PERSON',
  'EXPIRED', 'UNSUPPORTED_MEDIA', 'MISDIRECTED', 'INTERNAL',
] as const;
/** `INTERNAL` is a defect of ours, never an answer by intention. */
export type EdgeCode = (typeof EDGE_CODES)[number];

export const EDGE: Record<EdgeCode, { readonly status: number; readonly title: string }> = {
  MISDIRECTED: { status: 421, title: 'This host is not served here' },
  RATE_LIMITED: { status: 429, title: 'Too many refusals' },
  UNAUTHENTICATED: { status: 401, title: 'A valid bearer token is needed' },
  TOO_LARGE: { status: 413, title: 'The request is too large' },
  UNSUPPORTED_MEDIA: { status: 415, title: 'Only application/json without encoding is read' },
  INVALID_BODY: { status: 400, title: 'The request does not have the form asked for' },
  FORBIDDEN: { status: 403, title: 'The token does not allow this' },
  SAME_PERSON: { status: 403, title: 'A second person must decide' },
  NOT_FOUND: { status: 404, title: 'There is no such thing' },
  CONFLICT: { status: 409, title: 'The request conflicts with the present state' },
  EXPIRED: { status: 409, title: 'The approval is no longer open' },
  OVERLOADED: { status: 503, title: 'More is in flight than is taken' },
  NOT_READY: { status: 503, title: 'The gateway is not ready' },
  DENIED: { status: 422, title: 'Denied by the risk checks' },
  INTERNAL: { status: 500, title: 'A defect of the gateway' },
};

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: EdgeCode;
}
/** An answer that is a problem. */
export interface ProblemAnswer extends Answer {
  readonly body: Problem;
}

const typeOf = (code: EdgeCode): string => `urn:portcullis:${code.toLowerCase().replaceAll('_', '-')}`;

/** A problem as an answer. `members` are the extension members: verdicts, a receipt, ids. `status` differs from the code's only for protocol faults. */
export function problem(code: EdgeCode, detail: string, members: Readonly<Record<string, unknown>> = {}, status = EDGE[code].status): ProblemAnswer {
  return { status, body: { type: typeOf(code), title: EDGE[code].title, status, detail, code, ...members } };
}

/** A denial: its sentence is made here, once, from the verdicts that deny. */
export function denial(verdicts: readonly Verdict[], members: Readonly<Record<string, unknown>> = {}): ProblemAnswer {
  return problem('DENIED', sentenceOfDenial(verdicts), { verdicts, ...members });
}

/** Thrown by the edge, answered as a problem. `detail` is written by us and repeats nothing of the request. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: EdgeCode;
  readonly detail: string;
  constructor(code: EdgeCode, detail: string = EDGE[code].title) {
    super(code);
    this.code = code;
    this.detail = detail;
  }
}

/** Faults that Fastify and Node find before or beside our own checks: code and, where the protocol has a closer one, status. */
const PROTOCOL_FAULTS: Readonly<Record<string, readonly [EdgeCode, number?]>> = {
  FST_ERR_BAD_URL: ['INVALID_BODY'],
  FST_ERR_MAX_PARAM_LENGTH: ['TOO_LARGE', 414],
  FST_ERR_CTP_BODY_TOO_LARGE: ['TOO_LARGE'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INVALID_BODY'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA'],
  ECONNRESET: ['INVALID_BODY'],
  HPE_HEADER_OVERFLOW: ['TOO_LARGE', 431],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['TOO_LARGE', 413],
  ERR_HTTP_REQUEST_TIMEOUT: ['INVALID_BODY', 408],
};

/** The problem for whatever was thrown below a route. Null: not foreseen, a defect. */
export function problemOf(error: unknown): ProblemAnswer | null {
  if (error instanceof Refusal) return problem(error.code, error.detail);
  if (error instanceof LogUnreadable) return problem('NOT_READY', 'The log cannot be read now');
  const fault = protocolFault(error);
  return fault === undefined ? null : problem(fault[0], EDGE[fault[0]].title, {}, fault[1]);
}

/** The problem for a request that Node could not parse. */
export function problemOfConnection(error: unknown): ProblemAnswer {
  return problemOf(error) ?? problem('INVALID_BODY', 'The request is not well-formed HTTP');
}

function protocolFault(error: unknown): readonly [EdgeCode, number?] | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return Object.hasOwn(PROTOCOL_FAULTS, error.code) ? PROTOCOL_FAULTS[error.code] : undefined;
}
