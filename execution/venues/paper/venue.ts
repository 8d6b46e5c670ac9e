import type { ChildOrder } from '../../../risk/domain/order.ts';
import type { Approved } from '../../../risk/domain/proof.ts';
import type { CancelRequest, Venue, VenueListener } from '../../venue.ts';
import { PaperDesk, type PaperDeskOptions } from './desk.ts';
import type { OpenOrder } from './engine.ts';

export interface PaperVenueOptions extends Omit<PaperDeskOptions, 'report'> {
  readonly id: string;
  /** The orders open here by the log's fold, in the order they were accepted. An order not among them was never accepted. */
  readonly resume?: readonly OpenOrder[];
}

/**
 * The paper venue inside the gateway's process. It has no memory of its own: what the log does not say did not happen, so that after
 * a crash the fold is its truth. Reports come in batches, one a turn in which something happened.
 */
export function paperVenue({ id, resume = [], ...options }: PaperVenueOptions): Venue {
  const { timers } = options;
  let listener: VenueListener | null = null;
  const desk = new PaperDesk({ ...options, report: (report) => listener?.report(report) });
  return {
    id,
    start(to, resumeAfter) {
      listener = to;
      listener.connection('up');
      desk.start(resume, resumeAfter);
      return Promise.resolve();
    },
    send(order: Approved<ChildOrder>) {
      desk.submit(order, timers.now());
    },
    cancel({ clOrdId }: CancelRequest) {
      desk.cancel(clOrdId, timers.now());
    },
    reconcile(clOrdIds) {
      const absent = clOrdIds.filter((clOrdId) => !desk.knows(clOrdId));
      queueMicrotask(() => {
        for (const clOrdId of absent) listener?.report({ kind: 'absent', clOrdId, sourceSeq: 0, venueAt: timers.now() });
      });
    },
    stop() {
      desk.stop();
      listener = null;
      return Promise.resolve();
    },
  };
}
