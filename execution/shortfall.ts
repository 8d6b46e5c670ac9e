/**
 * Implementation shortfall (Perold 1988, expanded): what a parent cost against the mid at its decision, in parts that sum to the
 * total to the last decimal. s = +1 buy, −1 sell; X ordered, Q filled, fills (qᵢ, pᵢ), P₀ the mid at the decision (arrival),
 * mᵢ the mid when the slice of fill i was released, h half the spread at the decision, Pₙ the mid at the end, F fees.
 *
 *   delay        s·(Σqᵢmᵢ − Q·P₀)      the market moved before we acted
 *   spread       h·Q                   what crossing at once would have paid
 *   impact       s·(Σqᵢpᵢ − Σqᵢmᵢ) − h·Q   the rest of the execution; negative where resting earned the spread
 *   opportunity  s·(X − Q)·(Pₙ − P₀)   what was not done
 *   fees         F
 *   total        s·(Σqᵢpᵢ − Q·P₀) + opportunity + F = paper portfolio − real portfolio
 *
 * Delay is charged on what was filled and the rest's whole move is opportunity. (Charging delay on X moves s·(X − Q)·(m − P₀) between
 * the two and leaves the total.) Positive costs us.
 */
import { add, divide, ONE, subtract, toNumber, ZERO, type Decimal } from '../risk/domain/decimal.ts';
import { signOf, type Side } from '../risk/domain/order.ts';

/** Sums over a parent's fills, as the fold keeps them. */
export interface Execution {
  readonly side: Side;
  readonly orderQty: Decimal;
  readonly cumQty: Decimal;
  /** Σ qᵢpᵢ, exact. */
  readonly cost: Decimal;
  /** Σ qᵢmᵢ, each product to the nearest 10⁻¹⁸. */
  readonly releaseCost: Decimal;
  readonly fees: Decimal;
  readonly arrivalPx: Decimal;
  readonly halfSpread: Decimal;
}

/** Currency; `bps` of arrival notional X·P₀, 0 where there is none. */
export interface Shortfall {
  readonly delay: Decimal;
  readonly spread: Decimal;
  readonly impact: Decimal;
  readonly opportunity: Decimal;
  readonly fees: Decimal;
  readonly total: Decimal;
  readonly bps: number;
}

/** qty × px to the nearest 10⁻¹⁸: a mid has a decimal more than the tick, so the exact product may have a nineteenth. Both ≥ 0. */
export function nearestProduct(qty: Decimal, px: Decimal): Decimal {
  return ((qty * px + ONE / 2n) / ONE) as Decimal;
}

/**
 * The shortfall of a parent by its parts. `endPx`: the mid at its end, or now while it lives. Null when something is left unfilled
 * and no such price is known: an unknown opportunity is not a free one.
 */
export function shortfallOf(execution: Execution, endPx: Decimal | null): Shortfall | null {
  const { side, orderQty, cumQty, cost, releaseCost, fees, arrivalPx, halfSpread } = execution;
  const leavesQty = subtract(orderQty, cumQty);
  if (leavesQty > 0n && endPx === null) return null;
  const signed = (value: bigint): Decimal => (side === 'buy' ? value : -value) as Decimal;
  const arrivalCost = nearestProduct(cumQty, arrivalPx);
  const delay = signed(releaseCost - arrivalCost);
  const spread = nearestProduct(cumQty, halfSpread);
  const impact = subtract(signed(cost - releaseCost), spread);
  const opportunity = leavesQty > 0n && endPx !== null ? signed(nearestProduct(leavesQty, endPx) - nearestProduct(leavesQty, arrivalPx)) : ZERO;
  const total = add(add(signed(cost - arrivalCost), opportunity), fees);
  const notional = nearestProduct(orderQty, arrivalPx);
  const bps = notional === 0n ? 0 : toNumber(divide((total * 10_000n) as Decimal, notional));
  return { delay, spread, impact, opportunity, fees, total, bps };
}

/** Average price of what was filled, to 18 decimals; null before the first fill. */
export function avgPxOf({ cost, cumQty }: Pick<Execution, 'cost' | 'cumQty'>): Decimal | null {
  return cumQty === 0n ? null : divide(cost, cumQty);
}

/** Slippage of an average price against a benchmark, bps; positive costs us. */
export function slippageBps(side: Side, avgPx: Decimal, benchmarkPx: Decimal): number {
  return signOf(side) * (toNumber(avgPx) / toNumber(benchmarkPx) - 1) * 1e4;
}
