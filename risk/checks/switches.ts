/** Kill switches. The strictest of all scopes that match wins; *reducing* is judged on the projected position, never on the side. */
import { checkOf } from '../check.ts';
import { scopeText } from '../gates.ts';
import type { SwitchInput } from './inputs.ts';

/** Under `halted` nothing passes, but a proven reduction where the policy arms it for every scope that is halted. */
export const switchHalted = checkOf<SwitchInput>()({
  code: 'SWITCH_HALTED', unit: 'none', needs: [], limit: () => 'active',
  decide: ({ gates: { halted, armed }, reduces }) => {
    const scope = halted ?? armed;
    return { ok: halted === null && (armed === null || reduces), observed: scope === null ? 'active' : scopeText('halted', scope) };
  },
});

/**
 * Under `reducing` the position after all open orders of the same side and this one may not be larger than before, nor change its
 * sign: for the account and for the strategy's own book. A sell of 300 against +100 is no reduction, nor is any order from flat.
 */
export const switchReducing = checkOf<SwitchInput>()({
  code: 'SWITCH_REDUCING', unit: 'none', needs: [], limit: () => 'reduction',
  decide: ({ gates: { reducing }, reduces }) => ({
    ok: reducing === null || reduces,
    observed: reducing === null ? 'active' : reduces ? 'reduction' : scopeText('reducing', reducing),
  }),
});
