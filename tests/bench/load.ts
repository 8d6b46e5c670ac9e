/**
 * A closed-loop load generator in a process of its own: N connections, each with one request in flight. HTTP/1.1 over bare sockets,
 * because the two cores are shared with what is measured. Takes plans over the parent's channel, one after the other, and stays warm.
 */
import { connect, type Socket } from 'node:net';

export interface LoadPlan {
  readonly port: number;
  readonly path: string;
  readonly token: string;
  /** Sent in turn; `{{id}}` becomes a fresh `[A-Z0-9]` id in every request. */
  readonly bodies: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  readonly expect: number;
}
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Of this process, for all requests together. */
  readonly cpuUs: number;
  /** Answers of another status than expected. */
  readonly unexpected: number;
  readonly firstUnexpected: string | null;
}

const HEADER_END = '\r\n\r\n';
const LENGTH = 'content-length: ';
/** Ids of one width, so that a body's length does not change. */
const ID_DIGITS = 8;

interface Template {
  readonly head: string;
  readonly tail: string;
}

class Load {
  readonly #plan: LoadPlan;
  readonly #templates: readonly Template[];
  readonly #prefix = `${process.pid.toString(36)}L${Date.now().toString(36)}`.toUpperCase().slice(-12);
  readonly #latenciesUs: number[] = [];
  #sequence = 0;
  #unexpected = 0;
  #firstUnexpected: string | null = null;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
    this.#templates = plan.bodies.map((body) => this.#template(body));
  }

  async run(): Promise<LoadResult> {
    const { connections, seconds } = this.#plan;
    const cpu = process.cpuUsage();
    const started = performance.now();
    const deadline = started + seconds * 1000;
    await Promise.all(Array.from({ length: connections }, () => this.#connection(deadline)));
    const spent = process.cpuUsage(cpu);
    const sorted = Float64Array.from(this.#latenciesUs).sort();
    const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
    return {
      requests: sorted.length, seconds: (performance.now() - started) / 1000, p50Us: at(0.5), p99Us: at(0.99), cpuUs: spent.user + spent.system,
      unexpected: this.#unexpected, firstUnexpected: this.#firstUnexpected,
    };
  }

  /** One connection until the deadline; rejects when the server ends it. */
  #connection(deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#plan.port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
      let received = '';
      let sentAt = 0;
      const next = (): void => {
        sentAt = performance.now();
        if (sentAt < deadline) this.#send(socket);
        else socket.end(resolve);
      };
      socket.on('data', (chunk: string) => {
        received = received === '' ? chunk : received + chunk;
        if (!isWhole(received)) return;
        this.#latenciesUs.push((performance.now() - sentAt) * 1000);
        this.#judge(received);
        received = '';
        next();
      });
      socket.once('connect', next).once('error', reject).once('close', () => { reject(new Error('the server closed the connection')); });
    });
  }

  #send(socket: Socket): void {
    this.#sequence += 1;
    const { head, tail } = this.#templates[this.#sequence % this.#templates.length] as Template;
    socket.write(head + this.#prefix + this.#sequence.toString(36).toUpperCase().padStart(ID_DIGITS, '0') + tail, 'latin1');
  }

  #judge(answer: string): void {
    if (Number(answer.slice(9, 12)) === this.#plan.expect) return;
    this.#unexpected += 1;
    this.#firstUnexpected ??= answer;
  }

  #template(body: string): Template {
    const { port, path, token } = this.#plan;
    const [before = '', tail = ''] = body.split('{{id}}');
    const length = before.length + this.#prefix.length + ID_DIGITS + tail.length;
    const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${String(port)}\r\nAuthorization: Bearer ${token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${String(length)}\r\n\r\n${before}`;
    return { head, tail };
  }
}

/** Whether a text of one answer is all of it, by its Content-Length. */
function isWhole(text: string): boolean {
  const end = text.indexOf(HEADER_END);
  if (end === -1) return false;
  const length = text.indexOf(LENGTH);
  if (length === -1 || length > end) throw new Error(`an answer without a length: ${text.slice(0, end)}`);
  return text.length >= end + HEADER_END.length + Number.parseInt(text.slice(length + LENGTH.length, length + LENGTH.length + 9), 10);
}

process.on('message', (plan: LoadPlan) => {
  new Load(plan).run().then((result) => process.send?.(result), (error: unknown) => { throw error; });
});
