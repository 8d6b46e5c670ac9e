/** Target portfolios: what a newer one takes over, what it leaves alone, and what it plans. */
import t from 'tap';
import { submitTarget } from '../../../gateway/flows/submit-target.ts';
import { withdrawTarget } from '../../../gateway/flows/withdraw.ts';
import type { TargetPortfolio } from '../../../risk/domain/target.ts';
import { ALICE, policyOf } from '../../doubles/house.ts';
import { faultyStore } from '../../doubles/store.ts';
import { aim, book, d, flip, houseFor, order, submit, target } from './asks.ts';

t.test('a newer target takes over from its strategy, in its symbols', async (t) => {
  const rows: readonly { name: string; newer: Readonly<Record<string, string>>; more?: Partial<TargetPortfolio>; ends: string[]; cancels: string[]; ibm: string; spy: string }[] = [
    { name: 'listed', newer: { IBM: '400' }, ends: ['IBM'], cancels: ['IBM'], ibm: 'qty 0 buy 400 sell 0', spy: 'qty 0 buy 1000 sell 0' },
    { name: 'complete', newer: { IBM: '400' }, more: { scope: 'complete' }, ends: ['IBM', 'SPY'], cancels: ['IBM', 'SPY'], ibm: 'qty 0 buy 400 sell 0', spy: 'qty 0 buy 50 sell 50' },
    { name: 'another strategy', newer: { IBM: '400' }, more: { strategy: 'alpha-2' }, ends: [], cancels: [], ibm: 'qty 0 buy 1000 sell 0', spy: 'qty 0 buy 1000 sell 0' },
    { name: 'denied', newer: { IBM: '400000' }, more: { mode: 'all_or_none' }, ends: [], cancels: [], ibm: 'qty 0 buy 1000 sell 0', spy: 'qty 0 buy 1000 sell 0' },
  ];
  for (const { name, newer, more, ends, cancels, ibm, spy } of rows) {
    const { house, venue, time, all } = await houseFor(t);
    await aim(house, target(house, 'T1', { IBM: '1000', SPY: '1000' }));
    await time.settle();
    await time.advance(0);
    const sent = venue.sent.map(({ symbol, orderQty }) => ({ symbol, orderQty }));
    t.strictSame(sent.map(({ symbol }) => symbol), ['IBM', 'SPY'], `${name}: the first slices left`);
    const [slice] = sent;
    await aim(house, target(house, 'T2', newer, more));
    const { parents } = house.state.execution;
    const ended = [...parents.values()].filter((parent) => parent.targetId === 'T1' && parent.end?.reason === 'superseded').map(({ symbol }) => symbol);
    t.strictSame(ended, ends, `${name}: parents`);
    t.strictSame(venue.cancels.map((id) => venue.sent.find(({ clOrdId }) => clOrdId === id)?.symbol), cancels, `${name}: cancels`);
    t.strictSame(all('cancel.requested').map(({ symbol }) => symbol), cancels, `${name}: cancels are recorded`);
    t.ok((slice?.orderQty ?? 0n) < d('400'), 'a slice is not the whole');
    // What is in flight stays reserved beside what the newer target adds to it; a closing is reserved on the other side.
    const inFlight = (text: string): string => text.replaceAll('50', String((slice?.orderQty ?? 0n) / d('1')));
    t.equal(book(house), ibm, `${name}: IBM`);
    t.equal(book(house, 'SPY'), inFlight(spy), `${name}: SPY`);
  }
});

t.test('what is in flight stays reserved until the venue says', async (t) => {
  const { house, venue, time } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(0);
  const [slice] = venue.sent;
  await aim(house, target(house, 'T2', { IBM: '0' }));
  const inFlight = String((slice?.orderQty ?? 0n) / d('1'));
  t.equal(book(house), `qty 0 buy ${inFlight} sell ${inFlight}`, 'its worst case, and the closing of it');
  venue.fill(slice?.clOrdId ?? '', '10');
  t.equal(book(house), `qty 10 buy ${String(Number(inFlight) - 10)} sell ${inFlight}`, 'a fill that beats the cancel counts');
  venue.end('canceled', slice?.clOrdId ?? '');
  t.equal(book(house), `qty 10 buy 0 sell ${inFlight}`);
});

