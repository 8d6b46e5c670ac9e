import { LogUnreadable } from '../../compliance/journal.ts';
import { draft } from '../../compliance/records.ts';
import type { RecordBodies } from '../../compliance/records.ts';
import { doubtOf, type Doubt } from '../../execution/evidence.ts';
import type { OrderAcknowledged, OrderFilled, SliceReleased } from '../../execution/records.ts';
import { isOpen } from '../../execution/order-state.ts';
import { findChild, findParent, isRepeat, type Child } from '../../execution/state.ts';
import type { VenueReport } from '../../execution/venue.ts';
import { isBookable } from '../../risk/books.ts';
import { formatDecimal } from '../../risk/domain/decimal.ts';
import type { Side } from '../../risk/domain/order.ts';
import type { Actor, Draft, LogRecord } from '../../risk/domain/record.ts';
import { formatInstant, NS_PER_DAY, plusMs, type Ns } from '../../risk/domain/time.ts';
import { SETTLEMENT_DAYS_MAX } from '../../risk/universe.ts';
import { policyInForce, seqOf, type House } from '../house.ts';
import { sendCancels } from './cancel.ts';

/**
 * A venue's report, recorded in the order in which it came. Nothing is decided: what the venue says happened has happened. A repeat
 * is dropped by its source sequence. What cannot be true is a break and nothing else; what should not be is applied, and a break.
 */
export function applyReport(house: House, venue: string, report: VenueReport): void {
  // read
  if (isRepeat(house.state.execution, venue, report.sourceSeq)) return;
  const child = findChild(house.state.execution, report.clOrdId);
  const siblings = child === null ? [] : (findParent(house.state.execution, child.order.parent)?.children ?? [child]);
  const doubt = child === null ? unknown(report) : (unbookable(house, child, report) ?? doubtOf(child, siblings, report));
  const actor: Actor = { id: venue, role: 'venue' };
  const drafts: Draft[] = [];
  if (child !== null && doubt?.applies !== false) drafts.push(reported(house, venue, actor, child, report));
  // The sequence is counted once: by the report where it applies, else by the break.
  if (doubt !== null) drafts.push(breakFound(venue, actor, report, doubt));

  // record: folded in this turn, so the next decision sees it; nothing waits for it, and a lost connection brings it again
  house.journal.append(drafts);

  // act: a fill of an order that has left memory is booked by what the log says of the order
  if (child === null && report.kind === 'filled') bookInTime(house, venue, report);
  // an order that has ended for us is not to work there; and a cancel may have arrived before its order and found nothing: now it does
  const works = report.kind === 'acknowledged' || report.kind === 'replaced';
  if (works && child !== null && doubt !== null && !isOpen(child.state)) house.venues.get(venue)?.cancel(child.order);
  if (works && child?.state === 'pending_cancel') sendCancels(house, [child.order]);
}

/** A fill's content stands in its break: should nobody know the order, a person can still book it. */
function unknown(report: VenueReport): Doubt {
  const what = 'an order that memory does not know';
  return { what: report.kind === 'filled' ? `${what}: ${report.execId}, ${formatDecimal(report.lastQty)} at ${formatDecimal(report.lastPx)}` : what, applies: false };
}

function unbookable(house: House, { order }: Child, report: VenueReport): Doubt | null {
  const account = house.state.risk.accounts.get(order.account);
  if (report.kind !== 'filled' || account === undefined || isBookable(account, { ...order, ...report })) return null;
  return { what: `a fill that no book can hold: ${report.execId}, ${formatDecimal(report.lastQty)} at ${formatDecimal(report.lastPx)}`, applies: false };
}

const AGAIN_MS = 1_000;

/** The log may not be readable now: then again, until it is. */
function bookInTime(house: House, venue: string, report: VenueReport & { kind: 'filled' }): void {
  bookForgotten(house, venue, report).catch((error: unknown) => {
    if (error instanceof LogUnreadable) house.timers.at(plusMs(house.timers.now(), AGAIN_MS), () => { bookInTime(house, venue, report); });
    else house.fail(error);
  });
}

/** Fills of forgotten orders that were booked since the start: what the log has of one may not be durable yet. */
const booked = new WeakMap<House['journal'], Set<string>>();

/**
 * What was traded is ours, however late it is told. Our id of an order is made from the seq of the record that released it. The break has
 * counted the report's sequence; a crash before this append leaves that break, which says what was filled.
 */
