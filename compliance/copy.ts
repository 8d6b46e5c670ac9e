/**
 * Rows of the log as PostgreSQL takes them fastest: one `COPY … (FORMAT binary)`, sent in one write with all its rows. It is one statement,
 * so one commit, all or nothing. Formats: PostgreSQL manual, "Message Formats" and "COPY: Binary Format".
 */
import type pg from 'pg';
import type { Ns } from '../risk/domain/time.ts';
import type { StoredLine } from './journal.ts';

const COMMAND = 'COPY portcullis.records (log, seq, hash, at, subject, canonical) FROM STDIN (FORMAT binary)\0';
const FIELDS = 6;
const HASH_BYTES = 32;
const INT8_BYTES = 8;
const LENGTH_BYTES = 4;
/** Of a row but for its texts: how many fields, their lengths, seq, hash and at. */
const ROW_BYTES = 2 + FIELDS * LENGTH_BYTES + INT8_BYTES + HASH_BYTES + INT8_BYTES;
const NULL = -1;

const int4 = (value: number): Buffer => {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeInt32BE(value);
  return bytes;
};
const QUERY = Buffer.concat([Buffer.from('Q'), int4(LENGTH_BYTES + COMMAND.length), Buffer.from(COMMAND)]);
const SIGNATURE = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), int4(0), int4(0)]);
const TRAILER = Buffer.from([0xff, 0xff]);
const COPY_DONE = Buffer.concat([Buffer.from('c'), int4(LENGTH_BYTES)]);

/** Stores the lines, in order, as one statement. Errors: what the server refused is not stored; after any other end the outcome is unknown. */
export function copyLines(client: pg.Client, log: string, lines: readonly StoredLine[]): Promise<void> {
  const message = copyMessage(log, lines);
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(message, (error) => {
      if (error === null) resolve();
      else reject(error);
    }));
  });
}

/** What pg sends as a query of ours. The rows do not wait for the server's leave: after an error it reads past them. */
class CopyIn implements pg.Submittable {
  readonly #message: Buffer;
  /** By this name pg wraps it with its deadline. */
  callback: (error: Error | null) => void;

  constructor(message: Buffer, callback: (error: Error | null) => void) {
    this.#message = message;
    this.callback = callback;
  }

  submit({ stream }: pg.Connection): void {
    stream.write(this.#message);
  }
  handleCopyInResponse(): void {
    // the rows are on their way
  }
  handleCommandComplete(): void {
    // it is committed; the connection is free with the next message
  }
  handleReadyForQuery(): void {
    this.callback(null);
  }
  handleError(error: Error): void {
    this.callback(error);
  }
}

function copyMessage(log: string, lines: readonly StoredLine[]): Buffer {
  const texts = lines.reduce((sum, { bytes, subject }) => sum + bytes + (subject?.length ?? 0), 0);
  const dataBytes = LENGTH_BYTES + SIGNATURE.length + lines.length * (ROW_BYTES + log.length) + texts + TRAILER.length;
  const message = Buffer.allocUnsafe(QUERY.length + 1 + dataBytes + COPY_DONE.length);
  let end = QUERY.copy(message);
  end += message.write('d', end);
  end = message.writeInt32BE(dataBytes, end);
  end += SIGNATURE.copy(message, end);
  for (const line of lines) end = writeRow(message, end, log, line);
  end += TRAILER.copy(message, end);
  COPY_DONE.copy(message, end);
  return message;
}

function writeRow(message: Buffer, offset: number, log: string, { seq, hash, at, subject, canonical }: StoredLine): number {
  let end = message.writeInt16BE(FIELDS, offset);
  end = writeText(message, end, log);
  end = writeInt8(message, end, BigInt(seq));
  end = message.writeInt32BE(HASH_BYTES, end);
  end += message.write(hash, end, 'hex');
  end = writeInt8(message, end, timestampOf(at));
  end = subject === null ? message.writeInt32BE(NULL, end) : writeText(message, end, subject);
  return writeText(message, end, canonical);
}

function writeText(message: Buffer, offset: number, text: string): number {
  const bytes = message.write(text, offset + LENGTH_BYTES);
  return message.writeInt32BE(bytes, offset) + bytes;
}

function writeInt8(message: Buffer, offset: number, value: bigint): number {
  return message.writeBigInt64BE(value, message.writeInt32BE(INT8_BYTES, offset));
}

/** 2000-01-01, PostgreSQL's epoch. */
const EPOCH_US = 946_684_800_000_000n;

/** Microseconds are all that PostgreSQL keeps; the record has the rest. */
const timestampOf = (at: Ns): bigint => at / 1_000n - EPOCH_US;
