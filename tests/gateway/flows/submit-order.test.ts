/** Direct orders: decided, recorded, sent once; amended, cancelled, repeated. */
import t from 'tap';
import { submitOrder } from '../../../gateway/flows/submit-order.ts';
import { idOf } from '../../../gateway/house.ts';
import { instant } from '../../../risk/domain/time.ts';
import { memoryStore, faultyStore } from '../../doubles/store.ts';
import { amend, book, cancel, d, flip, houseFor, order, stateOf, submit } from './asks.ts';

t.test('nothing is sent before its record is durable, and then once', async (t) => {
  let isStuck = false;
  const { house, venue, time, sequencer } = await houseFor(t, { disk: (store) => faultyStore(store, (call) => (isStuck && call === 'append' ? 'refused' : null)) });
  isStuck = true;
  const answer = submitOrder(house, order('A'));
  await time.settle();
  t.equal(book(house), 'qty 0 buy 100 sell 0', 'reserved from the turn of the decision');
  t.strictSame(venue.sent, [], 'the log does not take it: nothing leaves');
  isStuck = false;
  await time.advance(100);
  t.equal((await answer).outcome, 'decided');
  t.equal(venue.sent.length, 1);
  t.equal(sequencer.durableSize, sequencer.nextSeq);
});

t.test('a repeat', async (t) => {
  await t.test('gets the same answer, and nothing more is recorded or sent', async (t) => {
    const { house, venue, log, time } = await houseFor(t);
    const first = await submit(house, order('A'));
    await time.settle();
    const before = log.length;
    const again = await submit(house, order('A'));
    t.strictSame(again.decided.body, first.decided.body);
    t.strictSame(again.receipt, first.receipt);
    t.equal(again.repeat, true);
    t.equal(log.length, before);
    t.equal(venue.sent.length, 1);
  });
  await t.test('in the same turn is one order', async (t) => {
    const { house, venue, all } = await houseFor(t);
    const answers = await Promise.all([submit(house, order('A')), submit(house, order('A')), submit(house, order('A'))]);
    t.strictSame(answers.map(({ repeat }) => repeat), [false, true, true]);
    t.equal(all('order.decided').length, 1);
    t.equal(venue.sent.length, 1);
    t.equal(book(house), 'qty 0 buy 100 sell 0');
  });
  await t.test('under an id that is ours, or will be, conflicts', async (t) => {
    const { house, log } = await houseFor(t);
    const { decided: { seq } } = await submit(house, order('A'));
    for (const ours of [seq, seq + 1, 1_000]) t.strictSame(await submitOrder(house, order(idOf(house.journal.log, ours))), { outcome: 'conflict' });
    t.equal(log.filter(({ kind }) => kind === 'order.decided').length, 1);
  });
  await t.test('with another body conflicts', async (t) => {
    const { house, all } = await houseFor(t);
    await submit(house, order('A'));
    t.equal((await submitOrder(house, order('A', {}, { requestHash: 'another' }))).outcome, 'conflict');
    t.equal(all('order.decided').length, 1);
  });
  await t.test('of a denied order is denied again', async (t) => {
    const { house, all } = await houseFor(t);
    const denied = await submit(house, order('A', { symbol: 'NOPE' }));
    t.equal(denied.decided.body.decision, 'denied');
    t.strictSame((await submit(house, order('A', { symbol: 'NOPE' }))).decided.body, denied.decided.body);
    t.equal(all('slice.released').length, 0);
  });
});

t.test('what keeps an order in the house', async (t) => {
  const rows = [
    { name: 'a side without interest is a missing fact', make: { terms: { symbol: 'AIG' } }, code: 'FACT_MISSING' },
    { name: 'half a lot', make: { terms: { orderQty: d('0.5') } }, code: 'LOT_SIZE' },
    { name: 'a strategy of nobody', make: { terms: { strategy: 'beta' } }, code: 'PERMISSION' },
    { name: 'far from the market', make: { terms: { limitPx: d('150') } }, code: 'PRICE_COLLAR' },
  ];
  for (const { name, make, code } of rows) {
    const { house, market, venue, time } = await houseFor(t);
    market.set({ symbol: 'AIG', bidPx: d('99'), bidQty: d('1'), askPx: d('0'), askQty: d('0'), at: time.now() });
    const { decided } = await submit(house, order('A', make.terms));
    t.ok(decided.body.verdicts.some((verdict) => verdict.code === code && verdict.outcome === 'deny'), name);
    t.equal(venue.sent.length, 0, name);
    t.match(book(house), /buy 0 sell 0/, name);
  }
});

