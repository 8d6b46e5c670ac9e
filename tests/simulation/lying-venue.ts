/**
 * The venue port over a wire that loses, delays, repeats and reorders. What the port promises still holds: reports reach the house in
 * the order in which the venue said them, or again. A gap in their sequence makes this side give the connection up and resume.
 */
import type { CancelRequest, Venue, VenueListener, VenueReport } from '../../execution/venue.ts';
import type { Timers } from '../../execution/time.ts';
import { plusMs, type Ns } from '../../risk/domain/time.ts';
import type { ChildOrder } from '../../risk/domain/order.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Exchange } from './exchange.ts';
import type { Fault } from './faults.ts';
import type { Random } from './random.ts';

export interface LyingVenueOptions {
  readonly id: string;
  readonly exchange: Exchange;
  readonly timers: Timers;
  readonly random: Random;
  /** How often the wire misbehaves, as a share of its messages; 0 while the world calms down. */
  readonly mischief: () => number;
  readonly fired: (fault: Fault) => void;
  /** Whatever leaves the house, at the moment in which it leaves. */
  readonly onSend: (order: ChildOrder, receipt: Receipt) => void;
}

const HEARTBEAT_MS = 4_000;

/** A message in flight: whether it arrives is not known before it does. */
interface Flight {
  readonly deliver: () => void;
  /** What it is called when it is lost; null: a question, which is lost with its connection and asked again. */
  readonly lost: Fault | null;
  gone: boolean;
}

export class LyingVenue implements Venue {
  readonly id: string;
  readonly #o: LyingVenueOptions;
  #listener: VenueListener | null = null;
  #session = 0;
  #isUp = false;
  #isStopped = false;
  #lastSeq = 0;
  #questions = new Set<string>();
  #laterCancels = new Map<string, CancelRequest>();
  #outgoing = new Set<Flight>();
  #orderLane = 0n as Ns;
  #reportLane = 0n as Ns;
  #held: VenueReport | null = null;

  constructor(options: LyingVenueOptions) {
    this.id = options.id;
    this.#o = options;
  }

