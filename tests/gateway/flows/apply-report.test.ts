/** Venue reports: counted once, late ones too, and lies break nothing but themselves. */
import t from 'tap';
import { LogUnreadable } from '../../../compliance/journal.ts';
import { parseDecimal, ZERO } from '../../../risk/domain/decimal.ts';
import { findChild } from '../../../execution/state.ts';
import { formatInstant, instant, NS_PER_DAY, type Ns } from '../../../risk/domain/time.ts';
import { applyReport } from '../../../gateway/flows/apply-report.ts';
import { policyInForce } from '../../../gateway/house.ts';
import { testHouse, type TestHouse } from '../../doubles/house.ts';
import { amend, book, cancel, d, houseFor, order, stateOf, submit } from './asks.ts';

const fillOf = (clOrdId: string, lastQty: string, cumQty: string, more: { readonly lastPx?: string; readonly sourceSeq?: number } = {}) => ({
  kind: 'filled' as const, clOrdId, execId: `E-${cumQty}`, lastQty: d(lastQty), lastPx: d(more.lastPx ?? '100'), cumQty: d(cumQty), leavesQty: ZERO, fee: ZERO,
  liquidity: 'taker' as const, ...(more.sourceSeq === undefined ? {} : { sourceSeq: more.sourceSeq }),
});

/** A house with one working order of 100, acknowledged (sequence 1). */
async function working(...[t, options]: Parameters<typeof houseFor>): Promise<TestHouse & { readonly one: string }> {
  const made = await houseFor(t, options);
  await submit(made.house, order('A'));
  await made.time.settle();
  return { ...made, one: made.venue.sent[0]?.clOrdId ?? '' };
}

t.test('a repeat by its sequence changes nothing and is not recorded', async (t) => {
  const { house, venue, one, log } = await working(t);
  venue.tell(fillOf(one, '30', '30', { sourceSeq: 2 }));
  const before = log.length;
  venue.tell(fillOf(one, '30', '30', { sourceSeq: 2 }));
  venue.tell({ kind: 'acknowledged', clOrdId: one, sourceSeq: 1 });
  t.equal(log.length, before);
  t.equal(book(house), 'qty 30 buy 70 sell 0');
});

