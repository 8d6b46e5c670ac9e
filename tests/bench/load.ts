/**
 * A closed-loop load generator, run as a process of its own: N connections, each with one request in flight. HTTP/1.1 over bare
 * sockets, because the two cores are shared with what is measured. Prints one JSON line.
 */
import { connect, type Socket } from 'node:net';

export interface LoadPlan {
  readonly port: number;
  readonly path: string;
  readonly token: string;
  /** `{{id}}` becomes a fresh `[A-Z0-9]` id in every request. */
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
  readonly expect: number;
}
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Answers of another status than expected. */
  readonly unexpected: number;
  readonly firstUnexpected: string | null;
}

const HEADER_END = '\r\n\r\n';

async function run(plan: LoadPlan): Promise<LoadResult> {
  const [before, after] = plan.body.split('{{id}}') as [string, string];
  const prefix = `${process.pid.toString(36)}${Date.now().toString(36)}`.toUpperCase().slice(-12);
  const latenciesUs: number[] = [];
  let sequence = 0;
  let unexpected = 0;
  let firstUnexpected: string | null = null;
  const started = performance.now();
  const deadline = started + plan.seconds * 1000;

  const request = (): string => {
    const body = `${before}${prefix}${(++sequence).toString(36).toUpperCase()}${after}`;
    return `POST ${plan.path} HTTP/1.1\r\nHost: 127.0.0.1:${String(plan.port)}\r\nAuthorization: Bearer ${plan.token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;
  };
  const one = async (): Promise<void> => {
    const socket = connect(plan.port, '127.0.0.1').setNoDelay(true);
    const answers = answersOf(socket);
    while (performance.now() < deadline) {
      const sent = performance.now();
      socket.write(request());
      const answer = await answers.next();
      latenciesUs.push((performance.now() - sent) * 1000);
      if (answer.status !== plan.expect) {
        unexpected += 1;
        firstUnexpected ??= answer.text.slice(0, 600);
      }
    }
    socket.end();
  };
  await Promise.all(Array.from({ length: plan.connections }, one));
  const seconds = (performance.now() - started) / 1000;
  const sorted = Float64Array.from(latenciesUs).sort();
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
  return { requests: latenciesUs.length, seconds, p50Us: at(0.5), p99Us: at(0.99), unexpected, firstUnexpected };
}

/** Whole answers of a keep-alive connection, one at a time, by their Content-Length. */
function answersOf(socket: Socket): { next(): Promise<{ status: number; text: string }> } {
  let text = '';
  let waiting: { resolve: (answer: { status: number; text: string }) => void; reject: (error: Error) => void } | null = null;
  const take = (): void => {
    const end = text.indexOf(HEADER_END);
    if (end === -1 || waiting === null) return;
    const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0);
    const total = end + HEADER_END.length + length;
    if (text.length < total) return;
    const answer = { status: Number(text.slice(9, 12)), text: text.slice(end + HEADER_END.length, total) };
    text = text.slice(total);
    const { resolve } = waiting;
    waiting = null;
    resolve(answer);
  };
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    take();
  });
  socket.on('error', (error) => waiting?.reject(error)).on('close', () => waiting?.reject(new Error('the server closed the connection')));
  return { next: () => new Promise((resolve, reject) => { waiting = { resolve, reject }; take(); }) };
}

const plan = process.argv[2];
if (plan === undefined) throw new Error('usage: load.js PLAN-AS-JSON');
console.log(JSON.stringify(await run(JSON.parse(plan) as LoadPlan)));
