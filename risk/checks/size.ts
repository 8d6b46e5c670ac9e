/** How large one order may be: in money, as a share of the day's volume, and when it is plainly a slip of the finger. */
import { checkOf, decimalText, within } from '../check.ts';
import { toNumber } from '../domain/decimal.ts';
import type { PortfolioInput, SizeInput } from './inputs.ts';

/** Quantity × limit price, or × far touch without one; a target's parent at the mid. */
export const maxOrderNotional = checkOf<SizeInput>()({
  code: 'MAX_ORDER_NOTIONAL', unit: 'currency', needs: ['tradeNotional'], limit: ({ limits }) => decimalText(toNumber(limits.orderNotionalMax)),
  decide: ({ tradeNotional, policy }) => ({
    ok: within(tradeNotional, toNumber(policy.policy.limits.orderNotionalMax)), observed: decimalText(tradeNotional),
  }),
});

/** Quantity as a share of the average daily volume. */
export const maxOrderQty = checkOf<SizeInput>()({
  code: 'MAX_ORDER_QTY', unit: 'fraction', needs: ['advQty'], limit: ({ limits }) => decimalText(limits.orderQtyMaxAdvFraction),
  decide: ({ tradeQty, advQty, policy }) => ({
    ok: within(tradeQty, advQty * policy.policy.limits.orderQtyMaxAdvFraction), observed: decimalText(tradeQty / advQty),
  }),
});

/** An order beyond a multiple of its size limits: observed is the larger of the two multiples. */
export const fatFingerOrder = checkOf<SizeInput>()({
  code: 'FAT_FINGER', unit: 'none', needs: ['tradeNotional', 'advQty'], limit: ({ limits }) => decimalText(limits.fatFingerMultiple),
  decide: ({ tradeNotional, tradeQty, advQty, policy: { policy: { limits } } }) => {
    const multiple = Math.max(tradeNotional / toNumber(limits.orderNotionalMax), tradeQty / (advQty * limits.orderQtyMaxAdvFraction));
    return { ok: within(multiple, limits.fatFingerMultiple), observed: decimalText(multiple) };
  },
});

/** A target that asks for more gross than anyone means, or for one leg beyond a multiple of the name limit. Denies also in clip mode. */
export const fatFingerTarget = checkOf<PortfolioInput>()({
  code: 'FAT_FINGER', unit: 'xEquity', needs: ['exposure'], limit: ({ limits }) => decimalText(limits.fatFingerGrossX),
  decide: ({ requestedGross, requestedMax, policy: { policy: { limits } } }) => {
    const legMax = limits.fatFingerMultiple * limits.nameXEquity;
    if (!within(requestedMax, legMax)) return { ok: false, observed: decimalText(requestedMax), limit: decimalText(legMax) };
    return { ok: within(requestedGross, limits.fatFingerGrossX), observed: decimalText(requestedGross) };
  },
});