t.test('what a lying venue says', async (t) => {
  const rows: readonly { name: string; tell: (house: TestHouse, one: string) => void; book: string; breaks: number; state?: string }[] = [
    { name: 'the same execution under another sequence', breaks: 1, book: 'qty 30 buy 70 sell 0', tell({ venue }, one) {
      venue.tell(fillOf(one, '30', '30', { sourceSeq: 2 }));
      venue.tell(fillOf(one, '30', '30', { sourceSeq: 3 }));
    } },
    { name: 'more than was ordered: the position is real', breaks: 1, book: 'qty 150 buy 0 sell 0', tell({ venue }, one) { venue.tell(fillOf(one, '150', '150')); } },
    { name: 'a fill after the whole fill', breaks: 1, book: 'qty 110 buy 0 sell 0', tell({ venue }, one) {
      venue.tell(fillOf(one, '100', '100'));
      venue.tell(fillOf(one, '10', '110'));
    } },
    { name: 'a hole in the count', breaks: 1, book: 'qty 10 buy 90 sell 0', tell({ venue }, one) { venue.tell(fillOf(one, '10', '40')); } },
    { name: 'the later fill first: the hole is filled', breaks: 1, book: 'qty 50 buy 50 sell 0', tell({ venue }, one) {
      venue.tell(fillOf(one, '30', '50'));
      venue.tell(fillOf(one, '20', '20'));
    } },
    { name: 'the same execution again while there is a hole', breaks: 2, book: 'qty 10 buy 90 sell 0', tell({ venue }, one) {
      venue.tell(fillOf(one, '10', '40'));
      venue.tell(fillOf(one, '10', '40'));
    } },
    { name: 'another execution of what is counted, and no hole', breaks: 1, book: 'qty 30 buy 70 sell 0', tell({ venue }, one) {
      venue.tell(fillOf(one, '30', '30'));
      venue.tell({ ...fillOf(one, '30', '30'), execId: 'E-OTHER' });
    } },
    { name: 'a fill of nothing', breaks: 1, book: 'qty 0 buy 100 sell 0', tell({ venue }, one) { venue.tell(fillOf(one, '0', '10')); } },
    { name: 'a negative fill', breaks: 1, book: 'qty 0 buy 100 sell 0', tell({ venue }, one) { venue.tell(fillOf(one, '-5', '10')); } },
    { name: 'a fill for nothing', breaks: 1, book: 'qty 0 buy 100 sell 0', tell({ venue }, one) { venue.tell(fillOf(one, '10', '10', { lastPx: '0' })); } },
    { name: 'a fill of more digits than money has', breaks: 1, book: 'qty 0 buy 100 sell 0', tell({ venue }, one) {
      venue.tell(fillOf(one, '2.5', '2.5', { lastPx: '174.123456789012345679' }));
    } },
    { name: 'a fill at no price of this world', breaks: 1, book: 'qty 0 buy 100 sell 0', tell({ venue }, one) {
      venue.tell(fillOf(one, '10', '10', { lastPx: '99999999999999999' }));
    } },
    { name: 'an end with more than was ordered, and then the right one', breaks: 1, book: 'qty 0 buy 0 sell 0', tell({ venue }, clOrdId) {
      for (const cumQty of ['1000000', '0']) venue.tell({ kind: 'canceled', clOrdId, cumQty: d(cumQty) });
    } },
    { name: 'a rejection of what it had accepted', breaks: 1, state: 'new', book: 'qty 0 buy 100 sell 0', tell({ venue }, clOrdId) { venue.tell({ kind: 'rejected', clOrdId, reason: 'NO' }); } },
    { name: 'a duplicate that was never sent', breaks: 1, state: 'new', book: 'qty 0 buy 100 sell 0', tell({ venue }, clOrdId) { venue.tell({ kind: 'rejected', clOrdId, reason: 'DUPLICATE' }); } },
    { name: 'absent about what it had accepted', breaks: 1, state: 'new', book: 'qty 0 buy 100 sell 0', tell({ venue }, clOrdId) { venue.tell({ kind: 'absent', clOrdId }); } },
    { name: 'an order that we do not know', breaks: 1, book: 'qty 0 buy 100 sell 0', tell({ venue }) { venue.tell(fillOf('NOBODY', '10', '10')); } },
    { name: 'a replacement of an order that is none', breaks: 1, state: 'new', book: 'qty 0 buy 100 sell 0', tell({ venue }, clOrdId) {
      venue.tell({ kind: 'replaced', clOrdId, cumQty: ZERO, leavesQty: parseDecimal('5'), origClOrdId: 'NOBODY' });
    } },
    { name: 'an acknowledgement again', breaks: 0, state: 'new', book: 'qty 0 buy 100 sell 0', tell({ venue }, one) { venue.acknowledge(one); } },
    { name: 'a cancel that nobody asked for', breaks: 0, book: 'qty 0 buy 0 sell 0', tell({ venue }, one) { venue.end('canceled', one); } },
    { name: 'a fill after the cancel', breaks: 0, book: 'qty 20 buy 0 sell 0', tell({ venue }, one) {
      venue.end('canceled', one);
      venue.tell(fillOf(one, '20', '20'));
    } },
    { name: 'a cancel that counts fills we have not seen', breaks: 0, book: 'qty 0 buy 40 sell 0', tell({ venue }, clOrdId) { venue.tell({ kind: 'canceled', clOrdId, cumQty: d('40') }); } },
    { name: 'a cancel again, with another total', breaks: 1, book: 'qty 0 buy 0 sell 0', tell({ venue }, clOrdId) {
      for (const cumQty of ['0', '50']) venue.tell({ kind: 'canceled', clOrdId, cumQty: d(cumQty) });
    } },
    { name: 'a cancel with less than was filled', breaks: 1, book: 'qty 40 buy 0 sell 0', tell({ venue }, clOrdId) {
      venue.tell(fillOf(clOrdId, '40', '40'));
      venue.tell({ kind: 'canceled', clOrdId, cumQty: ZERO });
    } },
    { name: 'a cancel after the whole fill', breaks: 1, book: 'qty 100 buy 0 sell 0', tell({ venue }, one) {
      venue.tell(fillOf(one, '100', '100'));
      venue.end('canceled', one);
    } },
  ];
  for (const { name, tell, book: expected, breaks, state } of rows) {
    const made = await working(t);
    tell(made, made.one);
    await made.time.settle();
    t.equal(book(made.house), expected, name);
    t.equal(made.all('break.found').length, breaks, `${name}: breaks`);
    if (state !== undefined) t.equal(stateOf(made.house, made.one), state, `${name}: state`);
    t.strictSame(made.failures, [], `${name}: the house stands`);
    t.equal(made.sequencer.durableSize, made.sequencer.nextSeq, `${name}: and records`);
  }
});

