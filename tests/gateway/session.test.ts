import { EventEmitter } from 'node:events';
import t from 'tap';
import type { Principal } from '../../gateway/auth/principal.ts';
import { Refusal } from '../../gateway/http/errors.ts';
import type { Answer } from '../../gateway/http/service.ts';
import { Session, type SessionPorts, type StreamSocket } from '../../gateway/ws/session.ts';

/** A socket whose peer reads nothing. */
class DeafSocket extends EventEmitter {
  bufferedAmount = 0;
  closedWith: [number, string] | null = null;
  terminated = false;
  pings = 0;
  readonly sent: string[] = [];
  readonly #flushes: [number, () => void][] = [];
  send(text: string, flushed: () => void): void {
    this.sent.push(text);
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

const PRINCIPAL: Principal = { sub: 's', role: 'strategy', accounts: new Set(), expiresAtMs: 1e15, person: 'p' };

interface Made {
  readonly socket: DeafSocket;
  readonly session: Session;
  readonly time: { nowMs: number };
}
/** With `check`, a session that has shown no token yet. */
function makeSession(perform: () => Promise<Answer> = () => Promise.reject(new Error('no call')), check?: () => Promise<Principal>): Made {
  const socket = new DeafSocket();
  const time = { nowMs: 0 };
  const ports = {
    nowMs: () => time.nowMs, wallNowMs: () => 0, admit: () => true, gate: { admit: check }, performer: { report: () => undefined, checkRate: () => undefined, perform },
    events: { subscribe: () => ({ close: () => undefined }) }, onDefect: (error: unknown) => { throw error; },
  } as unknown as SessionPorts;
  const session = new Session(socket as unknown as StreamSocket, '127.0.0.1', ports);
  if (check === undefined) session.welcome(PRINCIPAL);
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

/** A session whose token is being checked until the test says what it is, and how many operations were done. */
function makeChecked() {
  let known: (principal: Principal) => void = () => undefined;
  let refused: (error: unknown) => void = () => undefined;
  const checked = new Promise<Principal>((resolve, reject) => { [known, refused] = [resolve, reject]; });
  let done = 0;
  const made = makeSession(() => Promise.resolve({ status: 202, body: ++done }), () => checked);
  const say = (message: object): void => { made.socket.emit('message', Buffer.from(JSON.stringify(message)), false); };
  say({ id: 'token', op: 'auth', token: 'a.b.c' });
  /** Resolves once all that follows from what was said has been done. */
  const settled = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });
  const answers = (): unknown[] => made.socket.sent.map((text) => JSON.parse(text) as { id: unknown; status: number }).map(({ id, status }) => [id, status]);
  return { ...made, say, known, refused, settled, answers, done: () => done };
}
const cancel = (id: number | string) => ({ id, op: 'order.cancel', body: { clOrdId: 'A1', account: 'ACC1' } });
const subscribe = (id: number | string) => ({ id, op: 'subscribe', channels: ['orders'] });

t.test('what comes while the token is being checked waits for it, in order', async (t) => {
  const { socket, say, known, settled, answers, done } = makeChecked();
  for (let n = 1; n <= 15; n++) say(n === 8 ? { id: 8, op: 'fly' } : subscribe(n));
  say(cancel(16));
  await settled();
  t.same([socket.closedWith, answers(), done()], [null, [], 0], 'nothing is done for a token that is not known yet');
  known(PRINCIPAL);
  await settled();
  const wanted = Array.from({ length: 16 }, (_, n) => [n + 1, n + 1 === 8 ? 400 : n + 1 === 16 ? 202 : 200]);
  t.same(answers(), [['token', 200], ...wanted]);
  for (let n = 17; n <= 40; n++) say(subscribe(n));
  t.equal(socket.closedWith, null, 'the bound is for those that wait');
  t.same(answers().at(-1), [40, 200]);
});

t.test('a bad token: what waited is dropped', async (t) => {
  const { socket, say, refused, settled, answers, done } = makeChecked();
  say(subscribe(1));
  say(cancel(2));
  refused(new Refusal('UNAUTHENTICATED'));
  await settled();
  t.same(answers(), [['token', 401]]);
  t.same(socket.closedWith, [4401, 'token not good']);
  t.equal(done(), 0);
});

t.test('at most sixteen wait, none of them long', async (t) => {
  const many = makeChecked();
  for (let n = 1; n <= 17; n++) many.say(cancel(n));
  t.equal(many.socket.closedWith?.[0], 4429);
  const long = makeChecked();
  long.say({ ...cancel(1), extra: 'x'.repeat(16 * 1024) });
  t.equal(long.socket.closedWith?.[0], 4408);
  for (const { known, settled, answers, done } of [many, long]) {
    known(PRINCIPAL);
    await settled();
    t.same([answers(), done()], [[], 0]);
  }
});

t.test('a second token among what waited: nothing after it is done', async (t) => {
  const { socket, say, known, settled, answers, done } = makeChecked();
  say(subscribe(1));
  say({ id: 2, op: 'auth', token: 'a.b.c' });
  say(cancel(3));
  known(PRINCIPAL);
  await settled();
  t.same(answers(), [['token', 200], [1, 200]]);
  t.equal(socket.closedWith?.[0], 4403);
  t.equal(done(), 0);
});

t.test('the gateway goes away while the token is being checked: nothing of what waited is done', async (t) => {
  const { socket, session, say, known, settled, answers, done } = makeChecked();
  say(cancel(1));
  session.leave();
  t.same(socket.closedWith, [1001, 'the gateway stops']);
  known(PRINCIPAL);
  await settled();
  t.same([answers(), done()], [[], 0]);
});
