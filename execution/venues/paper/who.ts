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

const NOBODY = new Set(['ENOENT', 'ECONNREFUSED']);

/** Asks which process serves a socket; null when none does. Rejects on any other failure, and when what answers is no paper venue. */
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
  const frame = line === null ? null : parseServerFrame(line);
  if (frame?.op !== 'here') {
    socket.destroy();
    throw new Error(`${socketPath} is not served by a paper venue`);
  }
  return { venue: frame.venue, pid: frame.pid, gone, end: () => { socket.destroy(); } };
}

/** Null when the connection ends before a line is complete. */
function firstLine(socket: Socket): Promise<string | null> {
  const cutter = new LineCutter();
  return new Promise((resolve) => {
    socket.on('data', (chunk) => {
      const lines = cutter.take(chunk);
      if (lines === null || lines.length > 0) resolve(lines?.[0] ?? null);
    });
    socket.on('error', () => { resolve(null); });
    socket.on('close', () => { resolve(null); });
  });
}
