import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { crc32, createGunzip } from 'node:zlib';
import yauzl from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';
import { MarketFileError } from './file-error.ts';
import { LineCutter, parseRow } from './rows.ts';
import type { Field, Lines } from './rows.ts';

const FILES_MAX = 20_000;
const DEPTH_MAX = 8;

/** The regular files at `path`: itself, or all below a folder, in the order of their names. Links and pipes in a folder are passed over. */
export async function regularFiles(path: string): Promise<string[]> {
  const name = basename(path);
  const status = await stat(path).catch((cause: unknown) => {
    throw new MarketFileError('NOT_FOUND', name, null, cause);
  });
  if (status.isFile()) return [path];
  if (!status.isDirectory()) throw new MarketFileError('NOT_A_FILE', name);
  const found: string[] = [];
  await collect(path, 0, found).catch((cause: unknown) => {
    throw cause instanceof MarketFileError ? cause : new MarketFileError('UNREADABLE', name, null, cause);
  });
  return found.sort((a, b) => (a < b ? -1 : 1));
}

async function collect(folder: string, depth: number, found: string[]): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile()) found.push(path);
    else if (entry.isDirectory() && depth < DEPTH_MAX) await collect(path, depth + 1, found);
    if (found.length > FILES_MAX) throw new MarketFileError('TOO_MANY_FILES', basename(folder));
  }
}

/** Whether the file begins with these bytes. */
export async function beginsWith(path: string, magic: readonly number[]): Promise<boolean> {
  const file = await open(path).catch((cause: unknown) => {
    throw new MarketFileError('UNREADABLE', basename(path), null, cause);
  });
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(magic.length), 0, magic.length, 0);
    return bytesRead === magic.length && magic.every((byte, index) => buffer[index] === byte);
  } finally {
    await file.close();
  }
}
export const ZIP_MAGIC = [0x50, 0x4b, 0x03, 0x04] as const;
const GZIP_MAGIC = [0x1f, 0x8b] as const;

const openZip = (path: string): Promise<ZipFile> => new Promise((resolve, reject) => {
  yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) => {
    if (error === null) resolve(zip);
    else reject(new MarketFileError('BAD_ARCHIVE', basename(path), null, error));
  });
});

/** The one file in an archive; archives of several are not ours. */
const onlyEntry = (zip: ZipFile, path: string): Promise<Entry> => new Promise((resolve, reject) => {
  const refuse = (cause?: unknown): void => {
    reject(new MarketFileError('BAD_ARCHIVE', basename(path), null, cause));
  };
  zip.once('error', refuse);
  zip.once('entry', (entry: Entry) => {
    if (zip.entryCount === 1) resolve(entry);
    else refuse();
  });
  zip.once('end', () => {
    refuse();
  });
  zip.readEntry();
});

const openEntry = (zip: ZipFile, entry: Entry): Promise<Readable> => new Promise((resolve, reject) => {
  zip.openReadStream(entry, (error, stream) => {
    if (error === null) resolve(stream);
    else reject(error);
  });
});

/** The name of the one file in the archive at `path`. */
export async function nameInZip(path: string): Promise<string> {
  const zip = await openZip(path);
  try {
    return (await onlyEntry(zip, path)).fileName;
  } finally {
    zip.close();
  }
}

async function* zipChunks(path: string): AsyncGenerator<Buffer, void> {
  const zip = await openZip(path);
  try {
    const entry = await onlyEntry(zip, path);
    const stream = await openEntry(zip, entry);
    let sum = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
    if (sum !== entry.crc32) throw new MarketFileError('BAD_ARCHIVE', basename(path));
  } finally {
    zip.close();
  }
}

async function* plainChunks(path: string): AsyncGenerator<Buffer, void> {
  const zipped = await beginsWith(path, GZIP_MAGIC);
  const file = createReadStream(path);
  // The reader below is told of every error of the pipeline by its last stream.
  const stream = zipped ? pipeline(file, createGunzip(), () => undefined) : file;
  yield* stream as AsyncIterable<Buffer>;
}

async function* chunksOf(path: string): AsyncGenerator<Buffer, void> {
  try {
    yield* (await beginsWith(path, ZIP_MAGIC)) ? zipChunks(path) : plainChunks(path);
  } catch (cause) {
    if (cause instanceof MarketFileError) throw cause;
    const system = cause instanceof Error && 'syscall' in cause;
    throw new MarketFileError(system ? 'UNREADABLE' : 'BAD_ARCHIVE', basename(path), null, cause);
  }
}

async function* linesOf(path: string): AsyncGenerator<Lines, void> {
  const cutter = new LineCutter();
  for await (const chunk of chunksOf(path)) {
    const lines = cutter.add(chunk);
    if (lines === 'long') throw new MarketFileError('LINE_TOO_LONG', basename(path), cutter.line);
    if (lines !== null) yield lines;
  }
  const last = cutter.end();
  if (last !== null) yield last;
}

/**
 * The rows of a file, zipped, gzipped or plain, a chunk at a time: a turn gives a function that reads the chunk's next row into `out`
 * and answers its line, or 0 when the chunk is done. Throws MarketFileError at the first malformed row.
 */
export async function* rowsOf(path: string, fields: readonly Field[], out: Float64Array): AsyncGenerator<() => number, void> {
  for await (const { bytes, bounds, first } of linesOf(path)) {
    let index = 0;
    yield () => {
      const [start, end] = [bounds[index], bounds[index + 1]];
      if (start === undefined || end === undefined) return 0;
      const line = first + index / 2;
      if (!parseRow(bytes, start, end, fields, out)) throw new MarketFileError('BAD_ROW', basename(path), line);
      index += 2;
      return line;
    };
  }
}
