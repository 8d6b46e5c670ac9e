/** How a slice is done: the port of a routing policy, and the fixed rule that always crosses. */
import { minimum, maximum, type Decimal } from '../risk/domain/decimal.ts';
import type { OrderType, Side, Tif } from '../risk/domain/order.ts';
import { ARMS, expectedCostBps } from './cost.ts';
import type { Arm, CostContext } from './cost.ts';
import type { ArmChoice } from './records.ts';

/** What a policy may know; all of it stands in the record of the slice, so that the choice can be made again. */
export interface RoutingContext {
  readonly side: Side;
  readonly bidPx: Decimal;
  readonly askPx: Decimal;
  readonly tickSize: Decimal;
  /** Bounds of the limit, basis points: through the far touch, and around the mid. */
  readonly crossBps: number;
  readonly collarBps: number;
  readonly cost: CostContext;
}

export interface Choice {
  readonly arm: Arm;
  /** Every arm, in the order of `ARMS`; the propensities sum to 1. */
  readonly arms: readonly ArmChoice[];
  readonly order: { readonly type: OrderType; readonly limitPx: Decimal; readonly tif: Tif; readonly participation: number | null };
}

export interface RoutingPolicy {
  choose(context: RoutingContext): Choice;
}

/** Always takes: a limit a little through the far touch, immediate or cancel. The baseline of every other policy. */
export const fixedRule: RoutingPolicy = {
  choose(context) {
    const arms = ARMS.map((arm) => ({ arm, costBps: expectedCostBps(arm, context.cost), propensity: arm === 'cross' ? 1 : 0 }));
    return { arm: 'cross', arms, order: { type: 'limit', limitPx: crossingPx(context), tif: 'ioc', participation: null } };
  },
};

const ONE_IN_MICRO_BPS = 10_000_000_000n;

/**
 * The far touch moved through by `crossBps`, never beyond the collar around the mid; rounded to the tick on the passive side, so that
 * rounding never pays more. In bigints: the same limit whatever the machine.
 */
export function crossingPx({ side, bidPx, askPx, tickSize, crossBps, collarBps }: RoutingContext): Decimal {
  const twiceMid = (bidPx + askPx) as Decimal;
  if (side === 'buy') return minimum(through(askPx, crossBps, 1n, tickSize), through(twiceMid, collarBps, 2n, tickSize));
  return maximum(through(bidPx, -crossBps, 1n, tickSize), through(twiceMid, -collarBps, 2n, tickSize));
}

/** px·(1 + bps/10⁴)/divisor on the tick grid: down where bps ≥ 0 (a buyer's limit), up where it is negative (a seller's). */
function through(px: Decimal, bps: number, divisor: bigint, tick: Decimal): Decimal {
  const numerator = px * (ONE_IN_MICRO_BPS + BigInt(Math.round(bps * 1e6)));
  const step = ONE_IN_MICRO_BPS * divisor * tick;
  const ticks = bps < 0 || Object.is(bps, -0) ? (numerator + step - 1n) / step : numerator / step;
  return (ticks * tick) as Decimal;
}
