/**
 * The paper venue as a process of its own: `node dist/execution/venues/paper/server.js CONFIG_PATH`. Same engine, its own synthetic
 * market, its own journal. It prints one line when it listens and outlives its gateway. SIGTERM ends it; kill -9 loses nothing that
 * was said.
 */
import { readFileSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { formatInstant } from '../../../risk/domain/time.ts';
import type { VenueReport } from '../../venue.ts';
import { syntheticMarket } from '../../markets/synthetic.ts';
import { realTimers } from '../../timers/real.ts';
import { decodeOrder, encodeReport } from './codec.ts';
import { PaperDesk } from './desk.ts';
import { PaperJournal } from './journal.ts';
import { parseProcessConfig, type ProcessConfig } from './process-config.ts';
import { recover } from './recovery.ts';
import { Sessions, type SessionFrame } from './session.ts';
import { askWho } from './who.ts';

/** Runs the venue until `stop`. `failed` hears of a journal that cannot be written: the process must end. */
async function runPaperServer(config: ProcessConfig, failed: (error: unknown) => void): Promise<{ stop(): Promise<void> }> {
  const timers = realTimers();
  const market = syntheticMarket({ seed: config.marketSeed, universe: config.instruments, timers });
  const { journal, entries } = await PaperJournal.open(config.journalPath, failed);
  const recovered = recover(entries);
  let durableSeq = recovered.lastSourceSeq;

  const desk = new PaperDesk({
    config: config.paper, market, timers, instruments: new Map(config.instruments.map((instrument) => [instrument.symbol, instrument])),
    report(report) {
      const json = encodeReport(report);
      journal.append({ kind: 'report', report: json }, () => {
        durableSeq = report.sourceSeq;
        sessions.tell({ op: 'report', report: json });
      });
    },
  });

  function receive(frame: SessionFrame): void {
    const now = timers.now();
    const at = formatInstant(now);
    switch (frame.op) {
      case 'order':
        journal.append({ kind: 'order', at, order: frame.order, receipt: frame.receipt });
        desk.submit(decodeOrder(frame.order), now);
        return;
      case 'cancel':
        journal.append({ kind: 'cancel', at, clOrdId: frame.clOrdId });
        desk.cancel(frame.clOrdId, now);
        return;
      case 'reconcile':
        for (const clOrdId of absentAmong(frame.clOrdIds)) {
          sessions.tell({ op: 'report', report: { kind: 'absent', clOrdId, sourceSeq: 0, venueAt: at } });
        }
    }
  }

  /** The engine forgets the finished after a while; the journal does not. */
  function absentAmong(clOrdIds: readonly string[]): string[] {
    const unknown = new Set(clOrdIds.filter((clOrdId) => !desk.knows(clOrdId)));
    if (unknown.size > 0) for (const entry of journal.read()) if (entry.kind === 'order') unknown.delete(entry.order.clOrdId);
    return [...unknown];
  }

  const sessions = new Sessions({
    venue: config.id,
    began({ gateway, resumeAfter }) {
      journal.append({ kind: 'session', at: formatInstant(timers.now()), gateway, resumeAfter });
      // What is written and not yet flushed comes by itself, once it is.
      const missed = resumeAfter < durableSeq ? journal.read().flatMap((entry) => (entry.kind === 'report' ? [entry.report] : [])) : [];
      const isMissed = ({ sourceSeq }: VenueReport): boolean => sourceSeq > resumeAfter && sourceSeq <= durableSeq;
      for (const report of missed.filter(isMissed)) sessions.tell({ op: 'report', report: encodeReport(report) });
    },
    frame: receive,
    fault(reason) { console.error(`${formatInstant(timers.now())} ${reason}`); },
  });

  market.start();
  desk.start(recovered.open, recovered.lastSourceSeq, recovered.finished);
  for (const command of recovered.unanswered) {
    if (command.kind === 'order') desk.submit(command.order, command.at);
    else desk.cancel(command.clOrdId, command.at);
  }

  const server = createServer((socket) => { sessions.accept(socket); });
  await listen(server, config.socketPath);
  return {
    async stop() {
      server.close(); // removes the socket's file
      desk.stop();
      market.stop();
      timers.stop();
      await journal.close();
      sessions.stop(); // last: who waits for the end of this connection may then rely on the journal
    },
  };
}

/** A socket file that nobody answers was left by a kill and is removed. */
async function listen(server: ReturnType<typeof createServer>, socketPath: string): Promise<void> {
  const running = await askWho(socketPath);
  if (running !== null) {
    running.end();
    throw new Error(`process ${running.pid} serves ${socketPath} already`);
  }
  await unlink(socketPath).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
  server.listen(socketPath);
  await once(server, 'listening');
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}

process.umask(0o077);
const server = await runPaperServer(parseProcessConfig(readFileSync(process.argv[2] ?? '', 'utf8')), fail);
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => { server.stop().catch(fail); });
process.stdout.write('listening\n');
