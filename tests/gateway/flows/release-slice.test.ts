/** Slices: released when due, judged anew, withheld where they must be, and picked up again after a restart. */
import t from 'tap';
import { contentHash } from '../../../compliance/canonical.ts';
import { resumeParents } from '../../../gateway/recovery.ts';
import { toNumber } from '../../../risk/domain/decimal.ts';
import { aim, book, d, flip, houseFor, order, stateOf, submit, target } from './asks.ts';
import type { LogStore } from '../../../compliance/journal.ts';
import { universeJson } from '../../../risk/universe.ts';
import { policyOf, START } from '../../doubles/house.ts';
import type { MemoryStore } from '../../doubles/store.ts';
import { sample } from '../../risk/sample.ts';

const HORIZON_MS = 60_000;

t.test('a parent is worked slice by slice to its end', async (t) => {
  const { house, venue, time, refresh, all } = await houseFor(t);
  venue.habit = 'fills';
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  for (let s = 0; s < 12; s++) {
    refresh();
    await time.advance(5_000);
  }
  t.equal(venue.sent.length, 12, 'a slice each five seconds');
  t.equal(venue.sent.reduce((sum, { orderQty }) => sum + toNumber(orderQty), 0), 1000);
  t.ok(venue.sent.every(({ tif, limitPx }) => tif === 'ioc' && limitPx !== null));
  t.equal(book(house), 'qty 1000 buy 0 sell 0');
  t.strictSame(all('parent.expired'), []);
  t.equal(house.state.execution.parents.size, 0);
});

t.test('a price that moved against a full limit takes the edge off a slice, and does not stop the parent', async (t) => {
  const { house, venue, time, quote, all } = await houseFor(t, { policy: policyOf({ nameXEquity: 0.1 }) });
  venue.habit = 'fills';
  const { legs } = await aim(house, target(house, 'T1', { IBM: '5000' }));
  t.equal(legs[0]?.deltaQty, '1000', 'clipped to the very limit');
  for (let s = 0; s < 12; s++) {
    quote('IBM', '100.04', '100.06');
    await time.advance(5_000);
  }
  t.strictSame(all('slice.withheld').map(({ why }) => why).filter((why) => why !== 'denied'), []);
  const [first] = all('slice.released');
  t.ok(d(first?.orderQty ?? '0') < d(first?.wantedQty ?? '0'), 'less than was wanted');
  t.equal(book(house), 'qty 999 buy 0 sell 0', 'all that the limit has room for at these prices');
});

t.test('a rotation at the limit: purchases wait for what is sold, and go as it fills', async (t) => {
  const { house, venue, time, refresh, all } = await houseFor(t, { policy: policyOf({ grossXEquity: 0.2 }) });
  await aim(house, target(house, 'T1', { IBM: '1999' }, { horizonSeconds: 5 }));
  await time.advance(0);
  venue.fill(venue.sent[0]?.clOrdId ?? '', '1999');
  t.equal(book(house), 'qty 1999 buy 0 sell 0');
  refresh();
  const { decided } = await aim(house, target(house, 'T2', { SPY: '1999', IBM: '0' }, { horizonSeconds: 9 }));
  t.equal(decided.decision, 'accepted');
  await time.advance(0);
  t.strictSame(venue.sent.slice(1).map(({ symbol }) => symbol), ['IBM'], 'sold first, whatever the order of the legs');
  t.match(all('slice.withheld'), [{ symbol: 'SPY', verdicts: [{ code: 'GROSS_EXPOSURE', outcome: 'deny' }] }]);
  await time.advance(2_000);
  t.equal(all('slice.withheld').length, 1, 'that it still waits is no news');
  const sale = venue.sent.at(-1);
  venue.fill(sale?.clOrdId ?? '', '1500');
  await time.advance(1_000);
  t.match(all('slice.released').at(-1), { symbol: 'SPY', orderQty: '1500', wantedQty: '1999' });
  venue.fill(venue.sent.at(-1)?.clOrdId ?? '', '1500');
  venue.fill(sale?.clOrdId ?? '', '499');
  await time.advance(3_000);
  t.match(all('slice.released').at(-1), { symbol: 'SPY', orderQty: '1500' }, 'ever more seldom');
  await time.advance(1_000);
  t.match(all('slice.released').at(-1), { symbol: 'SPY', orderQty: '499' });
  await time.advance(1_000);
  t.strictSame(venue.sent.length, 4, 'and that was all');
});

