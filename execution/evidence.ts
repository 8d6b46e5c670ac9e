/** Whether a venue's report can be true: what a venue says happened has happened, unless it contradicts what it said before. */
import { add, subtract, type Decimal } from '../risk/domain/decimal.ts';
import { transition, type OrderEvent } from './order-state.ts';
import type { Child } from './state.ts';
import type { VenueReport } from './venue.ts';

/** What does not fit, in words for the person who looks into it. `applies`: the report counts all the same. */
export interface Doubt {
  readonly what: string;
  readonly applies: boolean;
}

/** The venue's word for an id that it has already: then it has an order of ours, and nothing may be freed. */
const DUPLICATE = 'DUPLICATE';

/**
 * What is wrong with a report about an order of ours; null when it fits. `siblings`: all children of its parent, itself among them. What would count a fill
 * twice, free what the venue has accepted, or cannot be booked at all, does not apply; a fill too many does: the position is real.
 */
export function doubtOf(child: Child, siblings: readonly Child[], report: VenueReport): Doubt | null {
  const what = contradiction(child, siblings, report);
  if (what !== null) return { what, applies: false };
  const odd = oddity(child, report);
  return odd === null ? null : { what: odd, applies: true };
}

function contradiction(child: Child, siblings: readonly Child[], report: VenueReport): string | null {
  switch (report.kind) {
    case 'filled':
      if (report.lastQty <= 0n || report.lastPx <= 0n) return 'a fill without quantity or price';
      return isCounted(child, siblings, report) ? 'a fill that is counted already' : null;
    case 'replaced':
      if (isMoreThanOrdered(child, siblings, report.cumQty)) return 'a replacement of an order that was filled for more than was ordered';
      return report.origClOrdId === child.order.origClOrdId ? null : 'a replacement of another order than the one that was to be replaced';
    case 'rejected':
      if (report.reason === DUPLICATE) return 'a repeat was refused that was never sent';
      return child.acceptedAt === null ? null : 'a rejection of an order that the venue had accepted';
    case 'absent':
      return child.acceptedAt === null ? null : 'the venue denies an order that it had accepted';
    case 'canceled': case 'expired':
      if (isMoreThanOrdered(child, siblings, report.cumQty)) return 'an end with more than was ordered';
      return child.endedCumQty === null || child.endedCumQty === report.cumQty ? null : 'an end with another total than it had before';
    case 'acknowledged': case 'cancelRejected':
      return null;
  }
}

/** By its id, under whichever order of its chain it was told; or by its total, unless it may be one that a later fill has overtaken. */
function isCounted({ chain, cumQty, toldQty }: Child, siblings: readonly Child[], report: VenueReport & { kind: 'filled' }): boolean {
  return siblings.some((other) => other.chain === chain && other.execIds.includes(report.execId))
    || (report.cumQty <= cumQty && subtract(toldQty, cumQty) < report.lastQty);
}

/** Of an order and those that are to replace it the largest may be filled; what was, counts, however much it is. */
function isMoreThanOrdered({ chain, cumQty }: Child, siblings: readonly Child[], total: Decimal): boolean {
  return total > cumQty && siblings.every((other) => other.chain !== chain || total > other.order.orderQty);
}

function oddity(child: Child, report: VenueReport): string | null {
  const { order, state, cumQty } = child;
  if (report.kind === 'filled') {
    const filled = add(cumQty, report.lastQty);
    if (filled > order.orderQty) return 'filled for more than was ordered';
    if (report.cumQty > filled) return 'a fill before this one is missing';
  }
  if (report.kind === 'canceled' || report.kind === 'expired') {
    if (report.cumQty < cumQty) return 'ended with less than it had filled';
    if (report.cumQty === child.endedCumQty) return null; // said again
  }
  return transition(state, eventOf(child, report), cumQty > 0n).possible ? null : `${report.kind} of an order that is ${state}`;
}

function eventOf({ order, cumQty }: Child, report: VenueReport): OrderEvent {
  switch (report.kind) {
    case 'filled':
      return add(cumQty, report.lastQty) >= order.orderQty ? 'filled' : 'partiallyFilled';
    case 'replaced':
      return 'acknowledged';
    case 'absent':
      return 'rejected';
    case 'acknowledged': case 'canceled': case 'expired': case 'rejected': case 'cancelRejected':
      return report.kind;
  }
}
