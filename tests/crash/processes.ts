import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;

/** False also for a process that has ended and that nobody has waited for. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
  const stat = `/proc/${String(pid)}/stat`;
  return !existsSync(stat) || !/\) Z/.test(readFileSync(stat, 'utf8'));
}

const PATIENCE_MS = 60_000;

/**
 * Looks again and again at what nobody tells by itself: until it is true, or nothing is left. Rejects, naming what was waited for and what
 * was left, when that does not come in a minute.
 */
export async function until(what: string, look: () => boolean | readonly unknown[] | Promise<boolean | readonly unknown[]>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (typeof found === 'boolean' ? found : found.length === 0) return;
    if (performance.now() > end) throw new Error(`waited in vain until ${what}: ${JSON.stringify(found)}`);
    await pause(POLL_MS);
  }
}
