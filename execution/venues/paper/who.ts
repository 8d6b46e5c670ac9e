import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { formatFrame, LineCutter, parseServerFrame } from './wire.ts';

/** A paper process that answered. */
export interface Present {
  readonly venue: string;
  readonly pid: number;
  /** Resolves when its end of the connection closes: its journal is closed then. */
  readonly gone: Promise<unknown>;
  end(): void;
}

const NOBODY = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET']);
/** A process that is alive answers at once; one that is stopped never does. */
const ANSWER_WITHIN_MS = 5_000;

/**
 * Asks which process serves a socket; null when none does: nobody listens, or the connection ends without a word, as it does when the
 * process is dying. Rejects when nothing is answered in time, or something that is no paper venue answers.
 */
export async function askWho(socketPath: string): Promise<Present | null> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
  } catch (error) {
    if (NOBODY.has((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
  const gone = new Promise((resolve) => socket.once('close', resolve));
  socket.write(formatFrame({ op: 'who' }));
  const line = await firstLine(socket);
  if (line === null) return null;
  const frame = parseServerFrame(line);
  if (frame?.op !== 'here') {
    socket.destroy();
    throw new Error(`${socketPath} is not served by a paper venue`);
  }
  return { venue: frame.venue, pid: frame.pid, gone, end: () => { socket.destroy(); } };
}

/** Null when the connection ends before a line is complete. */
function firstLine(socket: Socket): Promise<string | null> {
  const cutter = new LineCutter();
  return new Promise((resolve, reject) => {
    socket.setTimeout(ANSWER_WITHIN_MS, () => { reject(new Error('a paper process does not answer')); });
    socket.on('data', (chunk) => {
      const lines = cutter.take(chunk);
      if (lines?.length === 0) return;
      socket.setTimeout(0);
      resolve(lines?.[0] ?? '');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => { if (!NOBODY.has(error.code ?? '')) reject(error); });
    socket.on('close', () => { resolve(null); });
  });
}