t.test('an amendment', async (t) => {
  await t.test('up and down: the larger is reserved until the venue has replaced', async (t) => {
    const { house, venue, time } = await houseFor(t);
    await submit(house, order('A'));
    await time.settle();
    await amend(house, 'A', { orderQty: '150' });
    t.equal(book(house), 'qty 0 buy 150 sell 0', 'up: at once');
    venue.replace(venue.sent[1]?.clOrdId ?? '');
    await amend(house, 'A', { orderQty: '60' });
    t.equal(book(house), 'qty 0 buy 150 sell 0', 'down: not before the venue says so');
    venue.replace(venue.sent[2]?.clOrdId ?? '');
    t.equal(book(house), 'qty 0 buy 60 sell 0');
    t.equal(stateOf(house, venue.sent[2]?.clOrdId ?? ''), 'new');
  });
  await t.test('refused by the venue leaves the order as it was', async (t) => {
    const { house, venue, time } = await houseFor(t);
    venue.habit = 'silent';
    await submit(house, order('A'));
    const [first] = venue.sent;
    venue.acknowledge(first?.clOrdId ?? '');
    await amend(house, 'A', { orderQty: '150' });
    venue.tell({ kind: 'rejected', clOrdId: venue.sent[1]?.clOrdId ?? '', reason: 'NO' });
    await time.settle();
    t.equal(book(house), 'qty 0 buy 100 sell 0');
    t.equal(stateOf(house, first?.clOrdId ?? ''), 'new');
  });
  await t.test('raced by a fill: nothing is counted twice', async (t) => {
    const { house, venue } = await houseFor(t);
    venue.habit = 'silent';
    await submit(house, order('A'));
    const one = venue.sent[0]?.clOrdId ?? '';
    venue.acknowledge(one);
    await amend(house, 'A', { orderQty: '150' });
    const two = venue.sent[1]?.clOrdId ?? '';
    venue.fill(one, '40');
    t.equal(book(house), 'qty 40 buy 110 sell 0');
    venue.replace(two);
    venue.fill(two, '110');
    t.equal(book(house), 'qty 150 buy 0 sell 0');
  });
  await t.test('overtaken by the whole fill ends with it', async (t) => {
    const { house, venue } = await houseFor(t);
    venue.habit = 'silent';
    await submit(house, order('A'));
    const one = venue.sent[0]?.clOrdId ?? '';
    venue.acknowledge(one);
    await amend(house, 'A', { orderQty: '150' });
    venue.fill(one, '100');
    t.equal(book(house), 'qty 100 buy 50 sell 0', 'the replacement may still come');
    venue.tell({ kind: 'rejected', clOrdId: venue.sent[1]?.clOrdId ?? '', reason: 'TOO_LATE' });
    t.equal(book(house), 'qty 100 buy 0 sell 0');
  });
  await t.test('is judged on the order it would become, and refused where nothing can be replaced', async (t) => {
    const { house, venue, time, all } = await houseFor(t);
    await submit(house, order('A'));
    await time.settle();
    const answer = await amend(house, 'A', { orderQty: '90000' });
    t.equal(answer.outcome === 'decided' && answer.decided.body.decision, 'denied');
    t.equal(book(house), 'qty 0 buy 100 sell 0');
    t.equal(venue.sent.length, 1);
    t.strictSame(await amend(house, 'B', { orderQty: '1' }), { outcome: 'unknown' });
    venue.fill(venue.sent[0]?.clOrdId ?? '', '40');
    t.strictSame(await amend(house, 'A', { orderQty: '40' }), { outcome: 'done' });
    venue.habit = 'silent';
    await amend(house, 'A', { orderQty: '120' });
    const second = amend(house, 'A', { orderQty: '130' });
    await time.advance(1_000);
    t.strictSame(await second, { outcome: 'done' }, 'one at a time: the venue has not answered');
    t.equal(all('slice.released').length, 2);
  });
  await t.test('waits for the venue where the order, or its replacement, has only just been sent', async (t) => {
    const { house, venue, time } = await houseFor(t);
    venue.habit = 'silent';
    await submit(house, order('A'));
    const first = amend(house, 'A', { orderQty: '150' });
    await time.settle();
    t.equal(venue.sent.length, 1, 'a venue replaces only what it has acknowledged');
    venue.acknowledge(venue.sent[0]?.clOrdId ?? '');
    t.match(await first, { outcome: 'decided' });
    const second = amend(house, 'A', { orderQty: '60' });
    venue.replace(venue.sent[1]?.clOrdId ?? '');
    t.match(await second, { outcome: 'decided' });
    t.equal(venue.sent[2]?.origClOrdId, venue.sent[1]?.clOrdId);
    venue.replace(venue.sent[2]?.clOrdId ?? '');
    t.equal(book(house), 'qty 0 buy 60 sell 0');
    await submit(house, order('B'));
    const third = amend(house, 'B', { orderQty: '150' });
    venue.tell({ kind: 'rejected', clOrdId: venue.sent[3]?.clOrdId ?? '', reason: 'NO' });
    t.strictSame(await third, { outcome: 'done' });
  });
  await t.test('of an order that the venue is asked about has to wait', async (t) => {
    const { house, venue } = await houseFor(t);
    venue.habit = 'silent';
    await submit(house, order('A'));
    venue.connection('down');
    venue.connection('up');
    t.equal(stateOf(house, venue.sent[0]?.clOrdId ?? ''), 'unknown');
    t.strictSame(await amend(house, 'A', { orderQty: '120' }), { outcome: 'done' });
  });
});