t.test('a quantity that no price fits any more is a break, and the house stands', async (t) => {
  const { house, venue, one, all, failures } = await working(t, { tampers: true });
  venue.tell(fillOf(one, '0.000000000001', '0.000000000001', { lastPx: '100' }));
  venue.tell(fillOf(one, '10', '10.000000000001', { lastPx: '100.0000001' }));
  t.equal(book(house), 'qty 0.000000000001 buy 99.999999999999 sell 0', 'closing part of it would lose a digit');
  t.match(all('break.found').map(({ what }) => what), [/no book can hold: E-10\.000000000001, 10 at 100\.0000001$/]);
  t.strictSame(failures, []);
});

t.test('an order that has ended for us is cancelled where the venue says that it works', async (t) => {
  const { house, venue, time, all } = await houseFor(t);
  venue.habit = 'silent';
  await submit(house, order('A'));
  const one = venue.sent[0]?.clOrdId ?? '';
  venue.connection('down');
  venue.connection('up');
  venue.tell({ kind: 'absent', clOrdId: one });
  t.equal(book(house), 'qty 0 buy 0 sell 0');
  t.strictSame(venue.cancels, []);
  venue.acknowledge(one);
  t.strictSame(venue.cancels, [one]);
  t.equal(all('break.found').length, 1);
  await time.settle();
});

t.test('a sale that the venue dates into a far future settles from when it was told', async (t) => {
  const { house, venue, one, all, time } = await working(t);
  venue.tell(fillOf(one, '100', '100'));
  await submit(house, order('B', { side: 'sell' }));
  applyReport(house, 'PAPER', { ...fillOf(venue.sent[1]?.clOrdId ?? '', '100', '100'), sourceSeq: 99, venueAt: instant('9999-12-31T23:59:59Z') });
  await time.settle();
  const days = policyInForce(house).universe.get('IBM')?.settlementDays ?? 0;
  t.equal(all('order.filled').at(-1)?.settlesAt, formatInstant((time.now() + BigInt(days) * NS_PER_DAY) as Ns));
});

t.test('an error in booking a report ends the house, and not through the venue', async (t) => {
  const { house, venue, time, failures } = await testHouse();
  await submit(house, order('A'));
  await time.settle();
  const sent = venue.sent[0]?.clOrdId ?? '';
  house.state.risk.accounts.clear();
  t.doesNotThrow(() => { venue.tell(fillOf(sent, '30', '30')); });
  t.ok(failures.length > 0);
});

t.test('proceeds of a symbol that has left the universe settle after the longest that there is', async (t) => {
  const { house, venue, one, all, time } = await working(t, { tampers: true });
  venue.tell(fillOf(one, '100', '100'));
  await submit(house, order('B', { side: 'sell' }));
  const { risk } = house.state;
  risk.policy = { ...policyInForce(house), universe: new Map() };
  venue.tell(fillOf(venue.sent[1]?.clOrdId ?? '', '100', '100'));
  await time.settle();
  const [, sale] = all('order.filled');
  t.match(sale, { side: 'sell', settlesAt: formatInstant((time.now() + 10n * NS_PER_DAY) as Ns) });
});

t.test('an unknown outcome', async (t) => {
  await t.test('stays reserved until the venue says that it never came', async (t) => {
    const { house, venue, time } = await houseFor(t);
    venue.habit = 'silent';
    await submit(house, order('A'));
    const one = venue.sent[0]?.clOrdId ?? '';
    venue.connection('down');
    venue.connection('up');
    t.equal(stateOf(house, one), 'unknown');
    t.strictSame(venue.asked, [one]);
    t.equal(book(house), 'qty 0 buy 100 sell 0');
    venue.tell({ kind: 'absent', clOrdId: one });
    await time.settle();
    t.equal(findChild(house.state.execution, one)?.state, 'rejected');
    t.equal(book(house), 'qty 0 buy 0 sell 0');
    t.equal(venue.sent.length, 1, 'a create is never sent again');
  });
  await t.test('is over when the venue turns out to have it', async (t) => {
    const { house, venue } = await houseFor(t);
    venue.habit = 'silent';
    await submit(house, order('A'));
    const one = venue.sent[0]?.clOrdId ?? '';
    venue.connection('down');
    venue.connection('up');
    venue.fill(one, '100');
    t.equal(book(house), 'qty 100 buy 0 sell 0');
  });
  await t.test('is not that of an order whose record is on its way: it leaves when it may', async (t) => {
    const { house, venue, time } = await houseFor(t);
    const submitted = submit(house, order('A'));
    await Promise.resolve();
    await Promise.resolve();
    venue.connection('down');
    venue.connection('up');
    t.strictSame(venue.asked, []);
    await submitted;
    await time.settle();
    t.equal(stateOf(house, venue.sent[0]?.clOrdId ?? ''), 'new');
  });
});

