/** The messages of a socket, by the same strict shapes as bodies. */
import { Type, type Static } from 'typebox';
import type { RouteName } from '../http/routes.ts';
import { RequestId, STRICT } from '../http/schemas/common.ts';
import { shape } from '../http/shape.ts';
import { CHANNELS } from './events.ts';

const Id = Type.Union([RequestId, Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })]);
const TOKEN_LENGTH_MAX = 4096;

const AuthSchema = Type.Object({ id: Type.Optional(Id), op: Type.Enum(['auth']), token: Type.String({ maxLength: TOKEN_LENGTH_MAX }) }, STRICT);
const SubscribeSchema = Type.Object({
  id: Type.Optional(Id),
  op: Type.Enum(['subscribe']),
  channels: Type.Array(Type.Enum([...CHANNELS]), { minItems: 1, maxItems: CHANNELS.length }),
  after: Type.Optional(Type.Union([Type.Integer({ minimum: -1, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()])),
}, STRICT);

export type Id = Static<typeof Id>;
const idShape = shape(Id);
export const authShape = shape(AuthSchema);
export const subscribeShape = shape(SubscribeSchema);

/** Operations that are routes too. `lifted` are the fields of the message's body that HTTP has in its path or query. */
export const OPERATIONS = {
  'target.submit': { route: 'submitTarget', lifted: [] },
  'order.submit': { route: 'submitOrder', lifted: [] },
  'order.amend': { route: 'amendOrder', lifted: ['clOrdId', 'account'] },
  'order.cancel': { route: 'cancelOrder', lifted: ['clOrdId', 'account'] },
  'switch.flip': { route: 'flipSwitch', lifted: [] },
} as const satisfies Record<string, { readonly route: RouteName; readonly lifted: readonly string[] }>;
export type Operation = keyof typeof OPERATIONS;

const NAMES = Object.keys(OPERATIONS) as readonly Operation[];
const Body = Type.Record(Type.String(), Type.Unknown());
const OperationSchema = Type.Object({ id: Type.Optional(Id), op: Type.Enum([...NAMES]), body: Body }, STRICT);
export const operationShape = shape(OperationSchema);

export function idOf(message: unknown): Id | undefined {
  if (typeof message !== 'object' || message === null || !('id' in message) || message.id === undefined) return undefined;
  return idShape.admit(message.id);
}
export const opOf = (message: unknown): unknown => (typeof message === 'object' && message !== null && 'op' in message ? message.op : undefined);