t.test('a cancel', async (t) => {
  await t.test('keeps the reservation until the venue says so', async (t) => {
    const { house, venue, time } = await houseFor(t);
    await submit(house, order('A'));
    await time.settle();
    const one = venue.sent[0]?.clOrdId ?? '';
    t.equal((await cancel(house, 'A')).outcome, 'requested');
    t.strictSame(venue.cancels, [one]);
    t.equal(book(house), 'qty 0 buy 100 sell 0');
    venue.end('canceled', one);
    t.equal(book(house), 'qty 0 buy 0 sell 0');
    t.strictSame(await cancel(house, 'A'), { outcome: 'done' });
    t.strictSame(await cancel(house, 'Z'), { outcome: 'unknown' });
  });
  await t.test('racing a fill: both count, and the late word about it is no break', async (t) => {
    const { house, venue, time, all } = await houseFor(t);
    await submit(house, order('A'));
    await time.settle();
    const one = venue.sent[0]?.clOrdId ?? '';
    await cancel(house, 'A');
    venue.fill(one, '100');
    venue.tell({ kind: 'cancelRejected', clOrdId: one, reason: 'TOO_LATE' });
    await time.settle();
    t.equal(book(house), 'qty 100 buy 0 sell 0');
    t.strictSame(all('break.found'), []);
  });
  await t.test('before its order has left: the order stays', async (t) => {
    const { house, venue, time, all } = await houseFor(t);
    const submitted = submit(house, order('A'));
    await Promise.resolve();
    await Promise.resolve();
    const cancelled = cancel(house, 'A');
    await Promise.all([submitted, cancelled]);
    await time.settle();
    t.strictSame(venue.sent, [], 'what is cancelled before it was sent is not sent');
    t.strictSame(venue.cancels, [], 'and the venue is not asked to cancel what it never saw');
    t.equal(all('slice.withheld').length, 1);
    t.equal(book(house), 'qty 0 buy 0 sell 0');
  });
  await t.test('while an amendment is on its way reaches both orders', async (t) => {
    const { house, venue, time } = await houseFor(t);
    venue.habit = 'silent';
    await submit(house, order('A'));
    const one = venue.sent[0]?.clOrdId ?? '';
    venue.acknowledge(one);
    await amend(house, 'A', { orderQty: '150' });
    const two = venue.sent[1]?.clOrdId ?? '';
    await cancel(house, 'A');
    t.strictSame(venue.cancels, [one, two]);
    venue.tell({ kind: 'rejected', clOrdId: two, reason: 'REPLACE_TERMS' });
    venue.end('canceled', one);
    await time.settle();
    t.equal(book(house), 'qty 0 buy 0 sell 0');
  });
  await t.test('can be asked for again', async (t) => {
    const { house, venue, time } = await houseFor(t);
    await submit(house, order('A'));
    await time.settle();
    await cancel(house, 'A');
    t.equal((await cancel(house, 'A')).outcome, 'requested');
    t.equal(venue.cancels.length, 2);
  });
});

