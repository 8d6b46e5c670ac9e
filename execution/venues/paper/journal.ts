/**
 * The paper process's own journal: an append-only file, one JSON object a line, in the order in which things happened.
 *
 *   {"kind":"session","at":…,"gateway":…,"resumeAfter":…}   a gateway's session began and ended every older one
 *   {"kind":"order","at":…,"order":{…},"receipt":{…}}       an order or replace was received, with the proof of its record
 *   {"kind":"cancel","at":…,"clOrdId":…}                    a cancel was received
 *   {"kind":"report","report":{…}}                          the venue said this; `sourceSeq` is gapless from 1
 *
 * No report leaves before its line is flushed. A crash leaves at most a torn last line: what it would have said was said to nobody,
 * so it is cut off. Any other line that cannot be read, or a gap in the reports, is damage, and the venue does not start.
 */
import { readFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { ClOrdIdJson, decodeOrder, decodeReport, InstantJson, OrderJson, ReportJson, SeqJson, WordJson } from './codec.ts';
import type { ChildOrder } from '../../../risk/domain/order.ts';
import { instant, type Ns } from '../../../risk/domain/time.ts';
import type { VenueReport } from '../../venue.ts';
import { ReceiptJson } from './wire.ts';

const closed = { additionalProperties: false } as const;
const Entry = Type.Union([
  Type.Object({ kind: Type.Literal('session'), at: InstantJson, gateway: WordJson, resumeAfter: SeqJson }, closed),
  Type.Object({ kind: Type.Literal('order'), at: InstantJson, order: OrderJson, receipt: ReceiptJson }, closed),
  Type.Object({ kind: Type.Literal('cancel'), at: InstantJson, clOrdId: ClOrdIdJson }, closed),
  Type.Object({ kind: Type.Literal('report'), report: ReportJson }, closed),
]);
export type EntryJson = Static<typeof Entry>;
const entry = Compile(Entry);

/** A line of the journal, read. */
export type JournalEntry =
  | { readonly kind: 'session'; readonly at: Ns; readonly gateway: string; readonly resumeAfter: number }
  | { readonly kind: 'order'; readonly at: Ns; readonly order: ChildOrder; readonly receipt: ReceiptJson }
  | { readonly kind: 'cancel'; readonly at: Ns; readonly clOrdId: string }
  | { readonly kind: 'report'; readonly report: VenueReport };

function readEntry(line: string, number: number): JournalEntry {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new Error(`paper journal: line ${number} is not JSON`, { cause });
  }
  if (!entry.Check(value)) throw new Error(`paper journal: line ${number} is not an entry`);
  if (value.kind === 'report') return { kind: 'report', report: decodeReport(value.report) };
  const at = instant(value.at);
  return value.kind === 'order' ? { ...value, at, order: decodeOrder(value.order) } : { ...value, at };
}

const NEWLINE = 10;

/** The complete lines of a journal's bytes and where they end; what follows the last newline is torn. */
function readLines(bytes: Buffer): { readonly entries: JournalEntry[]; readonly end: number } {
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  const lines = end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n');
  const entries = lines.map((line, i) => readEntry(line, i + 1));
  let last = 0;
  for (const { report } of entries.filter((e) => e.kind === 'report')) {
    if (report.sourceSeq !== last + 1) throw new Error(`paper journal: report ${report.sourceSeq} follows ${last}`);
    last = report.sourceSeq;
  }
  return { entries, end };
}

/** Everything a journal says, in order; a torn last line is not part of it. Throws on damage. */
export function readPaperJournal(path: string): readonly JournalEntry[] {
  return readLines(readFileSync(path)).entries;
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  await folder.sync();
  await folder.close();
}

/** The open file. Lines gather while a flush is under way and go together with the next; there are no timers. */
export class PaperJournal {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #failed: (error: unknown) => void;
  #pending = '';
  #onDurable: (() => void)[] = [];
  #flushing: Promise<void> | null = null;

  private constructor(path: string, file: FileHandle, failed: (error: unknown) => void) {
    this.#path = path;
    this.#file = file;
    this.#failed = failed;
  }

  /**
   * Opens or creates the file, cuts a torn last line, and gives what stands in it. Throws on damage. `failed` hears of a write that
   * did not succeed: from then on nothing becomes durable, and the process must end.
   */
  static async open(path: string, failed: (error: unknown) => void): Promise<{ readonly journal: PaperJournal; readonly entries: readonly JournalEntry[] }> {
    const file = await open(path, 'a', 0o600);
    const bytes = readFileSync(path);
    const { entries, end } = readLines(bytes);
    if (end < bytes.length) await file.truncate(end);
    await file.sync();
    await flushFolder(path); // a crash later must not lose the file's name with its lines
    return { journal: new PaperJournal(path, file, failed), entries };
  }

  /** Appends a line; `durable` is called once it is on disk, in the order of the lines. */
  append(line: EntryJson, durable?: () => void): void {
    this.#pending += `${JSON.stringify(line)}\n`;
    if (durable !== undefined) this.#onDurable.push(durable);
    this.#flushing ??= this.#flush().catch(this.#failed);
  }

  /** What stands in the file now. */
  read(): readonly JournalEntry[] {
    return readPaperJournal(this.#path);
  }

  /** Waits for the last flush. Nothing may be appended any more. */
  async close(): Promise<void> {
    await this.#flushing;
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    await nextTurn(); // what this turn of the event loop still appends goes with it
    while (this.#pending !== '') {
      const text = this.#pending;
      const durable = this.#onDurable;
      this.#pending = '';
      this.#onDurable = [];
      await this.#file.appendFile(text); // a crash from here to the next line's end leaves lines that nobody was told of
      await this.#file.datasync();
      for (const run of durable) run();
    }
    this.#flushing = null;
  }
}
