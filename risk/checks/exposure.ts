/**
 * The account's exposure, worst case over everything open (RTS 6 Article 15(2): working and in-flight orders count at once). Each
 * measure passes within its limit, or when it is no worse than before: a book in breach must be able to shrink.
 */
import { checkOf, decimalText, fits, ratioText } from '../check.ts';
import type { ExposureInput, Movement } from './inputs.ts';

export const grossExposure = checkOf<ExposureInput>()({
  code: 'GROSS_EXPOSURE', unit: 'xEquity', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.grossXEquity),
  decide: ({ exposure: { before, after }, policy }) => ({
    ok: fits(after.gross, before.gross, policy.policy.limits.grossXEquity * after.equity), observed: ratioText(after.gross, after.equity),
  }),
});

/** Both ends by themselves: from too long, selling may not end too short. */
export const netExposure = checkOf<ExposureInput>()({
  code: 'NET_EXPOSURE', unit: 'xEquity', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.netXEquity),
  decide: ({ exposure: { before, after }, policy }) => {
    const limit = policy.policy.limits.netXEquity * after.equity;
    return {
      ok: fits(after.longNet, before.longNet, limit) && fits(-after.shortNet, -before.shortNet, limit),
      observed: ratioText(after.net, after.equity),
    };
  },
});

/** Gross by sector. Observed: the first sector that breaks the limit, else the largest. */
export const sectorExposure = checkOf<ExposureInput>()({
  code: 'SECTOR_EXPOSURE', unit: 'xEquity', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.sectorXEquity),
  decide: ({ exposure, policy }) => {
    const { after } = exposure;
    const broken = brokenSector(exposure, policy.policy.limits.sectorXEquity * after.equity);
    return { ok: broken === null, observed: ratioText(broken ?? largestSector(exposure), after.equity) };
  },
});

function brokenSector({ before, after, sector }: Movement, limit: number): number | null {
  for (const name of sector === null ? after.sectorGross.keys() : [sector]) {
    const gross = after.sectorGrossOf(name);
    if (!fits(gross, before.sectorGrossOf(name), limit)) return gross;
  }
  return null;
}
const largestSector = ({ after, sector }: Movement): number => (sector === null ? Math.max(0, ...after.sectorGross.values()) : after.sectorGrossOf(sector));

/** Gross over equity net of unsettled cash. */
export const leverage = checkOf<ExposureInput>()({
  code: 'LEVERAGE', unit: 'xEquity', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.leverageX),
  decide: ({ exposure: { before, after }, policy }) => ({
    ok: fits(after.gross, before.gross, policy.policy.limits.leverageX * (after.equity - after.unsettled)),
    observed: ratioText(after.gross, after.equity - after.unsettled),
  }),
});

/** Traded in the rolling day, plus everything open, plus this. It only grows, so a used up turnover stops reductions too. */
export const turnover = checkOf<ExposureInput>()({
  code: 'TURNOVER', unit: 'xEquity', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.turnoverXEquityPerDay),
  decide: ({ exposure: { before, after }, policy }) => ({
    ok: fits(after.turnoverUsed, before.turnoverUsed, policy.policy.limits.turnoverXEquityPerDay * after.equity),
    observed: ratioText(after.turnoverUsed, after.equity),
  }),
});

/** Ex-ante volatility per √year under the one-factor model of the universe, over the worst way to fill. */
export const volatilityCap = checkOf<ExposureInput>()({
  code: 'VOLATILITY_CAP', unit: 'fraction', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.volatilityAnnual),
  decide: ({ exposure: { before, after }, policy }) => ({
    ok: fits(Math.sqrt(after.variance), Math.sqrt(before.variance), policy.policy.limits.volatilityAnnual * after.equity),
    observed: ratioText(Math.sqrt(after.variance), after.equity),
  }),
});
