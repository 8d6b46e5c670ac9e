/**
 * The registry: every check of an order, of a leg and of a portfolio, in the order in which records keep their observed values.
 * Adding one appends a line here; moving one changes how old records read, so lists change with the policy's schema only.
 */
import { checkList, factsPresent, type Check, type CheckList } from '../check.ts';
import type { CheckCode } from '../domain/verdict.ts';
import * as authority from './authority.ts';
import * as exposure from './exposure.ts';
import * as guards from './guards.ts';
import type { LegInput, OrderInput, PortfolioInput } from './inputs.ts';
import * as instrument from './instrument.ts';
import * as market from './market.ts';
import * as name from './name.ts';
import * as size from './size.ts';
import * as switches from './switches.ts';

/** A code with no check on an order: it speaks of whole targets, or is given by a flow. */
type OrderCode = Exclude<CheckCode, 'AS_OF_STALE' | 'CONTENDED'>;

const ORDER: Record<OrderCode, Check<OrderInput>> = {
  SWITCH_HALTED: switches.switchHalted,
  SWITCH_REDUCING: switches.switchReducing,
  ATTRIBUTION: authority.attribution,
  PERMISSION: authority.permission,
  UNKNOWN_INSTRUMENT: instrument.unknownInstrument,
  LOT_SIZE: instrument.lotSize,
  TICK_SIZE: instrument.tickSize,
  FACT_MISSING: factsPresent('quote', 'advQty', 'sigmaAnnual', 'exposure', 'clockStepBackMs'),
  MARKET_DATA_STALE: market.marketDataStale,
  PRICE_COLLAR: market.priceCollar,
  MAX_ORDER_NOTIONAL: size.maxOrderNotional,
  MAX_ORDER_QTY: size.maxOrderQty,
  NAME_EXPOSURE: name.nameExposure,
  GROSS_EXPOSURE: exposure.grossExposure,
  NET_EXPOSURE: exposure.netExposure,
  SECTOR_EXPOSURE: exposure.sectorExposure,
  LEVERAGE: exposure.leverage,
  TURNOVER: exposure.turnover,
  KELLY_CAP: name.kellyCap,
  VOLATILITY_CAP: exposure.volatilityCap,
  DRAWDOWN_GOVERNOR: guards.drawdownGovernor,
  FAT_FINGER: size.fatFingerOrder,
  CLOCK: guards.clock,
};
export const ORDER_CHECKS: CheckList<OrderInput> = checkList(...Object.values(ORDER));

/** Limits of the whole account: a target is brought within them by the projection. Total: what is here, the projection knows. */
const COUPLING = {
  GROSS_EXPOSURE: exposure.grossExposure,
  NET_EXPOSURE: exposure.netExposure,
  SECTOR_EXPOSURE: exposure.sectorExposure,
  LEVERAGE: exposure.leverage,
  TURNOVER: exposure.turnover,
  VOLATILITY_CAP: exposure.volatilityCap,
} as const satisfies Partial<Record<CheckCode, Check<PortfolioInput>>>;
export type CouplingCode = keyof typeof COUPLING;

/** Limits of what is held, which a smaller order may keep. What bounds an order by itself is not among them: to send it in parts would go around it. */
const OF_POSITION: ReadonlySet<CheckCode> = new Set<CheckCode>(['NAME_EXPOSURE', 'KELLY_CAP', ...(Object.keys(COUPLING) as CouplingCode[])]);
export const isPositionLimit = (code: CheckCode): boolean => OF_POSITION.has(code);

export const LEG_CHECKS: CheckList<LegInput> = checkList<LegInput>(
  switches.switchHalted,
  switches.switchReducing,
  instrument.unknownInstrument,
  factsPresent('quote', 'advQty', 'sigmaAnnual'),
  market.marketDataStale,
  size.maxOrderNotional,
  size.maxOrderQty,
  name.nameExposure,
  name.kellyCap,
  guards.drawdownGovernor,
);

export const PORTFOLIO_CHECKS: CheckList<PortfolioInput> = checkList<PortfolioInput>(
  switches.switchHalted,
  switches.switchReducing,
  authority.attribution,
  authority.permission,
  factsPresent('exposure', 'clockStepBackMs'),
  guards.asOfStale,
  ...Object.values(COUPLING),
  guards.drawdownGovernor,
  size.fatFingerTarget,
  guards.clock,
);
