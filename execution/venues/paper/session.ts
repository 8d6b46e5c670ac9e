/** The gateway's side of the conversation, one at a time: who may speak, what he is told, and when he is shut out. */
import type { Socket } from 'node:net';
import { formatFrame, LineCutter, parseClientFrame, type ClientFrame, type ServerFrame } from './wire.ts';

/** A reader this far behind is dropped; it may come back and resume. */
const UNSENT_BYTES_MAX = 64 * 1024 * 1024;

type Hello = Extract<ClientFrame, { readonly op: 'hello' }>;
/** What only the present session may say. */
export type SessionFrame = Exclude<ClientFrame, { readonly op: 'hello' | 'who' }>;

export interface SessionHandlers {
  readonly venue: string;
  /** Why nobody can resume as this hello asks; null when he can. */
  refusal(hello: Hello): string | null;
  /** A session began and every older one is closed. What is sent from within is told before anything later. */
  began(hello: Hello): void;
  frame(frame: SessionFrame): void;
  /** A fault of a connection, for the log of the process. */
  fault(reason: string): void;
}

/** Fenced or refused, a socket is half closed: what still arrives from it was never said. */
const isHeard = (socket: Socket): boolean => socket.writable;

export class Sessions {
  readonly #handlers: SessionHandlers;
  readonly #sockets = new Set<Socket>();
  #current: Socket | null = null;
  /** What may wait unsent: the repeats of its hello, and then the bound. */
  #allowance = Infinity;

  constructor(handlers: SessionHandlers) {
    this.#handlers = handlers;
  }

  accept(socket: Socket): void {
    const cutter = new LineCutter();
    this.#sockets.add(socket);
    socket.on('data', (chunk) => {
      if (!isHeard(socket)) return;
      const lines = cutter.take(chunk);
      if (lines === null) this.#close(socket, { op: 'refused', reason: 'LINE_TOO_LONG' });
      else for (const line of lines) if (isHeard(socket)) this.#line(socket, line);
    });
    socket.on('error', (error) => { this.#handlers.fault(error.message); });
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#current === socket) this.#current = null;
    });
  }

  /** Tells the present session; nobody when there is none, as the next one resumes from the journal. */
  tell(frame: ServerFrame): void {
    const socket = this.#current;
    if (socket === null) return;
    if (socket.writableCorked === 0) {
      socket.cork(); // the reports of a turn leave in one write
      process.nextTick(() => { socket.uncork(); });
    }
    socket.write(formatFrame(frame));
    if (socket.writableLength <= this.#allowance) return;
    this.#handlers.fault('SLOW_READER');
    this.#current = null;
    socket.destroy();
  }

  stop(): void {
    this.#current = null;
    for (const socket of this.#sockets) socket.destroy();
  }

  #line(socket: Socket, line: string): void {
    const frame = parseClientFrame(line);
    if (frame === null) this.#close(socket, { op: 'refused', reason: 'NOT_A_FRAME' });
    else if (frame.op === 'who') socket.write(formatFrame({ op: 'here', venue: this.#handlers.venue, pid: process.pid }));
    else if (frame.op === 'hello') this.#begin(socket, frame);
    else if (socket !== this.#current) this.#close(socket, { op: 'refused', reason: 'NO_SESSION' });
    else this.#handlers.frame(frame);
  }

  #begin(socket: Socket, hello: Hello): void {
    if (socket === this.#current) {
      this.#close(socket, { op: 'refused', reason: 'SECOND_HELLO' });
      return;
    }
    const reason = this.#handlers.refusal(hello);
    if (reason !== null) {
      this.#close(socket, { op: 'refused', reason });
      return;
    }
    const older = this.#current;
    this.#current = socket;
    // First of all: from here on nothing of the older session is heard, whatever it has under way.
    if (older !== null) this.#close(older, { op: 'fenced' });
    this.#allowance = Infinity;
    this.tell({ op: 'welcome', venue: this.#handlers.venue, pid: process.pid });
    this.#handlers.began(hello);
    this.#allowance = socket.writableLength + UNSENT_BYTES_MAX;
  }

  #close(socket: Socket, last: Extract<ServerFrame, { readonly op: 'refused' | 'fenced' }>): void {
    if (last.op === 'refused') this.#handlers.fault(last.reason);
    if (this.#current === socket) this.#current = null;
    socket.end(formatFrame(last));
    socket.destroySoon();
  }
}