t.test('what waits for room outlives a quote that is missing for a second, and a restart', async (t) => {
  const tight = { policy: policyOf({ grossXEquity: 0.2 }) };
  const first = await houseFor(t, tight);
  await aim(first.house, target(first.house, 'T1', { IBM: '1999' }, { horizonSeconds: 5 }));
  await first.time.advance(0);
  first.venue.fill(first.venue.sent[0]?.clOrdId ?? '', '1999');
  first.refresh();
  await aim(first.house, target(first.house, 'T2', { SPY: '1999', IBM: '0' }, { horizonSeconds: 9 }));
  await first.time.advance(0);
  const sale = first.venue.sent[1]?.clOrdId ?? '';
  first.venue.fill(sale, '1000');
  first.market.clear('SPY');
  await first.time.advance(1_000);
  t.equal(first.all('slice.withheld').length, 1, 'no news either');
  first.market.set({ askPx: d('100.01'), askQty: d('9'), at: first.time.now(), bidPx: d('99.99'), bidQty: d('9'), symbol: 'SPY' });
  await first.time.advance(2_000);
  t.match(first.all('slice.released').at(-1), { symbol: 'SPY', orderQty: '1000' });
  first.venue.fill(first.venue.sent.at(-1)?.clOrdId ?? '', '1000');
  first.venue.fill(sale, '999');
  await first.time.settle();
  const { house, time, all } = await houseFor(t, { ...tight, store: first.store, time: first.time, market: first.market });
  resumeParents(house);
  await time.advance(1_000);
  t.match(all('slice.released'), [{ symbol: 'SPY', orderQty: '999' }]);
});

t.test('a slice that its price makes too large for one order goes in parts, each within the limit', async (t) => {
  const { house, venue, time, all } = await houseFor(t, { policy: policyOf({ orderNotionalMax: d('100000') }) });
  venue.habit = 'fills';
  const { legs } = await aim(house, target(house, 'T1', { IBM: '1000' }, { horizonSeconds: 3 }));
  t.match(legs, [{ decision: 'accepted', deltaQty: '1000' }], 'by its mid of 100 it is at the limit');
  await time.advance(3_000);
  const [first, second, ...more] = all('slice.released');
  t.match([first, second, more], [{ orderQty: '999', wantedQty: '1000' }, { orderQty: '1' }, []], 'by what it may pay it is beyond it');
  t.equal(book(house), 'qty 1000 buy 0 sell 0');
});

t.test('what the quantity of an order bounds is not gone around in parts', async (t) => {
  const first = await houseFor(t);
  await aim(first.house, target(first.house, 'T1', { IBM: '1000' }));
  const { policy: { limits }, universe: listed } = sample;
  const ibm = listed.get('IBM')!;
  const universe = new Map([...listed, ['IBM', { ...ibm, advQty: 50 / limits.orderQtyMaxAdvFraction }]]);
  const thinner = { ...sample, universe, universeHash: contentHash(universeJson(universe)) };
  const { house, time, all } = await houseFor(t, { policy: thinner, store: first.store });
  resumeParents(house);
  await time.advance(0);
  t.strictSame(all('slice.released'), [], 'a part of 50 would fit');
  t.match(all('slice.withheld'), [{ verdicts: [{ code: 'MAX_ORDER_QTY', outcome: 'deny' }] }]);
});

t.test('what an immediate order left unfilled goes with the next slice', async (t) => {
  const { house, venue, time } = await houseFor(t);
  venue.habit = 'cancels';
  const { legs } = await aim(house, target(house, 'T1', { IBM: '1000' }));
  const [, second] = legs[0]?.schedule ?? [];
  await time.advance(0);
  t.equal(book(house), 'qty 0 buy 1000 sell 0');
  await time.advance(5_000);
  t.equal(venue.sent.length, 2);
  t.equal(venue.sent[1]?.orderQty, d(second ?? '0'), 'the whole that is due by then');
});

t.test('what the last one left unfilled is sent again until the horizon ends', async (t) => {
  const { house, venue, time, refresh, all } = await houseFor(t);
  venue.habit = 'cancels';
  await aim(house, target(house, 'T1', { IBM: '1000' }, { horizonSeconds: 9 }));
  await time.advance(1_000);
  t.equal(venue.sent.length, 2, 'at once, and a second later');
  venue.habit = 'fills';
  refresh();
  await time.advance(2_000);
  t.equal(book(house), 'qty 1000 buy 0 sell 0');
  await time.advance(6_000);
  t.equal(venue.sent.length, 3);
  t.strictSame(all('parent.expired'), []);
});

t.test('a slice that is still at work is not released again', async (t) => {
  const { house, venue, time } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(5_000);
  const total = venue.sent.reduce((sum, { orderQty }) => sum + orderQty, 0n);
  const due = house.state.execution.parents.values().next().value?.schedule[1];
  t.equal(total, d(due ?? '0'));
});

