/** What becomes of a verdict when a request is clipped: the same check judged the request and the result. */
import { decimalText } from './check.ts';
import type { CouplingCode } from './checks/index.ts';
import type { CheckCode, Verdict } from './domain/verdict.ts';

/** What a denial by each code means for a target in clip mode: the leg or the portfolio can be brought within the limit, or it cannot. Total. */
const CLIPPABLE: Record<CheckCode, boolean> = {
  SWITCH_HALTED: false, SWITCH_REDUCING: true, ATTRIBUTION: false, PERMISSION: false, UNKNOWN_INSTRUMENT: false, LOT_SIZE: false, TICK_SIZE: false,
  FACT_MISSING: false, MARKET_DATA_STALE: false, AS_OF_STALE: false, PRICE_COLLAR: false, MAX_ORDER_NOTIONAL: true, MAX_ORDER_QTY: true,
  NAME_EXPOSURE: true, GROSS_EXPOSURE: true, NET_EXPOSURE: true, SECTOR_EXPOSURE: true, LEVERAGE: true, TURNOVER: true, KELLY_CAP: true,
  VOLATILITY_CAP: true, DRAWDOWN_GOVERNOR: true, FAT_FINGER: false, CLOCK: false, CONTENDED: false,
};

/** A denial that no clip can cure. A missing forecast is one: there is no cap to clip to. */
export const refused = ({ code, outcome, limit }: Verdict): boolean => outcome === 'deny' && (!CLIPPABLE[code] || limit === 'rated');

/** Pass: the request passed, with what the result shows. Clip: only the result passes, with what was asked. Else the denial. */
export function mergeVerdicts(request: readonly Verdict[], result: readonly Verdict[]): Verdict[] {
  return request.map((asked, i) => {
    const left = result[i] as Verdict;
    if (asked.outcome !== 'deny') return left;
    return left.outcome === 'deny' ? asked : { ...asked, outcome: 'clip' };
  });
}

/** A leg's clips by limits of the whole account: from the requested weight to the one that is left. */
export function clipVerdicts(codes: readonly CouplingCode[], requested: number, left: number): Verdict[] {
  return codes.map((code) => ({ code, limit: decimalText(left), observed: decimalText(requested), outcome: 'clip', unit: 'xEquity' }));
}
