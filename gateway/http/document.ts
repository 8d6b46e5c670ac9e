/** How answers stand in the OpenAPI document: JSON, plain text, and problems by their own media type. */
import type { TSchema } from 'typebox';
import { STATUS_CODES } from 'node:http';
import { ProblemView, TextView } from './schemas/views.ts';

const described = (description: string, media: string, schema: TSchema) => ({ description, content: { [media]: { schema } } });
const PROBLEM = 'application/problem+json';
const PROBLEMS = {
  '4xx': described('Refused or denied: a problem as RFC 9457 says', PROBLEM, ProblemView),
  '5xx': described('Not ready, or a defect of the gateway', PROBLEM, ProblemView),
};

/** The responses of a route, by status. */
export function documented(answers: Readonly<Record<number, TSchema>>): Record<string, unknown> {
  const entries = Object.entries(answers).map(([status, schema]) =>
    [status, described(STATUS_CODES[status] ?? '', schema === TextView ? 'text/plain' : 'application/json', schema)] as const);
  return { ...Object.fromEntries(entries), ...PROBLEMS };
}
