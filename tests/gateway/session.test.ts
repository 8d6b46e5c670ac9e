import { EventEmitter } from 'node:events';
import t from 'tap';
import type { Principal } from '../../gateway/auth/principal.ts';
import type { Answer } from '../../gateway/http/service.ts';
import { Session, type SessionPorts, type StreamSocket } from '../../gateway/ws/session.ts';

/** A socket whose peer reads nothing. */
class DeafSocket extends EventEmitter {
  bufferedAmount = 0;
  closedWith: [number, string] | null = null;
  terminated = false;
  pings = 0;
  readonly #flushes: [number, () => void][] = [];
  send(text: string, flushed: () => void): void {
    this.bufferedAmount += text.length;
    this.#flushes.push([text.length, flushed]);
  }
  /** The peer reads one message. */
  read(): void {
    const [length, flushed] = this.#flushes.shift()!;
    this.bufferedAmount -= length;
    flushed();
  }
  close(code: number, reason: string): void {
    this.closedWith = [code, reason];
  }
  terminate(): void {
    this.terminated = true;
  }
  ping(): void {
    this.pings += 1;
  }
}

function makeSession(perform: () => Promise<Answer> = () => Promise.reject(new Error('no call'))): { socket: DeafSocket; session: Session; time: { nowMs: number } } {
  const socket = new DeafSocket();
  const time = { nowMs: 0 };
  const ports = {
    nowMs: () => time.nowMs, wallNowMs: () => 0, admit: () => true, performer: { report: () => undefined, checkRate: () => undefined, perform },
    events: { subscribe: () => ({ close: () => undefined }) }, onDefect: (error: unknown) => { throw error; },
  } as unknown as SessionPorts;
  const session = new Session(socket as unknown as StreamSocket, '127.0.0.1', ports);
  const principal: Principal = { sub: 's', role: 'strategy', accounts: new Set(), expiresAtMs: 1e15, person: 'p' };
  session.welcome(principal);
  return { socket, session, time };
}
const event = (seq: number) => ({ seq, kind: 'order.filled', canonical: '{}' });

t.test('ten seconds without progress', (t) => {
  const { socket, session, time } = makeSession();
  session.send(event(5));
  session.send(event(6));
  time.nowMs = 9_000;
  socket.read();
  time.nowMs = 18_999;
  session.tick(time.nowMs);
  t.equal(socket.closedWith, null, 'progress a moment less than ten seconds ago');
  time.nowMs = 19_000;
  session.tick(time.nowMs);
  t.same(socket.closedWith, [4410, 'slow reader, last seq 6']);
  time.nowMs = 28_999;
  session.tick(time.nowMs);
  t.notOk(socket.terminated);
  time.nowMs = 29_000;
  session.tick(time.nowMs);
  t.ok(socket.terminated, 'the close is not read either');
  session.send(event(7));
  t.equal(socket.closedWith?.[1], 'slow reader, last seq 6', 'nothing is sent after the close');
  t.end();
});

t.test('two pings without an answer', (t) => {
  const { socket, session, time } = makeSession();
  for (const at of [20_000, 40_000]) session.tick(time.nowMs = at);
  t.equal(socket.pings, 2);
  socket.emit('pong');
  for (const at of [60_000, 80_000]) session.tick(time.nowMs = at);
  t.notOk(socket.terminated);
  session.tick(time.nowMs = 100_000);
  t.ok(socket.terminated);
  t.end();
});

t.test('a source of the past waits for the reader', async (t) => {
  const { socket, session } = makeSession();
  await session.drained();
  for (let seq = 0; seq < 10; seq++) session.send({ ...event(seq), canonical: `"${'x'.repeat(60_000)}"` });
  let drained = false;
  const waiting = session.drained().then(() => { drained = true; });
  for (let n = 0; n < 5; n++) socket.read();
  await Promise.resolve();
  t.notOk(drained);
  socket.read();
  await waiting;
  const closing = session.drained();
  socket.emit('close');
  await closing;
  t.ok(session.closed);
});

t.test('the gateway goes away: a second for the answers, and another for the close', (t) => {
  const { socket, session, time } = makeSession(() => new Promise(() => undefined));
  socket.emit('message', Buffer.from(JSON.stringify({ id: 1, op: 'order.cancel', body: { clOrdId: 'A1', account: 'ACC1' } })), false);
  session.leave();
  session.tick(time.nowMs = 999);
  t.equal(socket.closedWith, null, 'an answer is owed');
  session.tick(time.nowMs = 1_000);
  t.same(socket.closedWith, [1001, 'the gateway stops']);
  session.tick(time.nowMs = 1_999);
  t.notOk(socket.terminated);
  session.tick(time.nowMs = 2_000);
  t.ok(socket.terminated);
  t.end();
});

t.test('the gateway goes away: a socket that is closing already has a second too', (t) => {
  const { socket, session, time } = makeSession();
  session.close(4410, 'slow reader');
  session.leave();
  t.equal(socket.closedWith?.[0], 4410);
  session.tick(time.nowMs = 1_000);
  t.ok(socket.terminated);
  t.end();
});
