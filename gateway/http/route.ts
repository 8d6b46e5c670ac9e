/** What a route is: who may, what it takes, which one call of the service answers it. */
import type { TSchema } from 'typebox';
import { isAccountId, isClOrdId, isTargetId } from '../../risk/domain/ids.ts';
import type { Role } from '../../risk/domain/record.ts';
import type { Principal } from '../auth/principal.ts';
import { Refusal } from './errors.ts';
import { parseQuery, type QueryOf, type QuerySpec } from './query.ts';
import type { Answer, Service } from './service.ts';
import type { Shape } from './shape.ts';

const APPROVAL_ID = /^[A-Z0-9]{1,24}$/;

/** Names in paths, one predicate each. */
const PATH_PARAMS = {
  targetId: isTargetId, clOrdId: isClOrdId, account: isAccountId,
  approvalId: (text: unknown): text is string => typeof text === 'string' && APPROVAL_ID.test(text),
} as const;
export type PathParam = keyof typeof PATH_PARAMS;

export interface Input<B, Q extends QuerySpec, P extends PathParam> {
  readonly body: B;
  readonly query: QueryOf<Q>;
  readonly params: Readonly<Record<P, string>>;
}
/** `NoBody` routes take none; a body that is there all the same is refused. */
export type NoBody = undefined;

interface RouteSpec<B, Q extends QuerySpec, P extends PathParam> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `/v1/orders/:clOrdId` */
  readonly url: string;
  readonly summary: string;
  readonly roles: readonly Role[];
  /** Kills and cancels: no limiter counts them, and they need no room. */
  readonly urgent?: true;
  /** Done at once, before what was read with it (DESIGN §1: switches are the first of a turn). All others keep the order in which they were read. */
  readonly first?: true;
  readonly params?: readonly P[];
  readonly query?: Q;
  readonly body?: Shape<B>;
  readonly bodyBytes?: number;
  /** By status, for the OpenAPI document. */
  readonly answers: Readonly<Record<number, TSchema>>;
  run(service: Service, principal: Principal, input: Input<B, Q, P>): Promise<Answer>;
}
export interface Route extends RouteSpec<unknown, QuerySpec, PathParam> {
  readonly params: readonly PathParam[];
  readonly query: QuerySpec;
}

export function route<B = NoBody, const Q extends QuerySpec = QuerySpec, P extends PathParam = never>(spec: RouteSpec<B, Q, P>): Route {
  const whole = { params: [], query: {}, ...spec };
  return whole as unknown as Route; // `run` reads only what `admit` made by the same spec
}

/** What came over the wire, by whichever face. */
export interface RawInput {
  readonly params: Readonly<Record<string, string | undefined>>;
  readonly query: string;
  readonly body: unknown;
}

/** Wire → input, or Refusal INVALID_BODY. */
export function admit(spec: Route, raw: RawInput): Input<unknown, QuerySpec, PathParam> {
  const params: Partial<Record<PathParam, string>> = {};
  for (const name of spec.params) {
    const text = raw.params[name];
    if (!PATH_PARAMS[name](text)) throw new Refusal('INVALID_BODY', `${name} does not have the form asked for`);
    params[name] = text;
  }
  const query = parseQuery(spec.query, raw.query);
  if (spec.body === undefined && raw.body !== undefined) throw new Refusal('INVALID_BODY', 'A body has no meaning here');
  return { params: params as Record<PathParam, string>, query, body: spec.body?.admit(raw.body) };
}

/** Every account that the request names, in its path, query or body. */
export function accountsNamed({ params, query, body }: Input<unknown, QuerySpec, PathParam>): readonly string[] {
  const inBody = typeof body === 'object' && body !== null && 'account' in body ? body.account : undefined;
  const named: readonly unknown[] = [params.account, query['account'], inBody];
  return named.filter((account) => typeof account === 'string');
}
