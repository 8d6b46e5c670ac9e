import { draft } from '../../compliance/records.ts';
import type { RecordBodies } from '../../compliance/records.ts';
import { findChild, isRepeat, type Child } from '../../execution/state.ts';
import type { VenueReport } from '../../execution/venue.ts';
import { formatDecimal } from '../../risk/domain/decimal.ts';
import type { Side } from '../../risk/domain/order.ts';
import type { Actor, Draft } from '../../risk/domain/record.ts';
import { formatInstant, NS_PER_DAY, type Ns } from '../../risk/domain/time.ts';
import { policyInForce, type House } from '../house.ts';

/**
 * A venue's report, recorded in the order in which it came. Nothing is decided: what the venue says happened has happened. A repeat
 * is dropped by its source sequence; a report about an order that the log does not know is a break.
 */
export function applyReport(house: House, venue: string, report: VenueReport): void {
  // read
  if (isRepeat(house.state.execution, venue, report.sourceSeq)) return;
  const child = findChild(house.state.execution, report.clOrdId);
  const actor: Actor = { id: venue, role: 'venue' };
  const record = child === null ? breakFound(venue, actor, report) : reported(house, venue, actor, child, report);

  // record: folded in this turn, so the next decision sees it; nothing waits for it, and a lost connection brings it again
  house.journal.append([record]);
}

function breakFound(venue: string, actor: Actor, { clOrdId, sourceSeq, kind }: VenueReport): Draft {
  return draft('break.found', actor, null, { clOrdId, sourceSeq, venue, what: `${kind} of an order that the log does not know` });
}

function reported(house: House, venue: string, actor: Actor, child: Child, report: VenueReport): Draft {
  const { account, parent, strategy, symbol, origClOrdId, side } = child.order;
  const of = origClOrdId === null ? 'new' : 'replace';
  const whose = { account, clOrdId: report.clOrdId };
  const told = { parent, receivedAt: formatInstant(house.timers.now()), sourceSeq: report.sourceSeq, strategy, symbol, venue, venueAt: formatInstant(report.venueAt) };
  const base = { ...whose, ...told };
  const cause = child.seq;
  switch (report.kind) {
    case 'acknowledged':
      return draft('order.acknowledged', actor, cause, base);
    case 'filled':
      return draft('order.filled', actor, cause, { ...base, ...fill(house, symbol, side, report) });
    case 'canceled':
    case 'expired':
      return draft(`order.${report.kind}`, actor, cause, { ...whose, cumQty: formatDecimal(report.cumQty), ...told });
    case 'replaced':
      return draft('order.replaced', actor, cause, {
        ...base, cumQty: formatDecimal(report.cumQty), leavesQty: formatDecimal(report.leavesQty), origClOrdId: report.origClOrdId,
      });
    case 'rejected':
      return draft('order.rejected', actor, cause, { ...base, of, reason: report.reason });
    case 'cancelRejected':
      return draft('order.rejected', actor, cause, { ...base, of: 'cancel', reason: report.reason });
    case 'absent':
      return draft('order.rejected', actor, cause, { ...base, of, reason: 'never accepted by the venue' });
  }
}

function fill(
  house: House, symbol: string, side: Side, report: VenueReport & { kind: 'filled' },
): Omit<RecordBodies['order.filled'], keyof RecordBodies['order.acknowledged']> {
  const { execId, lastQty, lastPx, cumQty, leavesQty, fee, liquidity } = report;
  return {
    cumQty: formatDecimal(cumQty), execId, fee: formatDecimal(fee), lastPx: formatDecimal(lastPx), lastQty: formatDecimal(lastQty),
    leavesQty: formatDecimal(leavesQty), liquidity, settlesAt: side === 'buy' ? null : settlement(house, symbol, report.venueAt), side,
  };
}

/** Proceeds of a sale settle after the instrument's days; what is bought is paid at once. Calendar days: the earlier date is the one that frees less. */
function settlement(house: House, symbol: string, venueAt: Ns): string | null {
  const days = policyInForce(house).universe.get(symbol)?.settlementDays ?? 0;
  return days === 0 ? null : formatInstant((venueAt + BigInt(days) * NS_PER_DAY) as Ns);
}
