/** Guards on the circumstances: the account's losses, the clock, the age of a target. */
import { checkOf, decimalText, isShut, within } from '../check.ts';
import { AHEAD_MAX_MS } from '../quote.ts';
import type { ClockInput, GovernorInput, PortfolioInput } from './inputs.ts';

/** Where the drawdown has taken the governor to 0, only proven reductions pass. Before that it acts through the Kelly cap. */
export const drawdownGovernor = checkOf<GovernorInput>()({
  code: 'DRAWDOWN_GOVERNOR', unit: 'fraction', needs: ['drawdown', 'governor'], limit: ({ limits }) => decimalText(limits.governor.hardStop),
  decide: ({ drawdown, governor, reduces }) => ({ ok: !isShut(governor) || reduces, observed: decimalText(drawdown) }),
});

/** How far the clock last stepped back. Not knowing is a missing fact. */
export const clock = checkOf<ClockInput>()({
  code: 'CLOCK', unit: 'ms', needs: ['clockStepBackMs'], limit: ({ limits }) => decimalText(limits.clockStepBackMaxMs),
  decide: ({ clockStepBackMs, policy }) => ({
    ok: within(clockStepBackMs, policy.policy.limits.clockStepBackMaxMs), observed: decimalText(clockStepBackMs),
  }),
});

/** A target too old to mean anything, or from the future. */
export const asOfStale = checkOf<PortfolioInput>()({
  code: 'AS_OF_STALE', unit: 'ms', needs: [], limit: ({ limits }) => decimalText(limits.asOfStaleAfterMs),
  decide: ({ asOfAgeMs, policy }) => ({
    ok: asOfAgeMs <= policy.policy.limits.asOfStaleAfterMs && asOfAgeMs >= -AHEAD_MAX_MS, observed: decimalText(asOfAgeMs),
  }),
});
