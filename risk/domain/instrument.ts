import type { Decimal } from './decimal.ts';

/** One line of the universe: what is known of an instrument before any market data. */
export interface Instrument {
  readonly symbol: string;
  readonly name: string;
  readonly sector: string;
  readonly assetClass: 'equity' | 'crypto';
  readonly currency: string;
  /** Order quantities are whole multiples of it. */
  readonly lotSize: Decimal;
  /** Limit prices are whole multiples of it. */
  readonly tickSize: Decimal;
  /** Days from trade to settlement; 0 settles at once. */
  readonly settlementDays: number;
  /** Price at which the synthetic market starts. */
  readonly referencePx: Decimal;
  /** Average daily volume, units a day. */
  readonly advQty: number;
  /** Volatility of returns per √year, 0.2 = 20 %. */
  readonly sigmaAnnual: number;
  /** Sensitivity to the one market factor of the risk model. */
  readonly beta: number;
  /** Typical quoted spread, basis points of the mid. */
  readonly spreadBps: number;
}
