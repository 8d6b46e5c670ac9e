import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import { Buckets, InFlight, Strangers } from '../../gateway/http/bounds.ts';
import { bearerOf, isOurHost, isOurMedia, isOurOrigin } from '../../gateway/http/headers.ts';
import { denial } from '../../gateway/http/errors.ts';
import { SENTENCES, sentenceOfDenial } from '../../gateway/sentences.ts';
import { CHECK_CODES, type Verdict } from '../../risk/domain/verdict.ts';

t.test('buckets', (t) => {
  let nowMs = 0;
  const buckets = new Buckets(20, 3, () => nowMs);
  t.notOk(buckets.empty('a'));
  t.same([1, 2, 3, 4].map(() => buckets.take('a')), [true, true, true, false]);
  t.ok(buckets.empty('a'));
  t.ok(buckets.take('b'), 'keys are apart');
  nowMs += 49;
  t.notOk(buckets.take('a'));
  nowMs += 1;
  t.ok(buckets.take('a'), 'one every 50 ms');
  buckets.giveBack('a');
  t.ok(buckets.take('a'));
  nowMs += 1e9;
  t.same([1, 2, 3, 4].map(() => buckets.take('a')), [true, true, true, false], 'never more than the burst');
  t.end();
});

t.test('strangers: the oldest goes first, the known stay', (t) => {
  const strangers = new Strangers(2, 2);
  const sockets = Array.from({ length: 4 }, () => Object.assign(new EventEmitter(), { destroyed: false, destroy() { this.destroyed = true; } }));
  const [a, b, c, d] = sockets as unknown as (Socket & { destroyed: boolean })[];
  strangers.add(a!);
  strangers.known(a!, 'ann');
  for (const socket of [b!, c!, d!]) strangers.add(socket);
  t.same(sockets.map(({ destroyed }) => destroyed), [false, true, false, false]);
  c!.emit('close');
  t.equal(strangers.size, 1);
  t.end();
});

t.test("a person's oldest connections make room for his newest, and for nobody else's", (t) => {
  const strangers = new Strangers(9, 2);
  const sockets = Array.from({ length: 5 }, () => Object.assign(new EventEmitter(), { destroyed: false, destroy() { this.destroyed = true; } }));
  for (const [i, socket] of (sockets as unknown as Socket[]).entries()) {
    strangers.add(socket);
    strangers.known(socket, i === 1 ? 'bob' : 'ann');
  }
  t.same(sockets.map(({ destroyed }) => destroyed), [true, false, true, false, false]);
  t.end();
});

t.test('room', (t) => {
  const room = new InFlight(1);
  t.same([room.enter(), room.enter()], [true, false]);
  room.leave();
  t.ok(room.enter());
  t.end();
});

t.test('hosts, origins, media, tokens', (t) => {
  for (const host of ['localhost', 'LOCALHOST:8080', '127.0.0.1:1', '[::1]:8080', 'gate.local']) t.ok(isOurHost(host, 'gate.local'), host);
  for (const host of ['', 'evil.example', 'localhost.evil.example', 'localhost:', 'localhost:80:80', 'a@localhost', 'localhost/x', '[::2]']) {
    t.notOk(isOurHost(host, 'gate.local'), host);
  }
  t.ok(isOurOrigin(undefined, 'localhost:1'));
  t.ok(isOurOrigin('http://localhost:1', 'LOCALHOST:1'));
  for (const origin of ['null', '', 'http://localhost', 'http://localhost:2', 'https://localhost:1', 'http://localhost:1.evil.example']) {
    t.notOk(isOurOrigin(origin, 'localhost:1'), origin);
  }
  for (const type of ['application/json', 'Application/JSON; charset=UTF-8', 'application/json;charset="utf-8"']) t.ok(isOurMedia(type, undefined), type);
  const notOurs = [undefined, 'text/plain', 'application/json; charset=latin1', 'application/jsonp', 'application/json, text/plain', 'application/problem+json'];
  for (const type of notOurs) t.notOk(isOurMedia(type, undefined), String(type));
  t.notOk(isOurMedia('application/json', 'identity'));
  t.equal(bearerOf('Bearer a.b.c'), 'a.b.c');
  t.equal(bearerOf('bearer a.b.c'), 'a.b.c');
  const noTokens = [undefined, '', 'Bearer', 'Bearer ', 'Bearer a b', 'Basic a', 'a.b.c', 'Bearer a.b.c, Bearer d'];
  for (const text of noTokens) t.equal(bearerOf(text), null, String(text));
  t.end();
});

t.test('a sentence for every check, made of the verdict’s own values', (t) => {
  const verdict = (code: Verdict['code']): Verdict => ({ code, outcome: 'deny', observed: '3.1', limit: '2.0', unit: 'xEquity' });
  for (const code of CHECK_CODES) t.ok(SENTENCES[code](verdict(code)).length > 10, code);
  t.equal(SENTENCES.GROSS_EXPOSURE(verdict('GROSS_EXPOSURE')), 'Gross exposure of 3.1 × equity is beyond the limit of 2.0 × equity');
  t.equal(sentenceOfDenial([{ ...verdict('LEVERAGE'), outcome: 'pass' }]), 'No part of the request passed the checks.');
  t.match(sentenceOfDenial(CHECK_CODES.map(verdict)), / \d+ more\.$/);
  const answer = denial([verdict('CLOCK')], { receipt: { seq: 1 } });
  const detail = 'The gateway’s clock is not trusted at present.';
  t.match(answer, { status: 422, body: { code: 'DENIED', detail, receipt: { seq: 1 }, verdicts: [{ code: 'CLOCK' }] } });
  t.end();
});
