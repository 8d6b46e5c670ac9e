/**
 * What the limits of a whole account measure, and against what. The checks judge by these, and the projection is posed by them: a clip
 * has no arithmetic of its own about what a limit means.
 */
import { isNoWorse, within } from './check.ts';
import type { Exposure } from './exposure.ts';
import type { Limits } from './policy.ts';

/** What the measures look at. */
export type Measured = Pick<Exposure, 'equity' | 'unsettled' | 'gross' | 'longNet' | 'shortNet' | 'sectorGrossOf' | 'turnoverUsed' | 'variance'>;

/** Money of the account's currency, both. */
export interface Measure {
  readonly of: (exposure: Measured) => number;
  readonly limit: (limits: Limits, exposure: Measured) => number;
}

export const GROSS: Measure = { of: ({ gross }) => gross, limit: ({ grossXEquity }, { equity }) => grossXEquity * equity };
/** Gross over equity net of unsettled cash. */
export const LEVERAGE: Measure = { of: GROSS.of, limit: ({ leverageX }, { equity, unsettled }) => leverageX * (equity - unsettled) };
/** Net has two ends, each by itself: from too long, selling may not end too short. */
export const LONG: Measure = { of: ({ longNet }) => longNet, limit: ({ netXEquity }, { equity }) => netXEquity * equity };
export const SHORT: Measure = { of: ({ shortNet }) => -shortNet, limit: LONG.limit };
export const sectorMeasure = (sector: string): Measure => ({
  of: (exposure) => exposure.sectorGrossOf(sector), limit: ({ sectorXEquity }, { equity }) => sectorXEquity * equity,
});
/** Traded in the rolling day, plus everything open. */
export const TURNOVER: Measure = { of: ({ turnoverUsed }) => turnoverUsed, limit: ({ turnoverXEquityPerDay }, { equity }) => turnoverXEquityPerDay * equity };
/** Ex-ante volatility per √year, one-factor model. */
export const VOLATILITY: Measure = { of: ({ variance }) => Math.sqrt(variance), limit: ({ volatilityAnnual }, { equity }) => volatilityAnnual * equity };

/** Beside the sectors' those in which a trade of one name can pay for one of another, name by name. */
export const NETTED: readonly Measure[] = [GROSS, LEVERAGE, LONG, SHORT];

/** The account after something, by one way to look at it; and what it is held against where it is beyond a limit: as it was before, or a floor of that. */
export class Step {
  readonly after: Exposure;
  readonly #against: () => Measured;
  #heldAgainst: Measured | null = null;

  /** `against` is asked once, only of what is beyond a limit, for most is not, and in the turn that decides: it reads the books as they are. */
  constructor(after: Exposure, against: () => Measured) {
    this.after = after;
    this.#against = against;
  }

  get heldAgainst(): Measured {
    return this.#heldAgainst ??= this.#against();
  }
}

/** Whether it is beyond its limit as it stands. */
export const isBroken = ({ of, limit }: Measure, exposure: Measured, limits: Limits): boolean => !within(of(exposure), limit(limits, exposure));

/** Within the limit, or no worse than what it is held against. */
export const keeps = (measure: Measure, step: Step, limits: Limits): boolean =>
  !isBroken(measure, step.after, limits) || isNoWorse(measure.of(step.after), measure.of(step.heldAgainst));