t.test('complete ends also what neither works nor is held', async (t) => {
  const { house, venue, time, market } = await houseFor(t);
  market.clear('SPY');
  await aim(house, target(house, 'T0', { IBM: '100' }));
  const spy = house.market.quote('IBM');
  market.set({ ...(spy ?? never()), symbol: 'SPY' });
  venue.habit = 'cancels';
  await aim(house, target(house, 'T1', { SPY: '1000' }));
  await time.advance(0);
  t.equal(venue.sent.at(-1)?.symbol, 'SPY', 'an immediate order found nobody');
  t.equal(book(house, 'SPY'), 'qty 0 buy 1000 sell 0', 'the wish lives on');
  await aim(house, target(house, 'T2', { IBM: '100' }, { scope: 'complete' }));
  t.equal(book(house, 'SPY'), 'qty 0 buy 0 sell 0');
  const sent = venue.sent.length;
  await time.advance(61_000);
  t.strictSame(venue.sent.slice(sent).filter(({ symbol }) => symbol === 'SPY'), []);
});
const never = (): never => { throw new Error('there is a quote'); };

t.test('complete closes only the book of its strategy', async (t) => {
  const { house, venue, time } = await houseFor(t);
  venue.habit = 'fills';
  await submit(house, order('A', { strategy: 'alpha-1', symbol: 'SPY' }));
  await submit(house, order('B', { strategy: 'alpha-2', symbol: 'SPY' }));
  await time.settle();
  const { legs } = await aim(house, target(house, 'T1', { IBM: '100' }, { scope: 'complete' }));
  t.strictSame(legs.map(({ symbol, deltaQty }) => [symbol, deltaQty]), [['IBM', '100'], ['SPY', '-100']]);
  t.equal(book(house, 'SPY', 'alpha-2'), 'qty 100 buy 0 sell 0');
});

t.test('plan = target − position − working', async (t) => {
  const { house, venue, time } = await houseFor(t);
  venue.habit = 'fills';
  await submit(house, order('A', { orderQty: d('300') }));
  await time.settle();
  venue.habit = 'accepts';
  await submit(house, order('B', { orderQty: d('200') }));
  const { legs } = await aim(house, target(house, 'T1', { IBM: '1000' }));
  t.equal(legs[0]?.deltaQty, '500');
  t.strictSame(venue.cancels, [], 'a direct order is not the target\'s to cancel');
});

t.test('two strategies in one symbol are judged by their sum', async (t) => {
  const { house } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '2000' }));
  const { decided, legs } = await aim(house, target(house, 'T2', { IBM: '2000' }, { strategy: 'alpha-2' }));
  t.equal(decided.decision, 'clipped');
  t.equal(legs[0]?.deltaQty, '500', 'a quarter of the equity is 2,500 units, whoever holds them');
  const { legs: short } = await aim(house, target(house, 'T3', { IBM: '-1000' }, { strategy: 'alpha-2' }));
  t.equal(short[0]?.deltaQty, '-1000', 'the other side has room of its own');
});

t.test('a repeat', async (t) => {
  await t.test('gets the same answer, in the same turn too', async (t) => {
    const { house, all } = await houseFor(t);
    const [first, second] = await Promise.all([aim(house, target(house, 'T1', { IBM: '100' })), aim(house, target(house, 'T1', { IBM: '100' }))]);
    t.equal(all('target.decided').length, 1);
    t.strictSame({ ...second, repeat: false }, first);
    t.strictSame(await aim(house, target(house, 'T1', { IBM: '100' })), second);
  });
  await t.test('with another body conflicts', async (t) => {
    const { house } = await houseFor(t);
    await aim(house, target(house, 'T1', { IBM: '100' }));
    t.strictSame(await submitTarget(house, { ...target(house, 'T1', { IBM: '100' }), requestHash: 'another' }), { outcome: 'conflict' });
  });
});

t.test('a dry run', async (t) => {
  await t.test('leaves no trace', async (t) => {
    const { house, log, venue, time } = await houseFor(t);
    await aim(house, target(house, 'T1', { IBM: '1000' }));
    await time.advance(0);
    const before = { records: log.length, book: book(house), parents: house.state.execution.parents.size };
    const answer = await aim(house, { ...target(house, 'T2', { IBM: '0' }), dryRun: true });
    t.equal(answer.receipt, null);
    t.strictSame({ records: log.length, book: book(house), parents: house.state.execution.parents.size }, before);
    t.strictSame(venue.cancels, []);
    t.equal((await aim(house, target(house, 'T2', { IBM: '500' }))).decided.decision, 'accepted', 'its id stayed free');
  });
  await t.test('of an id that is taken is still a dry run', async (t) => {
    const { house } = await houseFor(t);
    await aim(house, target(house, 'T1', { IBM: '1000' }));
    const answer = await aim(house, { ...target(house, 'T1', { IBM: '300' }), dryRun: true, requestHash: 'another' });
    t.equal(answer.receipt, null);
    t.equal(answer.repeat, false);
    t.equal(answer.legs[0]?.deltaQty, '300');
  });
});

