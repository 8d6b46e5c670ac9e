/** What the paper venue takes and refuses, what it charges, and when its day ends. */
import { fromNumber, isMultiple, type Decimal } from '../../../risk/domain/decimal.ts';
import type { Instrument } from '../../../risk/domain/instrument.ts';
import type { ChildOrder } from '../../../risk/domain/order.ts';
import { NS_PER_MS, NS_PER_SECOND, type Ns } from '../../../risk/domain/time.ts';

/** How a paper venue behaves. Fees are basis points of notional, negative for a rebate; `seed` stands in the exec ids. */
export interface PaperConfig {
  /** From the send of a command to the instant at which it acts. */
  readonly latencyMs: number;
  readonly makerFeeBps: number;
  readonly takerFeeBps: number;
  /** From a move of the near touch to the move of the orders pegged to it. */
  readonly repegLatencyMs: number;
  readonly seed: number;
}

/** Why an order, a replace or a cancel was refused. The first that applies, in this order. */
export type RejectReason =
  | 'DUPLICATE' | 'UNKNOWN_ORDER' | 'TOO_LATE' | 'REPLACE_TERMS' | 'UNKNOWN_SYMBOL' | 'ORDER_QTY' | 'LOT_SIZE' | 'LIMIT_PX' | 'TICK_SIZE'
  | 'PARTICIPATION' | 'EXPIRE_AT' | 'TIF' | 'NO_QUOTE';

/** Pegged and pov orders work over time: there is nothing immediate about them. */
const immediate = (order: ChildOrder): boolean => order.tif === 'ioc' || order.tif === 'fok';

/** One row a defect; an order with several is refused for the first. */
const DEFECTS: readonly (readonly [RejectReason, (order: ChildOrder, instrument: Instrument) => boolean])[] = [
  ['ORDER_QTY', (order) => order.orderQty <= 0n],
  ['LOT_SIZE', (order, instrument) => !isMultiple(order.orderQty, instrument.lotSize)],
  ['LIMIT_PX', (order) => (order.limitPx === null ? order.type === 'limit' : order.limitPx <= 0n)],
  ['TICK_SIZE', (order, instrument) => order.limitPx !== null && !isMultiple(order.limitPx, instrument.tickSize)],
  ['PARTICIPATION', (order) => (order.type === 'pov') !== (order.participation !== null)],
  ['PARTICIPATION', ({ participation }) => participation !== null && !(participation > 0 && participation <= 1)],
  ['EXPIRE_AT', (order) => (order.tif === 'gtd') !== (order.expireAt !== null)],
  ['TIF', (order) => (order.type === 'pegged' || order.type === 'pov') && immediate(order)],
];

/** The first defect of an order's own terms; null when it has none. */
export function defectOf(order: ChildOrder, instrument: Instrument): RejectReason | null {
  return DEFECTS.find(([, applies]) => applies(order, instrument))?.[0] ?? null;
}

/** A replace changes quantity, limit, participation and time in force; anything else is another order. */
export function sameOrder(order: ChildOrder, original: ChildOrder): boolean {
  return order.symbol === original.symbol && order.side === original.side && order.type === original.type && order.account === original.account;
}

/** A share of volume as a decimal of 12 places, so that 0.3 of 10 is 3. */
export const shareOf = (participation: number): Decimal => fromNumber(participation, 12);

/** Fee of a fill in the instrument's currency: bps of the exact notional, rounded half away from zero to 6 decimals. */
export function feeOf(qty: Decimal, px: Decimal, bps: Decimal): Decimal {
  const exact = qty * px * bps; // scale 10^54 of basis points, so 10^58 of the currency
  const unit = 10n ** 52n;
  const half = exact < 0n ? -unit / 2n : unit / 2n;
  return (((exact + half) / unit) * 10n ** 12n) as Decimal;
}

const NEW_YORK = new Intl.DateTimeFormat('en-US', { timeZone: 'America/New_York', hourCycle: 'h23', hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Seconds since midnight on New York's wall clock. */
function newYorkSecond(at: Ns): bigint {
  const part = (type: string): bigint => BigInt(NEW_YORK.formatToParts(Number(at / NS_PER_MS)).find((p) => p.type === type)?.value ?? '0');
  return part('hour') * 3600n + part('minute') * 60n + part('second');
}

let cachedFrom = 0n as Ns;
let cachedEnd = 0n as Ns;

/**
 * End of a `day` order accepted at `at`: the next 24:00 of New York, for every asset class, because the synthetic market has no
 * session. On the two days when the clocks change the candidate misses midnight by the hour that is taken back here.
 */
export function dayEnd(at: Ns): Ns {
  if (at >= cachedFrom && at < cachedEnd) return cachedEnd;
  const candidate = (at / NS_PER_SECOND - newYorkSecond(at) + 86_400n) * NS_PER_SECOND;
  const miss = newYorkSecond(candidate as Ns);
  cachedFrom = at;
  cachedEnd = (candidate + (miss < 43_200n ? -miss : 86_400n - miss % 86_400n) * NS_PER_SECOND) as Ns;
  return cachedEnd;
}

/** When an order ends by itself; null when it does not. */
export function endOf(order: ChildOrder, acceptedAt: Ns): Ns | null {
  switch (order.tif) {
    case 'day': return dayEnd(acceptedAt);
    case 'gtd': return order.expireAt;
    case 'gtc': case 'ioc': case 'fok': return null;
  }
}
