import type { Decimal } from '../../../risk/domain/decimal.ts';
import { ZERO } from '../../../risk/domain/decimal.ts';
import type { ChildOrder } from '../../../risk/domain/order.ts';
import type { Ns } from '../../../risk/domain/time.ts';
import type { VenueReport } from '../../venue.ts';
import type { OpenOrder } from './engine.ts';
import type { JournalEntry } from './journal.ts';

type Command = Extract<JournalEntry, { readonly kind: 'order' | 'cancel' }>;

/** What a paper process knows after a crash. */
export interface Recovered {
  /** In the order in which they were accepted. */
  readonly open: readonly OpenOrder[];
  readonly lastSourceSeq: number;
  /** Ids that had an answer and are not open. */
  readonly finished: readonly string[];
  /** Received, and not answered before the crash: they act again, as nobody was told of their first effect. */
  readonly unanswered: readonly Command[];
}

/**
 * The state by the journal. Reports are the truth: what the engine did without a durable report did not happen. A command is
 * answered by the first report of its id that can be its answer.
 */
export function recover(entries: readonly JournalEntry[]): Recovered {
  const open = new Map<string, OpenOrder>();
  const received = new Map<string, ChildOrder>();
  const finished = new Set<string>();
  const unanswered = new Set<Command>();
  let lastSourceSeq = 0;
  for (const entry of entries) {
    if (entry.kind === 'session') continue;
    if (entry.kind === 'report') {
      lastSourceSeq = entry.report.sourceSeq;
      settle(unanswered, entry.report);
      apply(open, received, finished, entry.report);
    } else {
      unanswered.add(entry);
      if (entry.kind === 'order' && !received.has(entry.order.clOrdId)) received.set(entry.order.clOrdId, entry.order);
    }
  }
  return { open: [...open.values()], lastSourceSeq, finished: [...finished], unanswered: [...unanswered] };
}

const ANSWERS: Record<VenueReport['kind'], Command['kind'] | null> = {
  acknowledged: 'order', replaced: 'order', rejected: 'order', canceled: 'cancel', cancelRejected: 'cancel', filled: null, expired: null, absent: null,
};

function settle(unanswered: Set<Command>, report: VenueReport): void {
  for (const command of unanswered) {
    const id = command.kind === 'order' ? command.order.clOrdId : command.clOrdId;
    if (id !== report.clOrdId || ANSWERS[report.kind] !== command.kind) continue;
    unanswered.delete(command);
    return;
  }
}

function apply(open: Map<string, OpenOrder>, received: ReadonlyMap<string, ChildOrder>, finished: Set<string>, report: VenueReport): void {
  const { clOrdId } = report;
  const accept = (cumQty: Decimal, acceptedAt: Ns): void => {
    const order = received.get(clOrdId);
    if (order === undefined) throw new Error(`paper journal: ${clOrdId} was accepted and never received`);
    open.set(clOrdId, { order, cumQty, acceptedAt });
  };
  const end = (id: string): void => {
    open.delete(id);
    finished.add(id);
  };
  switch (report.kind) {
    case 'acknowledged': accept(ZERO, report.venueAt); return;
    case 'replaced':
      end(report.origClOrdId);
      if (report.leavesQty === 0n) end(clOrdId);
      else accept(report.cumQty, report.venueAt);
      return;
    case 'filled': {
      const before = open.get(clOrdId);
      if (before === undefined) throw new Error(`paper journal: ${clOrdId} was filled and is not open`);
      if (report.leavesQty === 0n) end(clOrdId);
      else open.set(clOrdId, { ...before, cumQty: report.cumQty });
      return;
    }
    case 'canceled': case 'expired': end(clOrdId); return;
    case 'rejected':
      if (!open.has(clOrdId)) finished.add(clOrdId); // a repeat of an open id is refused and leaves the order as it is
      return;
    case 'cancelRejected': case 'absent': return;
  }
}
