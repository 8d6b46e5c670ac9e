/**
 * One name: the account's limit, and the Kelly bound on the strategy's own book. Both look at the side that the trade moves to, with
 * every open order of that side filled. What does not grow there passes, so a book in breach can shrink and Kelly blocks no reduction.
 */
import { checkOf, decimalText, fits, ratioText } from '../check.ts';
import type { NameInput } from './inputs.ts';

export const nameExposure = checkOf<NameInput>()({
  code: 'NAME_EXPOSURE', unit: 'xEquity', needs: ['reach'], limit: ({ limits }) => decimalText(limits.nameXEquity),
  decide: ({ reach: { nameBefore, nameAfter, equity }, policy }) => ({
    ok: fits(nameAfter, nameBefore, policy.policy.limits.nameXEquity * equity), observed: ratioText(nameAfter, equity),
  }),
});

/** |w| ≤ governor × cap on w's sign. The cap is `kelly.unratedWeight` for a direct order: it brings no forecast. */
export const kellyCap = checkOf<NameInput>()({
  code: 'KELLY_CAP', unit: 'xEquity', needs: ['reach', 'kellyCap'], limit: ({ limits }) => decimalText(limits.kelly.unratedWeight),
  decide: ({ reach: { ownBefore, ownAfter, equity }, kellyCap: cap }) =>
    cap === 'unrated'
      ? { ok: ownAfter <= ownBefore, observed: ratioText(ownAfter, equity), limit: 'rated' }
      : { ok: fits(ownAfter, ownBefore, cap * equity), observed: ratioText(ownAfter, equity), limit: decimalText(cap) },
});
