/** The edge ends: what it took is answered, what comes meanwhile is refused, and no connection keeps it from ending. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import type { Answer } from '../../gateway/http/service.ts';
import { makeEdge, order, type Edge } from './edge.ts';

/** All that a connection says until its end. */
async function heard(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => { text += chunk; });
  await once(socket, 'close');
  return text;
}

interface Wired {
  readonly head: string;
  readonly body: string;
  /** A connection that has shown a token: it is no stranger's. */
  readonly known: () => Promise<Socket>;
}
async function wire(edge: Edge): Promise<Wired> {
  const port = Number(new URL(await edge.listen()).port);
  const body = JSON.stringify(order);
  const head = `POST /v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${await edge.token()}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return {
    head, body,
    async known() {
      const socket = connect(port, '127.0.0.1');
      socket.write(head + body);
      await once(socket, 'data');
      return socket;
    },
  };
}

t.test('a stop waits for answers, and for nothing else', async (t) => {
  const edge = await makeEdge();
  const { head, body, known } = await wire(edge);
  const [inFlight, half, idle] = [await known(), await known(), await known()];
  let answer: (answer: Answer) => void = () => undefined;
  const taken = new Promise<void>((resolve) => {
    edge.answers.set('submitOrder', () => {
      resolve();
      return new Promise((give) => { answer = give; });
    });
  });
  const said = Promise.all([inFlight, half, idle].map(heard));
  half.write(head.slice(0, 20));
  inFlight.write(head + body);
  await taken;
  const closed = edge.app.close();
  await once(idle, 'close');
  half.write(head.slice(20) + body);
  await once(half, 'close');
  answer({ status: 201, body: { done: 'late' } });
  await closed;
  const [answered, refused, silent] = await said;
  t.match(answered, /^HTTP\/1\.1 201 [^]*connection: close\r\n[^]*"late"/i);
  t.match(refused, /^HTTP\/1\.1 503 [^]*connection: close\r\n[^]*"code":"NOT_READY"/i);
  t.equal(silent, '');
});

t.test('a stop does not wait for ever: for the rest of a head, of a body, or for an answer', async (t) => {
  const edge = await makeEdge({ answersWithinMs: 1 });
  const { head, body, known } = await wire(edge);
  const [halfHead, halfBody, unanswered] = [await known(), await known(), await known()];
  const said = Promise.all([halfHead, halfBody, unanswered].map(heard));
  halfHead.write(head.slice(0, 20));
  const begun = once(edge.app.server, 'request');
  halfBody.write(head + body.slice(0, 20));
  await begun;
  // The answer of a later request: the half head has been read, and its connection is no idle one.
  await known();
  const taken = new Promise<void>((resolve) => {
    edge.answers.set('submitOrder', () => {
      resolve();
      return new Promise(() => undefined);
    });
  });
  unanswered.write(head + body);
  await taken;
  await edge.app.close();
  t.same(await said, ['', '', '']);
});

t.test('who waits for a log that cannot be written is told so; what was asked goes on', async (t) => {
  let isStuck = false;
  const edge = await makeEdge({ isStuck: () => isStuck });
  t.teardown(() => edge.app.close());
  let answer: (answer: Answer) => void = () => undefined;
  edge.answers.set('submitOrder', () => new Promise((give) => {
    answer = give;
    isStuck = true;
  }));
  const headers = { authorization: `Bearer ${await edge.token()}`, 'content-type': 'application/json' };
  const told = await fetch(new URL('/v1/orders', await edge.listen()), { method: 'POST', headers, body: JSON.stringify(order) });
  t.match(await told.json(), { status: 503, code: 'NOT_READY', detail: /same id/ });
  t.equal(told.headers.get('retry-after'), '1');
  answer({ status: 201, body: { done: 'late' } });
  t.strictSame(edge.defects, []);
});