t.test('the end of the horizon', async (t) => {
  const { house, venue, time, all, refresh } = await houseFor(t);
  venue.habit = 'cancels';
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(HORIZON_MS - 1_000);
  refresh();
  await time.advance(1_000);
  const [expired] = all('parent.expired');
  t.equal(expired?.leavesQty, '1000');
  t.equal(expired?.endPx, '100');
  t.equal(book(house), 'qty 0 buy 0 sell 0');
  await t.test('cancels what still works', async (t) => {
    const { house, venue, time } = await houseFor(t);
    await aim(house, target(house, 'T1', { IBM: '1000' }));
    await time.advance(HORIZON_MS);
    t.strictSame(venue.cancels, venue.sent.map(({ clOrdId }) => clOrdId));
    for (const { clOrdId } of venue.sent) venue.end('canceled', clOrdId);
    t.equal(book(house), 'qty 0 buy 0 sell 0');
  });
  await t.test('without a quote has no price, and is none', async (t) => {
    const { house, venue, time, market, all } = await houseFor(t);
    venue.habit = 'cancels';
    await aim(house, target(house, 'T1', { IBM: '1000' }));
    market.clear('IBM');
    await time.advance(HORIZON_MS);
    t.equal(all('parent.expired')[0]?.endPx, null);
  });
});

t.test('a slice is withheld and recorded', async (t) => {
  await t.test('without a quote', async (t) => {
    const { house, venue, time, market, all } = await houseFor(t);
    await aim(house, target(house, 'T1', { IBM: '1000' }));
    market.clear('IBM');
    await time.advance(0);
    const [withheld] = all('slice.withheld');
    t.match(withheld, { account: 'ACC1', clOrdId: null, decision: 'denied', strategy: 'alpha-1', symbol: 'IBM' });
    t.ok(withheld?.verdicts.some(({ code, outcome }) => code === 'FACT_MISSING' && outcome === 'deny'));
    t.equal(venue.sent.length, 0);
    t.equal(book(house), 'qty 0 buy 1000 sell 0', 'the parent waits for its next slice');
    market.set({ askPx: d('100.01'), askQty: d('9'), at: time.now(), bidPx: d('99.99'), bidQty: d('9'), symbol: 'IBM' });
    await time.advance(5_000);
    t.equal(venue.sent.length, 1);
  });
  await t.test('with a stale one', async (t) => {
    const { house, venue, time, all } = await houseFor(t);
    await aim(house, target(house, 'T1', { IBM: '1000' }, { horizonSeconds: 600 }));
    await time.advance(0);
    await time.advance(61_000);
    t.ok(all('slice.withheld').some(({ verdicts }) => verdicts.some(({ code }) => code === 'MARKET_DATA_STALE')));
    t.equal(venue.sent.length, 2, 'one at once, one after thirty seconds');
  });
  await t.test('when a switch flips between its record and its send', async (t) => {
    for (const state of ['halted', 'reducing'] as const) {
      const flips: Promise<unknown>[] = [];
      const scope = { id: 'IBM', kind: 'instrument' } as const;
      const made = await houseFor(t, { disk: (store) => onRelease(store, () => flips.push(flip(made.house, { cancel: 'none', scope, state }))) });
      const { house, venue, time, all } = made;
      await aim(house, target(house, 'T1', { IBM: '1000' }));
      await time.advance(0);
      await Promise.all(flips);
      t.equal(all('slice.released').length, 1, `${state}: released`);
      t.strictSame(venue.sent, [], `${state}: and not sent`);
      const [withheld] = all('slice.withheld');
      t.match(withheld, { account: 'ACC1', clOrdId: all('slice.released')[0]?.clOrdId });
      t.equal(withheld?.verdicts[0]?.code, `SWITCH_${state.toUpperCase()}`);
      t.equal(book(house), 'qty 0 buy 1000 sell 0', 'the parent lives, nothing more is reserved');
    }
  });
});

/** Does something else while the record of a slice is on its way to the disk. */
const onRelease = (store: MemoryStore, run: () => void): LogStore => ({
  ...store,
  append(lines) {
    if (lines.some(({ canonical }) => canonical.includes('"kind":"slice.released"'))) run();
    return store.append(lines);
  },
});

t.test('a late fill of a slice keeps the next one back: together they are never more than the parent', async (t) => {
  let late = (): void => undefined;
  const { house, venue, time, refresh, all } = await houseFor(t, { disk: (store) => onRelease(store, () => { late(); }) });
  const { legs } = await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(0);
  const [first] = venue.sent;
  if (first === undefined) throw new Error('nothing was sent');
  venue.end('canceled', first.clOrdId);
  late = () => {
    late = () => undefined;
    venue.tell({ kind: 'filled', clOrdId: first.clOrdId, execId: 'LATE', lastQty: d('900'), lastPx: d('100'), cumQty: d('900'), leavesQty: d('0'), fee: d('0'), liquidity: 'taker' });
  };
  refresh();
  await time.advance(5_000);
  t.match(all('slice.withheld'), [{ why: 'exceeds', clOrdId: all('slice.released')[1]?.clOrdId, verdicts: [] }]);
  t.equal(venue.sent.length, 1);
  t.equal(legs[0]?.deltaQty, '1000');
  t.equal(book(house), 'qty 900 buy 100 sell 0', 'what is left of the parent stays reserved');
});

