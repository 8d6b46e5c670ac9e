import { once } from 'node:events';
import type { Agent } from 'node:http';
import { WebSocket } from 'ws';

export type Message = Record<string, unknown>;

/** A client of /v1/stream that keeps what it receives. */
export class Client {
  readonly socket: WebSocket;
  readonly received: Message[] = [];
  readonly ended: Promise<{ code: number; reason: string }>;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(origin: string, headers: Record<string, string> = {}, agent?: Agent) {
    this.socket = new WebSocket(`${origin.replace('http', 'ws')}/v1/stream`, { headers, agent });
    this.socket.on('error', () => undefined); // tests of refused upgrades look at 'unexpected-response'
    this.socket.on('message', (data: Buffer) => {
      this.received.push(JSON.parse(data.toString()) as Message);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.#closed = true;
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
  }
  async open(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }
  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }
  /** Takes the first message that matches, received already or to come; throws once the socket has closed without it. */
  async next(matches: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const at = this.received.findIndex(matches);
      if (at !== -1) return this.received.splice(at, 1)[0]!;
      if (this.#closed) throw new Error('the socket closed before the message came');
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }
  /** Sends and awaits the answer with the message's id. */
  async ask(message: Message): Promise<Message> {
    this.send(message);
    return this.next(({ id }) => id === message['id']);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
