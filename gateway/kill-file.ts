import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isCleanText } from '../risk/domain/ids.ts';

const REASON_BYTES_MAX = 1024;
const REASON_LENGTH_MAX = 500;
const PLAIN_REASON = 'DATA_DIR/KILL exists';

/**
 * The kill out of band: `DATA_DIR/KILL` in any form – file, link, folder – halts the firm, since only the folder's owner can make it.
 * Its content is only a reason. Null while it is absent.
 */
export function readKillFile(dataDir: string): string | null {
  const path = join(dataDir, 'KILL');
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  return stat.isFile() ? reasonIn(path) : PLAIN_REASON;
}

function reasonIn(path: string): string {
  let text: string;
  try {
    text = head(path);
  } catch {
    // Unreadable, or gone since we looked: it was there, and that is what halts.
    return PLAIN_REASON;
  }
  const reason = text.trim();
  // Looked at as it is recorded: what is cut may have halved a character, and an unclean reason must not keep the halt from its record.
  const whole = `${PLAIN_REASON}: ${reason}`.slice(0, REASON_LENGTH_MAX);
  return reason !== '' && isCleanText(whole) ? whole : PLAIN_REASON;
}

function head(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) return '';
    const bytes = Buffer.alloc(REASON_BYTES_MAX);
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, REASON_BYTES_MAX, 0));
  } finally {
    closeSync(file);
  }
}
