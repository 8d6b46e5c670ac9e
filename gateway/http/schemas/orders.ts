/** Orders on the wire, and as the core reads them. */
import { Type, type Static } from 'typebox';
import { formatDecimal, parseDecimal, type Decimal } from '../../../risk/domain/decimal.ts';
import { ORDER_TYPES, SIDES, TIFS, type OrderTerms, type OrderType } from '../../../risk/domain/order.ts';
import { formatInstant } from '../../../risk/domain/time.ts';
import { shape } from '../shape.ts';
import { Account, admittedInstant, Attribution, ClOrdId, Instant, PositiveText, Strategy, STRICT, Symbol } from './common.ts';

const OrderSchema = Type.Object({
  clOrdId: ClOrdId,
  account: Account,
  strategy: Strategy,
  symbol: Symbol,
  side: Type.Enum([...SIDES]),
  orderQty: PositiveText,
  type: Type.Enum([...ORDER_TYPES]),
  limitPx: Type.Optional(PositiveText),
  tif: Type.Enum([...TIFS]),
  expireAt: Type.Optional(Instant),
  participation: Type.Optional(PositiveText),
  attribution: Type.Optional(Attribution),
}, STRICT);

const AmendSchema = Type.Object({ orderQty: Type.Optional(PositiveText), limitPx: Type.Optional(PositiveText) }, { ...STRICT, minProperties: 1 });

export type OrderBody = Static<typeof OrderSchema>;
export type AmendBody = Static<typeof AmendSchema>;

/** Whether an order of this type has a limit price: as the order itself, as a bound, or not at all. */
const LIMIT_PX: Record<OrderType, 'required' | 'optional' | 'refused'> = { limit: 'required', pegged: 'optional', pov: 'optional', market: 'refused' };

/** What is wrong with an order of the right shape; null when nothing is. */
export function orderFault(body: OrderBody): string | null {
  const { limitPx, expireAt, participation, type, tif } = body;
  if (limitPx === undefined && LIMIT_PX[type] === 'required') return `limitPx is needed with the type ${type}`;
  if (limitPx !== undefined && LIMIT_PX[type] === 'refused') return `limitPx has no meaning with the type ${type}`;
  if ((expireAt !== undefined) !== (tif === 'gtd')) return 'expireAt stands with the tif gtd, and only there';
  if ((participation !== undefined) !== (type === 'pov')) return 'participation stands with the type pov, and only there';
  if (participation !== undefined && Number(participation) > 1) return 'participation is at most 1';
  return null;
}

export const orderShape = shape(OrderSchema, orderFault);
export const amendShape = shape(AmendSchema);

const toDecimalOrNull = (text: string | undefined): Decimal | null => (text === undefined ? null : parseDecimal(text));

/** An admitted body as the core reads it. Its clOrdId and attribution travel beside the terms. */
export function toOrderTerms(body: OrderBody): OrderTerms {
  return {
    account: body.account, strategy: body.strategy, symbol: body.symbol, side: body.side, orderQty: parseDecimal(body.orderQty), type: body.type,
    limitPx: toDecimalOrNull(body.limitPx), tif: body.tif, expireAt: body.expireAt === undefined ? null : admittedInstant(body.expireAt),
    participation: body.participation === undefined ? null : Number(body.participation),
  };
}

/** The inverse of `toOrderTerms`. */
export function fromOrderTerms(clOrdId: string, terms: OrderTerms): OrderBody {
  const { account, strategy, symbol, side, type, tif, limitPx, expireAt, participation } = terms;
  return {
    clOrdId, account, strategy, symbol, side, orderQty: formatDecimal(terms.orderQty), type, tif,
    ...(limitPx === null ? {} : { limitPx: formatDecimal(limitPx) }),
    ...(expireAt === null ? {} : { expireAt: formatInstant(expireAt) }),
    ...(participation === null ? {} : { participation: formatDecimal(parseDecimal(participation.toFixed(18))) }),
  };
}
