/** One order is told alike wherever it is told, and a refused amendment has changed nothing. */
import t, { type Test } from 'tap';
import type { Principal } from '../../gateway/auth/principal.ts';
import type { House } from '../../gateway/house.ts';
import type { JsonText } from '../../gateway/http/json.ts';
import { orderService } from '../../gateway/service/orders.ts';
import type { OrderTerms } from '../../risk/domain/order.ts';
import { aim, amend, cancel, flip, houseFor, order, submit, target } from './flows/asks.ts';

const alice: Principal = { sub: 'alice', role: 'strategy', accounts: new Set(['ACC1']), expiresAtMs: Infinity, person: 'dev alice' };
type View = Readonly<Record<string, unknown>>;

const one = async (house: House, clOrdId = 'A'): Promise<View> => (await orderService(house).getOrder(alice, clOrdId, undefined)).body as View;
const listed = async (house: House): Promise<readonly View[]> => ((await orderService(house).listOrders(alice, { account: undefined, after: undefined, state: undefined, symbol: undefined })).body as { items: View[] }).items;

/** GET one; the list must say the same, but for what only a record knows. */
async function told(t: Test, house: House): Promise<View> {
  const view = await one(house);
  t.strictSame(await listed(house), [{ ...view, receipt: null, verdicts: [] }], 'the list says the same');
  return view;
}

t.test('a new price that the venue refuses was never in force', async (t) => {
  const { house, venue, time } = await houseFor(t);
  await submit(house, order('A'));
  await time.settle();
  venue.habit = 'silent';
  await amend(house, 'A', { limitPx: '99' });
  t.match(await told(t, house), { state: 'pending', limitPx: '99' }, 'on its way');
  venue.tell({ kind: 'rejected', clOrdId: venue.sent[1]?.clOrdId ?? '', reason: 'NO' });
  t.match(await told(t, house), { state: 'new', limitPx: '100', orderQty: '100', leavesQty: '100', venue: 'PAPER', type: 'limit' });
});

t.test('an amendment that the last look holds back leaves the order at work', async (t) => {
  const { house, venue, time, all } = await houseFor(t);
  await submit(house, order('A'));
  await time.settle();
  await Promise.all([amend(house, 'A', { limitPx: '99' }), flip(house, { cancel: 'none' })]);
  await time.settle();
  t.strictSame([venue.sent.length, all('slice.withheld').length], [1, 1], 'it never left');
  t.match(await told(t, house), { state: 'new', limitPx: '100', leavesQty: '100' });
});

t.test('an amendment that is cancelled before it has left was never in force', async (t) => {
  const { house, venue, time } = await houseFor(t);
  await submit(house, order('A'));
  await time.settle();
  await Promise.all([amend(house, 'A', { limitPx: '99' }), cancel(house, 'A')]);
  venue.end('canceled', venue.sent[0]?.clOrdId ?? '');
  await time.settle();
  t.match(await told(t, house), { state: 'canceled', limitPx: '100', leavesQty: '0' });
});

t.test('a denied order is told as it was asked for', async (t) => {
  const rows: readonly Pick<OrderTerms, 'type' | 'limitPx'>[] = [{ type: 'market', limitPx: null }, { type: 'limit', limitPx: order('A').terms.limitPx }];
  for (const { type, limitPx } of rows) {
    const { house } = await houseFor(t);
    await submit(house, order('A', { symbol: 'NOPE', type, limitPx }));
    t.match(await told(t, house), { state: 'denied', type, limitPx: limitPx === null ? null : '100', leavesQty: '0', venue: null });
  }
});

t.test('nothing is left of a slice that has ended', async (t) => {
  const { house, venue, time } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(1);
  const id = venue.sent[0]?.clOrdId ?? '';
  venue.fill(id, '1');
  t.not((await one(house, id))['leavesQty'], '0');
  venue.fill(id, '1', '103.5');
  venue.end('canceled', id);
  const said = [await one(house, id), ...await listed(house)];
  t.strictSame(said.map(({ clOrdId, state, cumQty, leavesQty, avgPx }) => [clOrdId, state, cumQty, leavesQty, avgPx]), [0, 1].map(() => [id, 'canceled', '2', '0', '101.75']));
});

t.test('fills that race a smaller quantity leave nothing, and not less', async (t) => {
  const { house, venue, time } = await houseFor(t);
  await submit(house, order('A'));
  await time.settle();
  venue.habit = 'silent';
  const amending = orderService(house).amendOrder(alice, 'A', { orderQty: '60' }, undefined);
  venue.fill(venue.sent[0]?.clOrdId ?? '', '80');
  const { body } = await amending;
  const { orderQty, cumQty, leavesQty } = JSON.parse((body as JsonText).text) as View;
  t.strictSame([orderQty, cumQty, leavesQty], ['60', '80', '0']);
  t.match(await told(t, house), { cumQty: '80', leavesQty: '20' }, 'the venue has not replaced it');
});
