/**
 * What gateway and paper process say to each other: one JSON object a line, UTF-8, at most 64 KiB with its newline.
 *
 * gateway → venue   hello {gateway, resumeAfter} first, and only once; then order, cancel, reconcile in any number. `who` asks without
 *                   a session which process is here.
 * venue → gateway   welcome {venue, pid}, then every report after `resumeAfter` from the journal, then reports as they become durable;
 *                   `fenced`: a newer session has taken over; `refused`: a line that is not of this form. Both end the connection.
 */
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { ClOrdIdJson, OrderJson, ReportJson, SeqJson, WordJson } from './codec.ts';

const closed = { additionalProperties: false } as const;

/** The proof of the record before the send: the venue's journal keeps it beside the order. */
export const ReceiptJson = Type.Object({ log: WordJson, seq: SeqJson, hash: WordJson }, closed);
export type ReceiptJson = Static<typeof ReceiptJson>;

/** Ids of one `reconcile`: 1,000 of 24 characters stay within a line. */
export const RECONCILE_MAX = 1_000;
export const LINE_BYTES_MAX = 65_536;

const ClientFrame = Type.Union([
  Type.Object({ op: Type.Literal('who') }, closed),
  Type.Object({ op: Type.Literal('hello'), gateway: WordJson, resumeAfter: SeqJson }, closed),
  Type.Object({ op: Type.Literal('order'), order: OrderJson, receipt: ReceiptJson }, closed),
  Type.Object({ op: Type.Literal('cancel'), clOrdId: ClOrdIdJson }, closed),
  Type.Object({ op: Type.Literal('reconcile'), clOrdIds: Type.Array(ClOrdIdJson, { maxItems: RECONCILE_MAX }) }, closed),
]);
export type ClientFrame = Static<typeof ClientFrame>;

const ServerFrame = Type.Union([
  Type.Object({ op: Type.Literal('here'), venue: WordJson, pid: SeqJson }, closed),
  Type.Object({ op: Type.Literal('welcome'), venue: WordJson, pid: SeqJson }, closed),
  Type.Object({ op: Type.Literal('report'), report: ReportJson }, closed),
  Type.Object({ op: Type.Literal('fenced') }, closed),
  Type.Object({ op: Type.Literal('refused'), reason: WordJson }, closed),
]);
export type ServerFrame = Static<typeof ServerFrame>;

const clientFrame = Compile(ClientFrame);
const serverFrame = Compile(ServerFrame);

/** The value of a line of JSON; undefined when it is none. */
function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // the caller refuses it, as it refuses every line of another form
  }
}

export const formatFrame = (frame: ClientFrame | ServerFrame): string => `${JSON.stringify(frame)}\n`;

/** Null for a line that is not a frame of a gateway. */
export function parseClientFrame(line: string): ClientFrame | null {
  const value = jsonOf(line);
  return clientFrame.Check(value) ? value : null;
}

/** Null for a line that is not a frame of the venue. */
export function parseServerFrame(line: string): ServerFrame | null {
  const value = jsonOf(line);
  return serverFrame.Check(value) ? value : null;
}

/**
 * Cuts a stream of bytes into lines. `take` gives the complete lines of a chunk, or null when a line is longer than may be: then the
 * stream cannot be trusted any more. Invalid UTF-8 becomes replacement characters, which no frame holds.
 */
export class LineCutter {
  #rest: Buffer = Buffer.alloc(0);

  take(chunk: Buffer): string[] | null {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: string[] = [];
    let from = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
      if (end - from >= LINE_BYTES_MAX) return null;
      lines.push(bytes.toString('utf8', from, end));
      from = end + 1;
    }
    this.#rest = bytes.subarray(from);
    return this.#rest.length >= LINE_BYTES_MAX ? null : lines;
  }
}
