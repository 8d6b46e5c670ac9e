/** Is it in the universe, and is the order whole lots at whole ticks? Exact arithmetic. */
import { checkOf, type Judged } from '../check.ts';
import { formatDecimal, isMultiple } from '../domain/decimal.ts';
import type { OrderInput } from './inputs.ts';

export const unknownInstrument = checkOf<Judged>()({
  code: 'UNKNOWN_INSTRUMENT', unit: 'none', needs: [], limit: () => 'known',
  decide: ({ instrument }) => ({ ok: instrument !== null, observed: instrument === null ? 'unknown' : 'known' }),
});

export const lotSize = checkOf<OrderInput>()({
  code: 'LOT_SIZE', unit: 'units', needs: ['instrument'], limit: (_, instrument) => (instrument === null ? null : formatDecimal(instrument.lotSize)),
  decide: ({ instrument, terms: { orderQty } }) => ({ ok: orderQty > 0n && isMultiple(orderQty, instrument.lotSize), observed: formatDecimal(orderQty) }),
});

/** A limit order has a limit price; on the other types it is optional. Where there is one it is positive and whole ticks. */
export const tickSize = checkOf<OrderInput>()({
  code: 'TICK_SIZE', unit: 'currency', needs: ['instrument'], limit: (_, instrument) => (instrument === null ? null : formatDecimal(instrument.tickSize)),
  decide: ({ instrument, terms: { type, limitPx } }) =>
    limitPx === null
      ? { ok: type !== 'limit', observed: 'none' }
      : { ok: limitPx > 0n && isMultiple(limitPx, instrument.tickSize), observed: formatDecimal(limitPx) },
});
