/** Reasons are data: what was checked, what was seen, what is allowed. Sentences are made once, at the edge. */

export const CHECK_CODES = [
  'SWITCH_HALTED', 'SWITCH_REDUCING', 'ATTRIBUTION', 'PERMISSION', 'UNKNOWN_INSTRUMENT', 'LOT_SIZE', 'TICK_SIZE', 'FACT_MISSING', 'MARKET_DATA_STALE',
  'AS_OF_STALE', 'PRICE_COLLAR', 'MAX_ORDER_NOTIONAL', 'MAX_ORDER_QTY', 'NAME_EXPOSURE', 'GROSS_EXPOSURE', 'NET_EXPOSURE', 'SECTOR_EXPOSURE', 'LEVERAGE',
  'TURNOVER', 'KELLY_CAP', 'VOLATILITY_CAP', 'DRAWDOWN_GOVERNOR', 'FAT_FINGER', 'CLOCK', 'CONTENDED',
] as const;
export type CheckCode = (typeof CHECK_CODES)[number];
export type Outcome = 'pass' | 'clip' | 'deny' | 'off';
export type Unit = 'xEquity' | 'currency' | 'units' | 'bps' | 'ms' | 'fraction' | 'none';

/**
 * One check's part of a decision. `observed` and `limit` are decimal strings, or words for checks that count nothing. Made with its keys
 * in this order, which is that of a record: so a repeat, answered from its record, is answered with the same bytes.
 */
export interface Verdict {
  readonly code: CheckCode;
  readonly limit: string | null;
  readonly observed: string | null;
  readonly outcome: Outcome;
  readonly unit: Unit;
}