t.test('slices carry the attribution of their target', async (t) => {
  const attribution = { algorithmId: 'ALGO7', capacity: 'DEAL', client: 'CLIENT7', desk: 'DESK7', trader: 'TRADER7' } as const;
  await t.test('a switch of the registered trader is not theirs', async (t) => {
    const { house, venue, time } = await houseFor(t);
    await aim(house, target(house, 'T1', { IBM: '1000' }, { attribution }));
    await flip(house, { scope: { id: 'TRADER1', kind: 'trader' } });
    await time.advance(0);
    t.equal(venue.sent.length, 1);
  });
  await t.test('that of their own trader is', async (t) => {
    const { house, venue, time, all } = await houseFor(t);
    await aim(house, target(house, 'T1', { IBM: '1000' }, { attribution }));
    await flip(house, { cancel: 'none', scope: { id: 'TRADER7', kind: 'trader' }, state: 'reducing' });
    await time.advance(0);
    t.equal(venue.sent.length, 0);
    t.equal(all('slice.withheld')[0]?.clOrdId, null, 'denied by the decision, not only at the last look');
  });
});

t.test('a closing passes under a halt where the policy arms it, and nothing else does', async (t) => {
  const policy = policyOf({}, { closingUnderHalt: [{ id: 'ACC1', kind: 'account' }] });
  const { house, venue, time } = await houseFor(t, { policy });
  venue.habit = 'fills';
  await submit(house, order('A'));
  await time.settle();
  await flip(house, { scope: { id: 'ACC1', kind: 'account' } });
  const closed = await submit(house, order('B', { side: 'sell', orderQty: d('60') }));
  await time.settle();
  t.equal(closed.decided.body.decision, 'accepted');
  t.equal(book(house), 'qty 40 buy 0 sell 0');
  t.equal((await submit(house, order('C'))).decided.body.decision, 'denied');
});

t.test('new work waits, and goes as soon as it is taken again', async (t) => {
  let isOpen = true;
  const { house, venue, time } = await houseFor(t, { admits: () => isOpen });
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  isOpen = false;
  await time.advance(5_000);
  t.strictSame(venue.sent, []);
  isOpen = true;
  await time.advance(5_000);
  const [, second, third] = house.state.execution.parents.values().next().value?.schedule ?? [];
  t.strictSame(venue.sent.map(({ orderQty }) => orderQty), [d(second ?? '0'), d(third ?? '0') - d(second ?? '0')]);
});

t.test('a restart', async (t) => {
  await t.test('with several slices overdue releases one', async (t) => {
    const first = await houseFor(t);
    first.venue.habit = 'fills';
    await aim(first.house, target(first.house, 'T1', { IBM: '1000' }));
    await first.time.advance(0);
    const done = first.venue.sent[0]?.orderQty ?? 0n;
    first.time.set(START);
    const { house, venue, time, refresh } = await houseFor(t, { store: first.store });
    time.set((START + 17_000_000_000n) as typeof START);
    refresh();
    resumeParents(house);
    await time.advance(0);
    const { schedule } = house.state.execution.parents.values().next().value ?? {};
    t.strictSame(venue.sent.map(({ orderQty }) => orderQty), [d(schedule?.[3] ?? '0') - done]);
  });
  await t.test('after the horizon ends the parent', async (t) => {
    const first = await houseFor(t);
    await aim(first.house, target(first.house, 'T1', { IBM: '1000' }));
    const { house, venue, time, all } = await houseFor(t, { store: first.store });
    time.set((START + 100_000_000_000n) as typeof START);
    resumeParents(house);
    await time.advance(0);
    await time.advance(0);
    t.equal(all('parent.expired').length, 1);
    t.strictSame(venue.sent, []);
    t.equal(book(house), 'qty 0 buy 0 sell 0');
  });
  await t.test('asks about what was on its way, sends nothing twice', async (t) => {
    const first = await houseFor(t);
    first.venue.habit = 'silent';
    await aim(first.house, target(first.house, 'T1', { IBM: '1000' }));
    await first.time.advance(0);
    const lost = first.venue.sent[0]?.clOrdId ?? '';
    const { house, venue } = await houseFor(t, { store: first.store });
    t.strictSame(venue.asked, [lost]);
    t.equal(stateOf(house, lost), 'unknown');
    t.equal(book(house), 'qty 0 buy 1000 sell 0');
    venue.tell({ kind: 'absent', clOrdId: lost });
    t.equal(stateOf(house, lost), 'rejected');
    t.strictSame(venue.sent, []);
  });
});
