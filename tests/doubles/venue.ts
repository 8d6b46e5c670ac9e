/** A venue that does what a test says: it keeps what it was sent and reports when told to. */
import type { Venue, VenueListener, VenueReport } from '../../execution/venue.ts';
import type { Clock } from '../../execution/time.ts';
import { add, multiply, parseDecimal, subtract, ZERO, type Decimal } from '../../risk/domain/decimal.ts';
import type { ChildOrder } from '../../risk/domain/order.ts';

type Unstamped<R> = R extends VenueReport ? Omit<R, 'sourceSeq' | 'venueAt'> & { readonly sourceSeq?: number } : never;

/** What it does by itself with an order: nothing, accept it, fill it whole at its limit, or cancel it at once as an IOC that found nobody. */
export type Habit = 'silent' | 'accepts' | 'fills' | 'cancels';

export interface ScriptedVenue extends Venue {
  habit: Habit;
  readonly sent: ChildOrder[];
  readonly cancels: string[];
  readonly asked: string[];
  /** Reports with the next sequence, or the one given. */
  tell(report: Unstamped<VenueReport>): void;
  acknowledge(clOrdId: string): void;
  fill(clOrdId: string, qty: string, px?: string): void;
  end(kind: 'canceled' | 'expired', clOrdId: string): void;
  replace(clOrdId: string): void;
  connection(state: 'up' | 'down'): void;
}

export function scriptedVenue(id: string, clock: Clock, resumeAfter = 0): ScriptedVenue {
  const sent: ChildOrder[] = [];
  const filled = new Map<string, Decimal>();
  let listener: VenueListener | null = null;
  let sourceSeq = resumeAfter;
  const orderOf = (clOrdId: string): ChildOrder => {
    const order = sent.find((one) => one.clOrdId === clOrdId);
    if (order === undefined) throw new Error(`${clOrdId} was never sent`);
    return order;
  };
  const cumOf = (clOrdId: string): Decimal => filled.get(clOrdId) ?? ZERO;
  const HABITS: Readonly<Record<Habit, (order: ChildOrder) => void>> = {
    silent: () => undefined,
    accepts: ({ clOrdId }) => { venue.acknowledge(clOrdId); },
    fills({ clOrdId, orderQty, limitPx }) {
      venue.acknowledge(clOrdId);
      const px = limitPx ?? parseDecimal('100');
      filled.set(clOrdId, orderQty);
      venue.tell({ kind: 'filled', clOrdId, execId: `E${String(sourceSeq)}`, lastQty: orderQty, lastPx: px, cumQty: orderQty, leavesQty: ZERO, fee: ZERO, liquidity: 'taker' });
    },
    cancels({ clOrdId }) {
      venue.acknowledge(clOrdId);
      venue.end('canceled', clOrdId);
    },
  };
  const venue: ScriptedVenue = {
    id, habit: 'accepts', sent, cancels: [], asked: [],
    start(to) {
      listener = to;
      to.connection('up');
      return Promise.resolve();
    },
    send(order) {
      sent.push(order);
      queueMicrotask(() => { HABITS[venue.habit](order); });
    },
    cancel: ({ clOrdId }) => void venue.cancels.push(clOrdId),
    reconcile: (clOrdIds) => void venue.asked.push(...clOrdIds),
    stop: () => Promise.resolve(),
    tell(report) {
      const seq = report.sourceSeq ?? (report.kind === 'absent' ? 0 : ++sourceSeq);
      listener?.report({ ...report, sourceSeq: seq, venueAt: clock.now() });
    },
    acknowledge: (clOrdId) => { venue.tell({ kind: 'acknowledged', clOrdId }); },
    fill(clOrdId, qty, px = '100') {
      const lastQty = parseDecimal(qty);
      const cumQty = add(cumOf(clOrdId), lastQty);
      filled.set(clOrdId, cumQty);
      const fee = multiply(parseDecimal('0.01'), lastQty);
      const leavesQty = subtract(orderOf(clOrdId).orderQty, cumQty);
      venue.tell({ kind: 'filled', clOrdId, execId: `E${String(sourceSeq)}`, lastQty, lastPx: parseDecimal(px), cumQty, leavesQty, fee, liquidity: 'maker' });
    },
    end: (kind, clOrdId) => { venue.tell({ kind, clOrdId, cumQty: cumOf(clOrdId) }); },
    replace(clOrdId) {
      const { origClOrdId, orderQty } = orderOf(clOrdId);
      if (origClOrdId === null) throw new Error(`${clOrdId} replaces nothing`);
      filled.set(clOrdId, cumOf(origClOrdId));
      venue.tell({ kind: 'replaced', clOrdId, origClOrdId, cumQty: cumOf(origClOrdId), leavesQty: subtract(orderQty, cumOf(origClOrdId)) });
    },
    connection: (state) => { listener?.connection(state); },
  };
  return venue;
}
