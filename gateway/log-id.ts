import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg, { type ClientConfig } from 'pg';

const FORM = /^[0-9a-f]{16}$/;

/**
 * The log that this folder's gateway writes. `DATA_DIR/log` names it; without the file it is the one log of the database, or a new
 * one in an empty database. Its first eight digits begin every order id, so ids of two logs never meet at a venue.
 */
export async function openLogId(dataDir: string, connection: ClientConfig): Promise<string> {
  const named = readLogId(dataDir);
  if (named !== null) return named;
  const file = join(dataDir, 'log');
  const present = await logsIn(connection);
  if (present.length > 1) throw new Error(`the database holds ${String(present.length)} logs: write the id of yours into ${file}`);
  const log = present[0] ?? randomBytes(8).toString('hex');
  writeFileSync(file, `${log}\n`, { mode: 0o600, flag: 'wx' });
  return log;
}

/** The id in `DATA_DIR/log`; null without the file. */
export function readLogId(dataDir: string): string | null {
  const file = join(dataDir, 'log');
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  if (!FORM.test(text)) throw new Error(`${file} does not hold the id of a log: 16 hexadecimal digits`);
  return text;
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