async function bookForgotten(house: House, venue: string, report: VenueReport & { kind: 'filled' }): Promise<void> {
  const { journal } = house;
  const { clOrdId, execId } = report;
  const seq = seqOf(journal.log, clOrdId);
  if (seq === null || seq >= journal.durableSize) return;
  const [released] = (await house.records(seq, seq + 1)) as readonly LogRecord<string, SliceReleased>[];
  if (released?.kind !== 'slice.released' || released.body.clOrdId !== clOrdId || released.body.venue !== venue) return;
  const told = await house.lookUp(`child:${clOrdId}`);
  const since = booked.get(journal) ?? new Set<string>();
  booked.set(journal, since);
  const isTold = since.has(`${clOrdId} ${execId}`) || told.some(({ kind, body }) => kind === 'order.filled' && (body as OrderFilled).execId === execId);
  if (isTold || !journal.accepts('reserved')) return;
  since.add(`${clOrdId} ${execId}`);
  const { account, parent, strategy, symbol, side } = released.body;
  const books = house.state.risk.accounts.get(account);
  if (books === undefined || !isBookable(books, { ...report, symbol, strategy })) return;
  const base = {
    account, clOrdId, parent, receivedAt: formatInstant(house.timers.now()), sourceSeq: 0, strategy, symbol, venue, venueAt: formatInstant(report.venueAt),
  };
  journal.append([draft('order.filled', { id: venue, role: 'venue' }, seq, filled(house, side, base, report))]);
}

function breakFound(venue: string, actor: Actor, { clOrdId, sourceSeq, kind }: VenueReport, { what, applies }: Doubt): Draft {
  return draft('break.found', actor, applies ? 'first' : null, { clOrdId, sourceSeq: applies ? 0 : sourceSeq, venue, what: `${kind}: ${what}` });
}

function reported(house: House, venue: string, actor: Actor, { order, seq }: Child, report: VenueReport): Draft {
  const { account, parent, strategy, symbol } = order;
  const { clOrdId, sourceSeq } = report;
  const receivedAt = formatInstant(house.timers.now());
  const venueAt = formatInstant(report.venueAt);
  const base = { account, clOrdId, parent, receivedAt, sourceSeq, strategy, symbol, venue, venueAt };
  const rejected = (of: RecordBodies['order.rejected']['of'], reason: string): Draft => draft('order.rejected', actor, seq, { ...base, of, reason });
  const asked = order.origClOrdId === null ? 'new' : 'replace';
  switch (report.kind) {
    case 'acknowledged':
      return draft('order.acknowledged', actor, seq, base);
    case 'filled':
      return draft('order.filled', actor, seq, filled(house, order.side, base, report));
    case 'canceled':
    case 'expired': {
      const cumQty = formatDecimal(report.cumQty);
      return draft(`order.${report.kind}`, actor, seq, { account, clOrdId, cumQty, parent, receivedAt, sourceSeq, strategy, symbol, venue, venueAt });
    }
    case 'replaced':
      return draft('order.replaced', actor, seq, {
        ...base, cumQty: formatDecimal(report.cumQty), leavesQty: formatDecimal(report.leavesQty), origClOrdId: report.origClOrdId,
      });
    case 'rejected':
      return rejected(asked, report.reason);
    case 'cancelRejected':
      return rejected('cancel', report.reason);
    case 'absent':
      return rejected(asked, 'never accepted by the venue');
  }
}

function filled(house: House, side: Side, base: OrderAcknowledged, report: VenueReport & { kind: 'filled' }): OrderFilled {
  const { account, clOrdId, parent, receivedAt, sourceSeq, strategy, symbol, venue, venueAt } = base;
  const { execId, lastQty, lastPx, cumQty, leavesQty, fee, liquidity } = report;
  return {
    account, clOrdId, cumQty: formatDecimal(cumQty), execId, fee: formatDecimal(fee), lastPx: formatDecimal(lastPx), lastQty: formatDecimal(lastQty),
    leavesQty: formatDecimal(leavesQty), liquidity, parent, receivedAt, settlesAt: side === 'buy' ? null : settlement(house, symbol, report.venueAt), side,
    sourceSeq, strategy, symbol, venue, venueAt,
  };
}

/**
 * Proceeds of a sale settle after the instrument's days, or the longest there are when it has left the universe; what is bought is paid at once.
 * Calendar days: the earlier date is the one that frees less.
 */
function settlement(house: House, symbol: string, venueAt: Ns): string | null {
  const days = policyInForce(house).universe.get(symbol)?.settlementDays ?? SETTLEMENT_DAYS_MAX;
  const now = house.timers.now();
  const tradedAt = venueAt < now ? venueAt : now; // whatever the venue's clock says, we have heard of it
  return days === 0 ? null : formatInstant((tradedAt + BigInt(days) * NS_PER_DAY) as Ns);
}