t.test('a decision that throws leaves the books as they were', async (t) => {
  const { house, log } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  const before = { records: log.length, book: book(house) };
  const twice = target(house, 'T2', { IBM: '0' });
  await t.rejects(submitTarget(house, { ...twice, target: { ...twice.target, legs: [...twice.target.legs, ...twice.target.legs] } }), /listed twice/);
  t.strictSame({ records: log.length, book: book(house) }, before);
});

t.test('the whole unit is durable before anything new of it leaves; its cancels leave with a proof of their own', async (t) => {
  let isStuck = false;
  const { house, venue, time, notes } = await houseFor(t, { disk: (store) => faultyStore(store, (call) => (isStuck && call === 'append' ? 'refused' : null)) });
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(0);
  isStuck = true;
  const answer = submitTarget(house, target(house, 'T2', { IBM: '500' }));
  await time.advance(1_000);
  t.equal(venue.sent.length, 1);
  t.strictSame(notes.map(({ kind }) => kind), ['cancel.requested']);
  t.equal(venue.cancels.length, 1);
  isStuck = false;
  await time.advance(1_000);
  t.equal((await answer).outcome, 'decided');
  t.equal(venue.cancels.length, 1, 'once');
});

t.test('a withdrawal', async (t) => {
  await t.test('ends the parents and cancels what works', async (t) => {
    const { house, venue, time } = await houseFor(t);
    await aim(house, target(house, 'T1', { IBM: '1000', SPY: '500' }));
    await time.advance(0);
    const asked = { account: 'ACC1', actor: ALICE, reason: 'no more', targetId: 'T1' };
    t.match(await withdrawTarget(house, asked), { receipt: { log: 'testlog1' } });
    t.strictSame(venue.cancels, venue.sent.map(({ clOrdId }) => clOrdId));
    for (const { clOrdId } of venue.sent) venue.end('canceled', clOrdId);
    t.match(book(house), 'qty 0 buy 0 sell 0');
    t.equal(house.state.execution.targets.size, 0);
    t.equal(await withdrawTarget(house, asked), null, 'once');
  });
});

t.test('under a switch', async (t) => {
  const rows = [
    { scope: { id: '*', kind: 'firm' as const }, decision: 'denied' },
    { scope: { id: 'PAPER', kind: 'venue' as const }, decision: 'denied' },
    { scope: { id: 'ACC1', kind: 'account' as const }, decision: 'denied' },
    { scope: { id: 'alpha-1', kind: 'strategy' as const }, decision: 'denied' },
    { scope: { id: 'TRADER1', kind: 'trader' as const }, decision: 'denied' },
    { scope: { id: 'IBM', kind: 'instrument' as const }, decision: 'clipped' },
    { scope: { id: 'alpha-2', kind: 'strategy' as const }, decision: 'accepted' },
  ];
  for (const { scope, decision } of rows) {
    const { house } = await houseFor(t);
    await flip(house, { scope });
    const { decided } = await aim(house, target(house, 'T1', { IBM: '100', SPY: '100' }));
    t.equal(decided.decision, decision, `${scope.kind}:${scope.id}`);
  }
});

t.test('a policy that requires a forecast, and a leg that has one', async (t) => {
  const policy = policyOf({ kelly: { fraction: 0.5, unratedWeight: 0.01, require: true } });
  const { house, venue, time } = await houseFor(t, { policy });
  const asked = target(house, 'T1', { IBM: '1000' });
  const legs = asked.target.legs.map((leg) => ({ ...leg, mu: 0.08, sigma: 0.2 }));
  const { decided } = await aim(house, { ...asked, target: { ...asked.target, legs } });
  t.equal(decided.decision, 'accepted');
  await time.advance(0);
  t.equal(venue.sent.length, 1, 'its slices are judged by the same forecast');
});