  start(listener: VenueListener, resumeAfter: number): Promise<void> {
    this.#listener = listener;
    this.#lastSeq = resumeAfter;
    return new Promise((resolve) => {
      this.#o.timers.at(this.#in(this.#o.random.int(1, 20)), () => {
        this.#connect();
        resolve();
      });
    });
  }

  send(order: ChildOrder, receipt: Receipt): void {
    this.#o.onSend(order, receipt);
    if (!this.#isUp) {
      this.#o.fired('lostSend');
      return;
    }
    this.#toVenue(() => { this.#o.exchange.submit(order); }, 'lostSend');
    if (!this.#misbehaves(0.3)) return;
    this.#o.fired('duplicateOrder');
    this.#toVenue(() => { this.#o.exchange.submit(order); }, 'lostSend');
  }

  cancel(request: CancelRequest): void {
    if (!this.#isUp) {
      this.#laterCancels.set(request.clOrdId, request);
      return;
    }
    const act = (): void => { this.#o.exchange.cancel(request.clOrdId); };
    if (this.#orderLane > this.#o.timers.now() && this.#o.random.chance(0.5)) {
      this.#o.fired('overtakingCancel');
      this.#fly(act, this.#o.timers.now(), 'lostCancel');
    } else {
      this.#toVenue(act, 'lostCancel');
    }
  }

  reconcile(clOrdIds: readonly string[]): void {
    for (const id of clOrdIds) this.#questions.add(id);
    if (this.#isUp) this.#ask();
  }

  stop(): Promise<void> {
    this.kill();
    return Promise.resolve();
  }

  /** The house is gone. What it had sent may still arrive, but only before the next session begins. */
  kill(): void {
    this.#isStopped = true;
    this.#drop();
    this.#listener = null;
  }

  /** The connection breaks for a while. */
  disconnect(downMs: number): void {
    if (!this.#isUp) return;
    this.#o.fired('disconnect');
    this.#giveUp(downMs);
  }

  #in(ms: number): Ns { return plusMs(this.#o.timers.now(), ms); }
  #misbehaves(share: number): boolean { return this.#o.random.chance(share * this.#o.mischief()); }

  #connect(): void {
    if (this.#isStopped) return;
    const session = ++this.#session;
    this.#isUp = true;
    this.#held = null;
    this.#orderLane = this.#reportLane = this.#o.timers.now();
    this.#o.exchange.onReport = (report) => { this.#said(report); };
    for (const report of this.#o.exchange.reports.slice(this.#lastSeq)) this.#deliverLater(report, 1);
    for (const request of this.#laterCancels.values()) this.#toVenue(() => { this.#o.exchange.cancel(request.clOrdId); }, 'lostCancel');
    this.#laterCancels.clear();
    if (this.#questions.size > 0) this.#ask();
    this.#beat(session);
    this.#listener?.connection('up');
  }

  #drop(): void {
    this.#session++;
    this.#isUp = false;
    this.#o.exchange.onReport = null;
    let arrives = true; // what was sent first arrives first: once something is lost, so is the rest
    for (const flight of this.#outgoing) {
      flight.gone = true;
      if (flight.lost === null) continue;
      arrives &&= this.#o.random.chance(0.6);
      if (arrives) flight.deliver();
      else this.#o.fired(flight.lost);
    }
    this.#outgoing.clear();
  }

  #giveUp(downMs: number): void {
    this.#drop();
    this.#listener?.connection('down');
    this.#o.timers.at(this.#in(downMs), () => { this.#connect(); });
  }

  /** Tells the last sequence number from time to time, so that a lost report that nothing follows is missed too. */
  #beat(session: number): void {
    this.#o.timers.at(this.#in(HEARTBEAT_MS), () => {
      if (session !== this.#session) return;
      const last = this.#o.exchange.reports.length;
      this.#arrive(this.#reportTime(1), () => { if (last > this.#lastSeq) this.#giveUp(this.#o.random.int(5, 50)); });
      this.#beat(session);
    });
  }

  #ask(): void {
    const asked = [...this.#questions];
    const { exchange } = this.#o;
    this.#toVenue(() => {
      for (const id of asked) this.#questions.delete(id);
      for (const clOrdId of exchange.absentAmong(asked)) {
        this.#o.fired('orderAbsent');
        const answer: VenueReport = { kind: 'absent', clOrdId, sourceSeq: 0, venueAt: exchange.now() };
        this.#arrive(this.#reportTime(1), () => { this.#listener?.report(answer); });
      }
    }, null);
  }

  /** Orders and questions keep their order on the way to the venue. */
  #toVenue(deliver: () => void, lost: Fault | null): void {
    const at = this.#in(this.#misbehaves(0.5) ? this.#o.random.int(50, 800) : this.#o.random.int(1, 4));
    if (at > this.#orderLane) this.#orderLane = at;
    this.#fly(deliver, this.#orderLane, lost);
  }

  #fly(deliver: () => void, at: Ns, lost: Fault | null): void {
    const flight: Flight = { deliver, lost, gone: false };
    this.#outgoing.add(flight);
    this.#o.timers.at(at, () => {
      if (flight.gone) return;
      this.#outgoing.delete(flight);
      deliver();
    });
  }

  #said(report: VenueReport): void {
    const isAck = report.kind === 'acknowledged';
    if (this.#misbehaves(isAck ? 0.2 : 0.05)) {
      this.#o.fired(isAck ? 'lostAck' : 'lostReport');
      return;
    }
    if (this.#held !== null) {
      const held = this.#held;
      this.#held = null;
      this.#deliverLater(report, 1);
      this.#deliverLater(held, 1);
      return;
    }
    if (this.#misbehaves(0.1)) {
      this.#o.fired('reorderedReport');
      this.#held = report;
      return;
    }
    const late = isAck && this.#misbehaves(0.3);
    if (late) this.#o.fired('lateAck');
    this.#deliverLater(report, late ? this.#o.random.int(500, 6_000) : this.#o.random.int(1, 5));
    if (!this.#misbehaves(0.3)) return;
    this.#o.fired('duplicateReport');
    this.#deliverLater(report, 1);
  }

  #reportTime(ms: number): Ns {
    const at = this.#in(ms);
    if (at > this.#reportLane) this.#reportLane = at;
    return this.#reportLane;
  }

  #deliverLater(report: VenueReport, ms: number): void {
    this.#arrive(this.#reportTime(ms), () => {
      if (report.sourceSeq > this.#lastSeq + 1) {
        this.#giveUp(this.#o.random.int(5, 50));
        return;
      }
      this.#lastSeq = Math.max(this.#lastSeq, report.sourceSeq);
      this.#listener?.report(report);
    });
  }

  /** Arrives in this session or not at all. */
  #arrive(at: Ns, run: () => void): void {
    const session = this.#session;
    this.#o.timers.at(at, () => { if (session === this.#session) run(); });
  }
}
