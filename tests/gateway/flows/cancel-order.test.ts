/** A cancel by any id that an order is told under: the caller's, a leg's, a slice's. */
import t from 'tap';
import { amendOrder } from '../../../gateway/flows/amend-order.ts';
import { ALICE } from '../../doubles/house.ts';
import { aim, cancel, d, houseFor, order, stateOf, submit, target } from './asks.ts';

t.test("a target's leg ends by its own id, and its siblings go on", async (t) => {
  const { house, venue, time, log, refresh } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '1000', BAC: '1000' }));
  await time.advance(1);
  const { parent, clOrdId } = venue.sent.find(({ symbol }) => symbol === 'IBM')!;
  const answer = await cancel(house, parent);
  t.match(answer, { outcome: 'requested', receipt: { seq: Number } });
  t.strictSame(venue.cancels, [clOrdId]);
  t.equal(house.state.execution.parents.get(parent)?.end?.reason, 'withdrawn');
  t.strictSame(log.slice(-2).map(({ kind }) => kind), ['target.withdrawn', 'cancel.requested']);
  t.match(await cancel(house, parent), { outcome: 'requested' }, 'asked again, the venue is asked again');
  t.equal(log.filter(({ kind }) => kind === 'target.withdrawn').length, 1, 'and the leg ended once');
  for (let seconds = 0; seconds < 60; seconds += 3) {
    await time.advance(3_000);
    refresh();
  }
  t.strictSame(venue.sent.filter((order) => order.parent === parent).length, 1, 'nothing more of it is released');
  t.ok(venue.sent.filter((order) => order.symbol === 'BAC').length > 1);
});

t.test('a cancel that comes while the id of its order is looked up cancels it', async (t) => {
  const { house, venue, log } = await houseFor(t, { tampers: true });
  house.state.execution.forgotten = true;
  const { lookUp } = house;
  let asked = 0;
  Object.assign(house, {
    lookUp: async (subject: string) => {
      asked += 1;
      if (asked === 1) await new Promise(setImmediate); // a second look-up would overtake the first
      return lookUp(subject);
    },
  });
  const [submitted, cancelled] = await Promise.all([submit(house, order('A')), cancel(house, 'A')]);
  t.match([submitted, cancelled], [{ outcome: 'decided' }, { outcome: 'requested' }]);
  t.strictSame([venue.sent.length, log.at(-1)?.kind], [0, 'slice.withheld']);
});

t.test('a slice ends alone: its leg releases the quantity again', async (t) => {
  const { house, venue, time } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(1);
  const [{ parent, clOrdId }] = venue.sent as unknown as [{ parent: string; clOrdId: string }];
  t.match(await cancel(house, clOrdId), { outcome: 'requested' });
  t.strictSame([venue.cancels, stateOf(house, clOrdId)], [[clOrdId], 'pending_cancel']);
  t.equal(house.state.execution.parents.get(parent)?.end, null);
});

t.test('a leg is amended by a newer target only, and is unknown to other accounts', async (t) => {
  const { house, venue, time } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(1);
  for (const clOrdId of [venue.sent[0]!.parent, venue.sent[0]!.clOrdId]) {
    const amendment = { actor: ALICE, account: 'ACC1', clOrdId, orderQty: d('1'), limitPx: null, requestHash: 'h' };
    t.strictSame(await amendOrder(house, amendment), { outcome: 'done' });
    t.strictSame(await amendOrder(house, { ...amendment, account: 'ACC2' }), { outcome: 'unknown' });
  }
});
