import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg, { type ClientConfig } from 'pg';
import type { Fork } from '../compliance/records.ts';

/** What `DATA_DIR/log` says. */
export interface LogFile {
  readonly log: string;
  /** What this log was begun from, because that one could not go on. */
  readonly forkOf: Fork | null;
}

const FORM = /^(?<log>[0-9a-f]{16})\n(?:forks (?<old>[0-9a-f]{16}) (?<size>0|[1-9][0-9]{0,15}) (?<hash>[0-9a-f]{64})\n)?$/;
const fileIn = (dataDir: string): string => join(dataDir, 'log');

/**
 * The log that this folder's gateway writes. `DATA_DIR/log` names it; without the file it is the one log of the database, or a new
 * one in an empty database. Its first eight digits begin every order id, so ids of two logs never meet at a venue.
 */
export async function openLogId(dataDir: string, connection: ClientConfig): Promise<LogFile> {
  const named = readLogFile(dataDir);
  if (named !== null) return named;
  const present = await logsIn(connection);
  if (present.length > 1) throw new Error(`the database holds ${String(present.length)} logs: write the id of yours into ${fileIn(dataDir)}`);
  placeLogFile(dataDir, { log: present[0] ?? newLogId(), forkOf: null });
  return openLogId(dataDir, connection);
}

/** Written aside and linked into place: a crash leaves a whole file or none, and of two starts at once one id wins. */
function placeLogFile(dataDir: string, named: LogFile): void {
  const draft = `${fileIn(dataDir)}.${String(process.pid)}`;
  writeFileSync(draft, formatLogFile(named), { mode: 0o600, flush: true });
  try {
    linkSync(draft, fileIn(dataDir));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
}

export const newLogId = (): string => randomBytes(8).toString('hex');

/** `DATA_DIR/log`; null without the file. */
export function readLogFile(dataDir: string): LogFile | null {
  let text: string;
  try {
    text = readFileSync(fileIn(dataDir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const named = parseLogFile(text.endsWith('\n') ? text : `${text}\n`);
  if (named === null) throw new Error(`${fileIn(dataDir)} does not hold the id of a log: 16 hexadecimal digits`);
  return named;
}

/** Puts another log in its place; a crash leaves the one or the other. */
export function replaceLogFile(dataDir: string, named: LogFile): void {
  const draft = `${fileIn(dataDir)}.new`;
  writeFileSync(draft, formatLogFile(named), { mode: 0o600, flush: true });
  renameSync(draft, fileIn(dataDir));
}

export const formatLogFile = ({ log, forkOf }: LogFile): string =>
  (forkOf === null ? `${log}\n` : `${log}\nforks ${forkOf.log} ${String(forkOf.size)} ${forkOf.hash}\n`);

/** Null for anything that `formatLogFile` does not write. */
export function parseLogFile(text: string): LogFile | null {
  const { log, old, size, hash } = FORM.exec(text)?.groups ?? {};
  if (log === undefined) return null;
  return { log, forkOf: old === undefined || hash === undefined ? null : { log: old, size: Number(size), hash } };
}

async function logsIn(connection: ClientConfig): Promise<string[]> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    const { rows } = await client.query<{ log: string }>('SELECT log FROM portcullis.records WHERE seq = 0');
    return rows.map(({ log }) => log);
  } finally {
    await client.end();
  }
}