t.test('late words about finished orders are known ones', async (t) => {
  const { house, venue, one, all, time } = await working(t);
  await amend(house, 'A', { orderQty: '150' });
  const two = venue.sent[1]?.clOrdId ?? '';
  await cancel(house, 'A');
  venue.replace(two);
  venue.tell({ kind: 'cancelRejected', clOrdId: one, reason: 'TOO_LATE' });
  venue.end('canceled', two);
  venue.tell({ kind: 'cancelRejected', clOrdId: two, reason: 'TOO_LATE' });
  await time.settle();
  t.strictSame(all('break.found'), []);
  t.equal(book(house), 'qty 0 buy 0 sell 0');
});

/** An order of 100 that the venue has replaced by one of this total. */
async function replacedBy(total: string, ...[t]: Parameters<typeof houseFor>): Promise<Awaited<ReturnType<typeof working>> & { readonly two: string }> {
  const made = await working(t);
  made.venue.habit = 'silent';
  await amend(made.house, 'A', { orderQty: total });
  return { ...made, two: made.venue.sent[1]?.clOrdId ?? '' };
}
const replaced = (clOrdId: string, origClOrdId: string, cumQty: string, leavesQty: string) => ({ kind: 'replaced' as const, clOrdId, origClOrdId, cumQty: d(cumQty), leavesQty: d(leavesQty) });

t.test('one execution, told under an order and under the one that it replaced, is one', async (t) => {
  const { house, venue, one, two, all } = await replacedBy('90', t);
  venue.tell(replaced(two, one, '0', '90'));
  venue.tell(fillOf(two, '40', '40'));
  venue.tell(fillOf(one, '40', '40'));
  t.equal(book(house), 'qty 40 buy 50 sell 0');
  t.equal(all('break.found').length, 1);
});

t.test('a late fill of the replaced order may be the last of the one that replaced it', async (t) => {
  const { house, venue, one, two } = await replacedBy('120', t);
  venue.tell(replaced(two, one, '10', '110'));
  venue.tell({ ...fillOf(two, '110', '120'), execId: 'E2' });
  venue.tell({ ...fillOf(one, '10', '10'), execId: 'E1' });
  t.equal(book(house), 'qty 120 buy 0 sell 0');
  t.equal(house.state.execution.parents.size, 0, 'it is done');
});

t.test('a replacement that leaves nothing is the end of it, also while its fills are on their way', async (t) => {
  const { house, venue, one, two, all } = await replacedBy('60', t);
  venue.tell(replaced(two, one, '60', '0'));
  t.equal(book(house), 'qty 0 buy 60 sell 0', 'what the venue counts stays reserved');
  venue.tell(fillOf(one, '60', '60'));
  t.equal(book(house), 'qty 60 buy 0 sell 0');
  t.equal(house.state.execution.parents.size, 0);
  t.equal(all('break.found').length, 0);
});

t.test('a fill of an order that has left memory is booked once, by what the log says of the order', async (t) => {
  const { house, venue, time, one, all } = await working(t, { tampers: true });
  venue.end('canceled', one);
  await time.settle();
  for (const { young, old } of [house.state.execution.finishedParents, house.state.execution.finishedChildren]) for (const map of [young, old]) map.clear();
  venue.tell(fillOf(one, '30', '30'));
  venue.tell(fillOf(one, '30', '30'));
  await time.settle();
  t.equal(book(house), 'qty 30 buy 0 sell 0');
  venue.tell(fillOf(one, '30', '30'));
  venue.tell(fillOf('NOBODY', '30', '30'));
  await time.settle();
  t.equal(book(house), 'qty 30 buy 0 sell 0');
  t.match(all('order.filled'), [{ clOrdId: one, sourceSeq: 0, lastQty: '30', symbol: 'IBM' }]);
  t.match(all('break.found').map(({ what }) => what), ['filled: an order that memory does not know: E-30, 30 at 100', /E-30/, /E-30/, /E-30/]);
});

t.test('while the log cannot be read, such a fill waits for it', async (t) => {
  const { house, venue, time, one } = await working(t, { tampers: true });
  venue.end('canceled', one);
  await time.settle();
  for (const { young, old } of [house.state.execution.finishedParents, house.state.execution.finishedChildren]) for (const map of [young, old]) map.clear();
  const { records } = house;
  let asked = 0;
  Object.assign(house, { records: () => { asked += 1; return Promise.reject(new LogUnreadable('the database is away')); } });
  venue.tell(fillOf(one, '30', '30'));
  await time.advance(2_500);
  t.equal(asked, 3, 'again each second');
  t.equal(book(house), 'qty 0 buy 0 sell 0');
  Object.assign(house, { records });
  await time.advance(1_000);
  t.equal(book(house), 'qty 30 buy 0 sell 0');
});
