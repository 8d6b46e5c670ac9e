import { connect, type Socket } from 'node:net';
import type { ChildOrder } from '../../../risk/domain/order.ts';
import type { Approved, Receipt } from '../../../risk/domain/proof.ts';
import type { CancelRequest, Venue, VenueListener } from '../../venue.ts';
import { decodeReport, encodeOrder, type ReportJson } from './codec.ts';
import { formatFrame, LineCutter, parseServerFrame, RECONCILE_MAX, type ClientFrame } from './wire.ts';

export interface PaperProcessVenueOptions {
  readonly id: string;
  readonly socketPath: string;
  /** Brings a process that is gone back, and gives its socket; one that is there is left as it is. Asked before each new connection, not for the first. */
  readonly revive: () => Promise<string>;
  /** The log on whose behalf orders are sent. */
  readonly gateway: string;
  /** Hears why a connection was given up: socket errors, frames that are none, a gap in the reports, a newer session. */
  readonly onFault: (reason: string) => void;
}

/** A venue that does not read would hold a stop for ever; what it has not read, the next start asks about. */
const FLUSHED_WITHIN_MS = 1_000;
const BACKOFF_MIN_MS = 20;
const BACKOFF_MAX_MS = 1_000;
/** A process that cannot be brought back needs a person: it is tried again, and the log is not filled with it. */
const REVIVED_AGAIN_MS = 10_000;
/** A venue that reads this little is as good as down. */
const UNSENT_BYTES_MAX = 16 * 1024 * 1024;

/** The paper process behind its socket. One that has died is brought back; while it is down orders are dropped; cancels and questions wait for the next session. */
export function paperProcessVenue(options: PaperProcessVenueOptions): Venue {
  return new PaperClient(options);
}

class PaperClient implements Venue {
  readonly id: string;
  readonly #options: PaperProcessVenueOptions;
  #listener: VenueListener | null = null;
  #socket: Socket | null = null;
  #up = false;
  /** Stopped, or fenced by a newer session: in both cases it does not come back. */
  #ended = false;
  #lastSourceSeq = 0;
  #backoffMs = BACKOFF_MIN_MS;
  #retry: NodeJS.Timeout | undefined;
  #revival: Promise<void> = Promise.resolve();
  #firstAttempt: () => void = () => undefined;
  readonly #cancels = new Map<string, CancelRequest>();
  readonly #questions = new Set<string>();

  constructor(options: PaperProcessVenueOptions) {
    this.id = options.id;
    this.#options = options;
  }

  /** Resolves when the first attempt has succeeded or failed; a venue that is down is tried for ever, with a bounded backoff. */
  start(listener: VenueListener, resumeAfter: number): Promise<void> {
    this.#listener = listener;
    this.#lastSourceSeq = resumeAfter;
    return new Promise((resolve) => {
      this.#firstAttempt = resolve;
      this.#connect(this.#options.socketPath);
    });
  }

  send(order: Approved<ChildOrder>, receipt: Receipt): void {
    const { log, seq, hash } = receipt;
    if (this.#up) this.#write({ op: 'order', order: encodeOrder(order), receipt: { log, seq, hash } });
  }

  cancel(request: CancelRequest): void {
    if (this.#up) this.#write({ op: 'cancel', clOrdId: request.clOrdId });
    else this.#cancels.set(request.clOrdId, request);
  }

  reconcile(clOrdIds: readonly string[]): void {
    for (const clOrdId of clOrdIds) this.#questions.add(clOrdId);
    if (this.#up) this.#ask();
  }

  async stop(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#retry);
    await this.#revival; // whoever stops the process next finds it
    const socket = this.#socket;
    if (socket === null) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(() => { socket.destroy(); }, FLUSHED_WITHIN_MS);
      socket.once('close', () => {
        clearTimeout(late);
        resolve();
      });
      socket.end();
      socket.destroySoon();
    });
  }

  #connect(socketPath: string): void {
    const socket = connect(socketPath);
    const cutter = new LineCutter();
    this.#socket = socket;
    socket.on('connect', () => { socket.write(formatFrame({ op: 'hello', gateway: this.#options.gateway, resumeAfter: this.#lastSourceSeq })); });
    socket.on('data', (chunk) => {
      const lines = cutter.take(chunk);
      if (lines === null) this.#giveUp('LINE_TOO_LONG');
      else for (const line of lines) if (!socket.destroyed) this.#line(line);
    });
    socket.on('error', (error) => { this.#options.onFault(error.message); });
    socket.on('close', () => { this.#closed(); });
  }

  #line(line: string): void {
    const frame = parseServerFrame(line);
    switch (frame?.op) {
      case 'welcome': this.#welcome(frame.venue); return;
      case 'report': this.#report(frame.report); return;
      case 'fenced':
        this.#ended = true;
        this.#giveUp('FENCED');
        return;
      case 'refused': this.#giveUp(`REFUSED ${frame.reason}`); return;
      case 'here': case undefined: this.#giveUp('NOT_A_FRAME');
    }
  }

  #welcome(venue: string): void {
    if (venue !== this.id) {
      this.#giveUp(`WRONG_VENUE ${venue}`);
      return;
    }
    this.#up = true;
    this.#backoffMs = BACKOFF_MIN_MS;
    this.#firstAttempt();
    for (const { clOrdId } of this.#cancels.values()) this.#write({ op: 'cancel', clOrdId });
    this.#cancels.clear();
    this.#ask();
    this.#listener?.connection('up');
  }

  /** Each report once and in order: a repeat is dropped, a gap ends the connection and the next one resumes before it. */
  #report(json: ReportJson): void {
    if (json.kind !== 'absent') {
      if (json.sourceSeq <= this.#lastSourceSeq) return;
      if (json.sourceSeq !== this.#lastSourceSeq + 1) {
        this.#giveUp(`GAP ${json.sourceSeq} after ${this.#lastSourceSeq}`);
        return;
      }
      this.#lastSourceSeq = json.sourceSeq;
    }
    this.#listener?.report(decodeReport(json));
  }

  #ask(): void {
    const clOrdIds = [...this.#questions];
    this.#questions.clear();
    for (let from = 0; from < clOrdIds.length; from += RECONCILE_MAX) {
      this.#write({ op: 'reconcile', clOrdIds: clOrdIds.slice(from, from + RECONCILE_MAX) });
    }
  }

  #write(frame: ClientFrame): void {
    const socket = this.#socket;
    if (socket === null) return;
    if (socket.writableCorked === 0) {
      socket.cork(); // what one turn sends leaves in one write
      process.nextTick(() => { socket.uncork(); });
    }
    socket.write(formatFrame(frame));
    if (socket.writableLength > UNSENT_BYTES_MAX) this.#giveUp('VENUE_DOES_NOT_READ');
  }

  #giveUp(reason: string): void {
    this.#options.onFault(reason);
    this.#socket?.destroy();
  }

  #closed(): void {
    this.#socket = null;
    const first = this.#firstAttempt;
    this.#firstAttempt = () => undefined;
    this.#up = false;
    this.#listener?.connection('down');
    first();
    if (this.#ended) return;
    this.#again(this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
  }

  #again(afterMs: number): void {
    this.#retry = setTimeout(() => { this.#revival = this.#revive(); }, afterMs);
  }

  async #revive(): Promise<void> {
    try {
      const socketPath = await this.#options.revive();
      if (!this.#ended) this.#connect(socketPath);
    } catch (error) {
      this.#options.onFault((error as Error).message);
      if (!this.#ended) this.#again(REVIVED_AGAIN_MS);
    }
  }
}
