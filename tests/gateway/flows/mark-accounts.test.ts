/** Accounts are marked: what changed and nothing else, and the high-water mark with it. */
import t from 'tap';
import { startBackground } from '../../../gateway/background.ts';
import type { Behind } from '../../../gateway/behind.ts';
import { markAccounts } from '../../../gateway/flows/mark-accounts.ts';
import type { Transparency } from '../../../gateway/transparency.ts';
import { ZERO } from '../../../risk/domain/decimal.ts';
import { OFFICER, type TestHouse } from '../../doubles/house.ts';
import { d, houseFor, order, submit } from './asks.ts';

const holding = async (t: Parameters<typeof houseFor>[0]): Promise<TestHouse> => {
  const made = await houseFor(t);
  made.venue.habit = 'fills';
  await submit(made.house, order('A', { orderQty: d('1000') }));
  await made.time.settle();
  return made;
};
const fund = (house: TestHouse['house'], amount: string): Promise<unknown> =>
  house.journal.append([{ actor: OFFICER, body: { account: 'ACC1', amount, currency: 'USD' }, cause: null, kind: 'account.funded', v: 1 }]).durable;
const drawdown = (house: TestHouse['house']): number => {
  const { equity, peak } = house.state.risk.accounts.get('ACC1') ?? { equity: 0n, peak: 1n };
  return Number(((1 - Number(equity) / Number(peak)) * 100).toFixed(6));
};

t.test('what changed is recorded, once', async (t) => {
  const { house, quote, all } = await holding(t);
  quote('IBM', '100.98', '101.02');
  markAccounts(house);
  t.strictSame(all('account.marked'), [{ account: 'ACC1', equity: '1001000', marks: { IBM: '101' }, peak: '1001000' }]);
  markAccounts(house);
  t.equal(all('account.marked').length, 1, 'nothing changed');
  quote('IBM', '94.99', '95.01');
  markAccounts(house);
  t.match(all('account.marked')[1], { equity: '995000', peak: '1001000' });
  t.equal(drawdown(house), 0.599401);
});

t.test('at most once a second, by the clock that the log keeps', async (t) => {
  const { house, quote, time, all } = await holding(t);
  const behind = { look: () => Promise.resolve(), verifyPast: () => Promise.resolve() } as unknown as Behind;
  const transparency = { publish: () => null, size: 0 } as unknown as Transparency;
  startBackground({ behind, hasEnded: () => false, house, transparency, say: () => undefined, wall: time });
  for (let i = 0; i < 40; i++) {
    quote('IBM', `10${String(i % 7)}.00`, `10${String(i % 7)}.02`);
    await time.advance(100);
  }
  t.equal(all('account.marked').length, 4);
});

t.test('without two sides the last mark stays', async (t) => {
  const { house, market, time, all } = await holding(t);
  market.set({ askPx: d('0'), askQty: ZERO, at: time.now(), bidPx: d('50'), bidQty: d('10'), symbol: 'IBM' });
  markAccounts(house);
  t.strictSame(all('account.marked'), []);
  market.clear('IBM');
  markAccounts(house);
  t.strictSame(all('account.marked'), []);
});

t.test('a deposit fakes no performance, a withdrawal no loss', async (t) => {
  for (const amount of ['500000', '-500000']) {
    const { house, quote } = await holding(t);
    quote('IBM', '49.99', '50.01');
    markAccounts(house);
    t.equal(drawdown(house), 5);
    await fund(house, amount);
    t.equal(drawdown(house), 5, `after ${amount}`);
    markAccounts(house);
    t.equal(drawdown(house), 5, `marked after ${amount}`);
  }
});

t.test('a crossed quote is no mark', async (t) => {
  const { house, time, quote, venue } = await houseFor(t);
  await submit(house, order('S', { side: 'sell', orderQty: d('1000') }));
  await time.settle();
  venue.fill(venue.sent[0]?.clOrdId ?? '', '1000', '100');
  await time.settle();
  const before = await submit(house, order('B1', { symbol: 'SPY', orderQty: d('2600') }));
  t.equal(before.decided.body.decision, 'denied', 'the name limit: 260,000 of 1,000,000');
  quote('IBM', '1', '0.5');
  const inIt = await submit(house, order('C', { orderQty: d('1'), limitPx: d('0.75') }));
  t.match(inIt.decided.body.verdicts, [{ code: 'MARKET_DATA_STALE', observed: 'crossed', outcome: 'deny' }], 'an order in it is denied for the quote');
  markAccounts(house);
  await time.settle();
  const after = await submit(house, order('B2', { symbol: 'SPY', orderQty: d('2600') }));
  t.equal(after.decided.body.decision, 'denied', 'still');
});
