/**
 * Orders and reports as JSON, on the wire to the paper process and in its journal: decimals are strings, instants RFC 3339. The
 * schemas are closed: an unknown or a missing field is refused, because either side would be guessing.
 */
import { Type, type Static } from 'typebox';
import { formatDecimal, isDecimalText, parseDecimal, type Decimal } from '../../../risk/domain/decimal.ts';
import { isAccountId, isCleanText, isClOrdId, isStrategyId, isSymbol } from '../../../risk/domain/ids.ts';
import { ORDER_TYPES, SIDES, TIFS, type ChildOrder } from '../../../risk/domain/order.ts';
import { formatInstant, instant, parseInstant, type Ns } from '../../../risk/domain/time.ts';
import type { VenueReport } from '../../venue.ts';

const refined = (holds: (text: string) => boolean) => Type.Refine(Type.String({ maxLength: 128 }), holds);
const closed = { additionalProperties: false } as const;

export const ClOrdIdJson = refined(isClOrdId);
export const InstantJson = refined((text) => parseInstant(text) !== null);
/** A venue's words enter records: a lone surrogate among them has no canonical text. */
export const WordJson = Type.Refine(Type.String({ minLength: 1, maxLength: 128 }), isCleanText);
export const SeqJson = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const DecimalJson = refined(isDecimalText);

export const OrderJson = Type.Object({
  clOrdId: ClOrdIdJson, origClOrdId: Type.Union([ClOrdIdJson, Type.Null()]), parent: ClOrdIdJson, venue: WordJson,
  account: refined(isAccountId), strategy: refined(isStrategyId), symbol: refined(isSymbol), side: Type.Enum([...SIDES]), orderQty: DecimalJson,
  type: Type.Enum([...ORDER_TYPES]), limitPx: Type.Union([DecimalJson, Type.Null()]), tif: Type.Enum([...TIFS]),
  expireAt: Type.Union([InstantJson, Type.Null()]), participation: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()]),
}, closed);
export type OrderJson = Static<typeof OrderJson>;

const nullable = <A, B>(value: A | null, change: (value: A) => B): B | null => (value === null ? null : change(value));

export function encodeOrder(order: ChildOrder): OrderJson {
  const { clOrdId, origClOrdId, parent, venue, account, strategy, symbol, side, type, tif, participation } = order;
  return {
    clOrdId, origClOrdId, parent, venue, account, strategy, symbol, side, orderQty: formatDecimal(order.orderQty), type,
    limitPx: nullable(order.limitPx, formatDecimal), tif, expireAt: nullable(order.expireAt, formatInstant), participation,
  };
}

/** Of an order that its schema accepted. */
export function decodeOrder(json: OrderJson): ChildOrder {
  return { ...json, orderQty: parseDecimal(json.orderQty), limitPx: nullable(json.limitPx, parseDecimal), expireAt: nullable(json.expireAt, instant) };
}

const base = { clOrdId: ClOrdIdJson, sourceSeq: SeqJson, venueAt: InstantJson };
/** One row a kind: the fields beyond those of every report. */
export const ReportJson = Type.Union([
  Type.Object({ kind: Type.Enum(['acknowledged', 'absent']), ...base }, closed),
  Type.Object({ kind: Type.Enum(['canceled', 'expired']), ...base, cumQty: DecimalJson }, closed),
  Type.Object({ kind: Type.Enum(['rejected', 'cancelRejected']), ...base, reason: WordJson }, closed),
  Type.Object({ kind: Type.Literal('replaced'), ...base, origClOrdId: ClOrdIdJson, cumQty: DecimalJson, leavesQty: DecimalJson }, closed),
  Type.Object({
    kind: Type.Literal('filled'), ...base, execId: WordJson, lastQty: DecimalJson, lastPx: DecimalJson, cumQty: DecimalJson, leavesQty: DecimalJson,
    fee: DecimalJson, liquidity: Type.Enum(['maker', 'taker']),
  }, closed),
]);
export type ReportJson = Static<typeof ReportJson>;

const DECIMAL_FIELDS = ['lastQty', 'lastPx', 'cumQty', 'leavesQty', 'fee'] as const;

export function encodeReport(report: VenueReport): ReportJson {
  const json: Record<string, unknown> = { ...report, venueAt: formatInstant(report.venueAt) };
  for (const field of DECIMAL_FIELDS) if (field in json) json[field] = formatDecimal(json[field] as Decimal);
  return json as ReportJson;
}

/** Of a report that its schema accepted. */
export function decodeReport(json: ReportJson): VenueReport {
  const report: Record<string, unknown> = { ...json, venueAt: instant(json.venueAt) satisfies Ns };
  for (const field of DECIMAL_FIELDS) if (field in report) report[field] = parseDecimal(report[field] as string);
  return report as unknown as VenueReport;
}
