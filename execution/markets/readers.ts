import { basename } from 'node:path';
import type { Ns } from '../../risk/domain/time.ts';
import type { MarketEvent } from '../market.ts';
import { MarketFileError } from './file-error.ts';
import { rowsOf } from './files.ts';
import { LEAN } from './lean.ts';
import type { LeanName, Skip } from './lean.ts';
import { LobsterBook, MESSAGE_FIELDS, messageOf, ORDERBOOK_FIELDS, printOf, quoteOf, topOf } from './lobster.ts';
import type { LobsterName, Message, Top } from './lobster.ts';

interface Placed {
  readonly path: string;
  /** Midnight of the file's day in New York. */
  readonly midnight: Ns;
}
export interface LeanFile extends LeanName, Placed {
  readonly format: 'lean';
}
export interface LobsterFile extends LobsterName, Placed {
  readonly format: 'lobster';
  /** Where the book after each message stands, if it is there. */
  readonly book: string | null;
}
export type MarketFile = LeanFile | LobsterFile;

/** What was read, what of it makes no event, and how many events waited in memory at once at most. */
export interface ReplayCounts {
  rows: number;
  events: number;
  delivered: number;
  highWater: number;
  readonly skipped: Record<Skip, number>;
}

export const noCounts = (): ReplayCounts => ({ rows: 0, events: 0, delivered: 0, highWater: 0, skipped: { suspicious: 0, offMarket: 0, empty: 0 } });

export const instantOf = (event: MarketEvent): Ns => (event.kind === 'quote' ? event.quote.at : event.print.at);

function count(counts: ReplayCounts, events: readonly MarketEvent[]): void {
  counts.events += events.length;
  counts.highWater = Math.max(counts.highWater, counts.events - counts.delivered);
}

/** The events of one file in its order, a chunk's worth at a time; never an empty list. Throws MarketFileError. */
export function eventsOf(file: MarketFile, counts: ReplayCounts): AsyncGenerator<MarketEvent[], void> {
  return file.format === 'lean' ? leanEvents(file, counts) : lobsterEvents(file, counts);
}

async function* leanEvents(file: LeanFile, counts: ReplayCounts): AsyncGenerator<MarketEvent[], void> {
  const { fields, translator } = LEAN[file.resolution][file.kind];
  const translate = translator(file.symbol, file.midnight);
  const row = new Float64Array(fields.length);
  let last = file.midnight;
  for await (const read of rowsOf(file.path, fields, row)) {
    const events: MarketEvent[] = [];
    for (let line = read(); line !== 0; line = read()) {
      counts.rows++;
      const event = translate(row);
      if (typeof event === 'string') {
        counts.skipped[event]++;
        continue;
      }
      const at = instantOf(event);
      if (at < last) throw new MarketFileError('OUT_OF_ORDER', basename(file.path), line);
      last = at;
      events.push(event);
    }
    count(counts, events);
    if (events.length > 0) yield events;
  }
}

/** Rows one by one, over the borders of chunks: answers the line, or 0 at the end. */
function rowByRow(rows: AsyncGenerator<() => number, void>): () => Promise<number> {
  let read = (): number => 0;
  return async () => {
    for (;;) {
      const line = read();
      if (line !== 0) return line;
      const next = await rows.next();
      if (next.done === true) return 0;
      read = next.value;
    }
  };
}

const LOBSTER_BATCH = 256;

/** The best of the book after each message: from the book's file row by row, or as far as the messages tell it. */
function topAfter(file: LobsterFile, rows: AsyncGenerator<() => number, void> | null, row: Float64Array): (message: Message, line: number) => Promise<Top> {
  if (rows === null) {
    const book = new LobsterBook();
    return (message, line) => {
      if (!book.apply(message)) return Promise.reject(new MarketFileError('BAD_ROW', basename(file.path), line));
      return Promise.resolve(book.top());
    };
  }
  const next = rowByRow(rows);
  return async (_message, line) => {
    if ((await next()) !== line) throw new MarketFileError('ROWS_DIFFER', basename(file.path), line);
    return topOf(row);
  };
}

async function* lobsterEvents(file: LobsterFile, counts: ReplayCounts): AsyncGenerator<MarketEvent[], void> {
  const row = new Float64Array(MESSAGE_FIELDS.length);
  const bookRow = new Float64Array(ORDERBOOK_FIELDS.length);
  const messages = rowsOf(file.path, MESSAGE_FIELDS, row);
  const books = file.book === null ? null : rowsOf(file.book, ORDERBOOK_FIELDS, bookRow);
  const nextMessage = rowByRow(messages);
  const nextTop = topAfter(file, books, bookRow);
  let lastNs = 0;
  let events: MarketEvent[] = [];
  try {
    for (let line = await nextMessage(); line !== 0; line = await nextMessage()) {
      counts.rows++;
      const message = messageOf(row);
      if (message.ns < lastNs) throw new MarketFileError('OUT_OF_ORDER', basename(file.path), line);
      lastNs = message.ns;
      const print = printOf(message, file.symbol, file.midnight);
      if (print !== null) events.push({ kind: 'print', print });
      const top = await nextTop(message, line);
      // Told also where the best is the same: the message shows that it still stands, and an old quote would be stale.
      events.push({ kind: 'quote', quote: quoteOf(top, file.symbol, (file.midnight + BigInt(message.ns)) as Ns) });
      if (events.length < LOBSTER_BATCH) continue;
      count(counts, events);
      yield events;
      events = [];
    }
    count(counts, events);
    if (events.length > 0) yield events;
  } finally {
    await messages.return();
    await books?.return();
  }
}
