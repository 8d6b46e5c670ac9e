/**
 * The account's exposure. What is released counts in its worst case (RTS 6 Article 15(2): working and in-flight orders count at once), a
 * plan by where it ends. Each measure passes within its limit, or when it is no worse than before: a book in breach must be able to shrink.
 */
import { checkOf, decimalText, ratioText } from '../check.ts';
import type { Exposure } from '../exposure.ts';
import { GROSS, keeps, LEVERAGE, LONG, sectorMeasure, SHORT, TURNOVER, VOLATILITY, type Measure } from '../measures.ts';
import type { PolicyInForce } from '../policy.ts';
import type { ExposureInput, Movement } from './inputs.ts';

const keepsAll = (measure: Measure, { steps }: Movement, { policy: { limits } }: PolicyInForce): boolean => steps.every((step) => keeps(measure, step, limits));

/** The largest after, over the equity that bounds it. */
function observed({ steps }: Movement, of: (after: Exposure) => number, base: (after: Exposure) => number = ({ equity }) => equity): string {
  let largest = steps[0].after;
  for (const { after } of steps) if (Math.abs(of(after)) > Math.abs(of(largest))) largest = after;
  return ratioText(of(largest), base(largest));
}

export const grossExposure = checkOf<ExposureInput>()({
  code: 'GROSS_EXPOSURE', unit: 'xEquity', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.grossXEquity),
  decide: ({ exposure, policy }) => ({ ok: keepsAll(GROSS, exposure, policy), observed: observed(exposure, GROSS.of) }),
});

export const netExposure = checkOf<ExposureInput>()({
  code: 'NET_EXPOSURE', unit: 'xEquity', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.netXEquity),
  decide: ({ exposure, policy }) => ({ ok: keepsAll(LONG, exposure, policy) && keepsAll(SHORT, exposure, policy), observed: observed(exposure, ({ net }) => net) }),
});

/** Gross by sector. Observed: the first sector that breaks the limit, else the largest. */
export const sectorExposure = checkOf<ExposureInput>()({
  code: 'SECTOR_EXPOSURE', unit: 'xEquity', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.sectorXEquity),
  decide: ({ exposure, policy }) => {
    const broken = sectorsOf(exposure).find((sector) => !keepsAll(sectorMeasure(sector), exposure, policy));
    return { ok: broken === undefined, observed: observed(exposure, broken === undefined ? largestSector(exposure) : sectorMeasure(broken).of) };
  },
});

/** Every exposure has all sectors of the universe. */
const sectorsOf = ({ steps, sector }: Movement): readonly string[] => (sector === null ? [...steps[0].after.sectorGross.keys()] : [sector]);
const largestSector = ({ sector }: Movement): ((after: Exposure) => number) =>
  (sector === null ? ({ sectorGross }) => Math.max(0, ...sectorGross.values()) : sectorMeasure(sector).of);

export const leverage = checkOf<ExposureInput>()({
  code: 'LEVERAGE', unit: 'xEquity', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.leverageX),
  decide: ({ exposure, policy }) => ({
    ok: keepsAll(LEVERAGE, exposure, policy), observed: observed(exposure, LEVERAGE.of, ({ equity, unsettled }) => equity - unsettled),
  }),
});

/** It only grows, so a used up turnover stops reductions too. */
export const turnover = checkOf<ExposureInput>()({
  code: 'TURNOVER', unit: 'xEquity', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.turnoverXEquityPerDay),
  decide: ({ exposure, policy }) => ({ ok: keepsAll(TURNOVER, exposure, policy), observed: observed(exposure, TURNOVER.of) }),
});

/** Under the one-factor model of the universe, over the worst way to fill. */
export const volatilityCap = checkOf<ExposureInput>()({
  code: 'VOLATILITY_CAP', unit: 'fraction', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.volatilityAnnual),
  decide: ({ exposure, policy }) => ({ ok: keepsAll(VOLATILITY, exposure, policy), observed: observed(exposure, VOLATILITY.of) }),
});