t.test('gtd: the venue ends it, and the reservation with it', async (t) => {
  const { house, venue, time } = await houseFor(t);
  await submit(house, order('A', { tif: 'gtd', expireAt: instant('2026-11-20T09:31:00Z') }));
  await time.settle();
  const one = venue.sent[0]?.clOrdId ?? '';
  t.equal(venue.sent[0]?.expireAt, instant('2026-11-20T09:31:00Z'));
  venue.fill(one, '30');
  venue.end('expired', one);
  t.equal(book(house), 'qty 30 buy 0 sell 0');
  t.strictSame(await amend(house, 'A', { orderQty: '200' }), { outcome: 'done' });
});

t.test('the last look', async (t) => {
  const rows = [
    { name: 'halted meanwhile', state: 'halted' as const, cancel: 'none' as const },
    { name: 'reducing meanwhile, and it opens', state: 'reducing' as const, cancel: 'none' as const },
    { name: 'halted and cancelled meanwhile', state: 'halted' as const, cancel: 'working' as const },
    { name: 'reducing and cancelled meanwhile', state: 'reducing' as const, cancel: 'working' as const },
  ];
  for (const { name, state, cancel: how } of rows) {
    const { house, venue, time, all } = await houseFor(t);
    const submitted = submit(house, order('A'));
    await Promise.resolve();
    await Promise.resolve();
    const flipped = flip(house, { cancel: how, scope: { id: 'alpha-1', kind: 'strategy' }, state });
    await Promise.all([submitted, flipped]);
    await time.settle();
    t.strictSame(venue.sent, [], name);
    t.strictSame(venue.cancels, [], name);
    t.equal(all('slice.withheld').length, 1, name);
    t.equal(book(house), 'qty 0 buy 0 sell 0', `${name}: nothing stays reserved`);
    t.strictSame(all('break.found'), [], name);
  }
  await t.test('a reduction passes where only reducing came between', async (t) => {
    const { house, venue, time } = await houseFor(t);
    venue.habit = 'fills';
    await submit(house, order('A'));
    await time.settle();
    const submitted = submit(house, order('B', { side: 'sell', orderQty: d('60') }));
    await Promise.resolve();
    await Promise.resolve();
    const flipped = flip(house, { cancel: 'none', state: 'reducing' });
    await Promise.all([submitted, flipped]);
    await time.settle();
    t.equal(venue.sent.length, 2);
    t.equal(book(house), 'qty 40 buy 0 sell 0');
  });
});

t.test('memory forgets, the log does not', async (t) => {
  const store = memoryStore();
  const { house, venue } = await houseFor(t, { store, tampers: true });
  await submit(house, order('A'));
  const { ids } = house.state.execution;
  ids.young.clear();
  house.state.execution.forgotten = true;
  const again = await Promise.all([submit(house, order('A')), submit(house, order('A'))]);
  t.strictSame(again.map(({ repeat }) => repeat), [true, true]);
  t.equal(venue.sent.length, 1);
  const news = await Promise.all([submit(house, order('B')), submit(house, order('B'))]);
  t.strictSame(news.map(({ repeat }) => repeat), [false, true]);
});
