/**
 * The paper venue as a process of its own: `node dist/execution/venues/paper/server.js CONFIG_PATH`. Same engine, its own synthetic
 * market, its own journal. It prints one line when it listens and outlives its gateway. SIGTERM ends it; kill -9 loses nothing that
 * was said.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { formatInstant } from '../../../risk/domain/time.ts';
import type { Market } from '../../market.ts';
import type { VenueReport } from '../../venue.ts';
import { syntheticMarket } from '../../markets/synthetic.ts';
import { realTimers } from '../../timers/real.ts';
import { decodeOrder, encodeReport } from './codec.ts';
import { PaperDesk } from './desk.ts';
import { PaperJournal } from './journal.ts';
import { parseProcessConfig, type ProcessConfig } from './process-config.ts';
import { recover, type Recovered } from './recovery.ts';
import { Sessions, type SessionFrame } from './session.ts';
import { askWho } from './who.ts';

/** The venue: what was recovered goes on, what sessions say is written down and acts, what the desk reports leaves once it is durable. */
class PaperServer {
  readonly #timers = realTimers();
  readonly #market: Market;
  readonly #desk: PaperDesk;
  readonly #sessions: Sessions;
  readonly #journal: PaperJournal;
  #durableSeq: number;

  constructor(config: ProcessConfig, journal: PaperJournal, recovered: Recovered) {
    this.#journal = journal;
    this.#durableSeq = recovered.lastSourceSeq;
    this.#market = syntheticMarket({ seed: config.marketSeed, universe: config.instruments, timers: this.#timers });
    this.#desk = new PaperDesk({
      config: config.paper, market: this.#market, timers: this.#timers,
      instruments: new Map(config.instruments.map((instrument) => [instrument.symbol, instrument])),
      report: (report) => { this.#report(report); },
    });
    this.#sessions = new Sessions({
      venue: config.id,
      // A gateway that has heard more than we remember would take our next reports for repeats of those.
      refusal: ({ resumeAfter }) => (resumeAfter > this.#durableSeq ? 'JOURNAL_LOST' : null),
      began: (hello) => { this.#repeat(hello.gateway, hello.resumeAfter); },
      frame: (frame) => { this.#receive(frame); },
      fault: (reason) => { console.error(`${formatInstant(this.#timers.now())} ${reason}`); },
    });
    this.#market.start();
    this.#desk.start(recovered.open, recovered.lastSourceSeq, recovered.finished);
    for (const command of recovered.unanswered) {
      if (command.kind === 'order') this.#desk.submit(command.order, command.at);
      else this.#desk.cancel(command.clOrdId, command.at);
    }
  }

  accept(socket: Socket): void {
    this.#sessions.accept(socket);
  }

  async stop(): Promise<void> {
    this.#desk.stop();
    this.#market.stop();
    this.#timers.stop();
    await this.#journal.close();
    this.#sessions.stop(); // last: who waits for the end of his connection may then rely on the journal
  }

  #receive(frame: SessionFrame): void {
    const now = this.#timers.now();
    const at = formatInstant(now);
    switch (frame.op) {
      case 'order':
        this.#journal.append({ kind: 'order', at, order: frame.order, receipt: frame.receipt });
        this.#desk.submit(decodeOrder(frame.order), now);
        return;
      case 'cancel':
        this.#journal.append({ kind: 'cancel', at, clOrdId: frame.clOrdId });
        this.#desk.cancel(frame.clOrdId, now);
        return;
      case 'reconcile':
        for (const clOrdId of this.#absentAmong(frame.clOrdIds)) {
          this.#sessions.tell({ op: 'report', report: { kind: 'absent', clOrdId, sourceSeq: 0, venueAt: at } });
        }
    }
  }

  #report(report: VenueReport): void {
    const json = encodeReport(report);
    this.#journal.append({ kind: 'report', report: json }, () => {
      this.#durableSeq = report.sourceSeq;
      this.#sessions.tell({ op: 'report', report: json });
    });
  }

  /** A session's beginning: everything durable that it has not seen. What is written and not yet flushed comes once it is. */
  #repeat(gateway: string, resumeAfter: number): void {
    this.#journal.append({ kind: 'session', at: formatInstant(this.#timers.now()), gateway, resumeAfter });
    if (resumeAfter >= this.#durableSeq) return;
    for (const entry of this.#journal.read()) {
      if (entry.kind !== 'report' || entry.report.sourceSeq <= resumeAfter || entry.report.sourceSeq > this.#durableSeq) continue;
      this.#sessions.tell({ op: 'report', report: encodeReport(entry.report) });
    }
  }

  /** The engine forgets the finished after a while; the journal does not. */
  #absentAmong(clOrdIds: readonly string[]): Iterable<string> {
    const unknown = new Set(clOrdIds.filter((clOrdId) => !this.#desk.knows(clOrdId)));
    if (unknown.size > 0) for (const entry of this.#journal.read()) if (entry.kind === 'order') unknown.delete(entry.order.clOrdId);
    return unknown;
  }
}

/** Before the journal is touched: two processes must not write it. A socket file that nobody answers was left by a kill. */
async function removeStaleSocket(socketPath: string): Promise<void> {
  const running = await askWho(socketPath);
  if (running !== null) {
    running.end();
    throw new Error(`process ${running.pid} serves ${socketPath} already`);
  }
  await unlink(socketPath).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

/** Nothing may leave any more: what was not flushed was said to nobody. */
function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

process.umask(0o077);
const config = parseProcessConfig(readFileSync(process.argv[2] ?? '', 'utf8'));
await removeStaleSocket(config.socketPath);
const { journal, entries } = await PaperJournal.open(config.journalPath, fail);
const venue = new PaperServer(config, journal, recover(entries));
const server = createServer((socket) => { venue.accept(socket); });
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close(); // removes the socket's file
    venue.stop().catch(fail);
  });
}
server.listen(config.socketPath);
await once(server, 'listening');
process.stdout.write('listening\n');
