/** A cancel that memory counts as asked for, and the log does not hold yet: it leaves all the same, and a kill covers it. */
import t from 'tap';
import { emergencyPath, openEmergency } from '../../compliance/emergency.ts';
import { emergencyAct } from '../../gateway/emergency.ts';
import { adoptEmergency } from '../../gateway/recovery.ts';
import { testHouse } from '../doubles/house.ts';
import { faultyStore } from '../doubles/store.ts';
import { aim, flip, houseFor, stateOf, target } from './flows/asks.ts';

t.test('the log fails in the very commit that records a cancel of a newer target', async (t) => {
  let isStuck = false;
  const { house, venue, time, notes } = await houseFor(t, { disk: (store) => faultyStore(store, () => (isStuck ? 'refused' : null)) });
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(1);
  const [first] = venue.sent;
  t.equal(stateOf(house, first?.clOrdId ?? ''), 'new', 'the slice works at the venue');
  isStuck = true;
  const newer = aim(house, target(house, 'T2', { IBM: '0' }));
  await time.advance(1_000);
  t.strictSame(venue.cancels, [first?.clOrdId], 'its cancel leaves as soon as the log cannot be written');
  t.match(notes, [{ kind: 'cancel.requested' }], 'with a proof of its own');
  isStuck = false;
  await time.advance(5_000);
  await newer;
});

t.test('the log fails in the very commit that records the end of a horizon', async (t) => {
  let isStuck = false;
  const { house, venue, time, notes } = await houseFor(t, { disk: (store) => faultyStore(store, () => (isStuck ? 'refused' : null)) });
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(1);
  const [first] = venue.sent;
  await time.advance(59_000);
  t.equal(stateOf(house, first?.clOrdId ?? ''), 'new', 'the slice works at the venue');
  isStuck = true;
  await time.advance(2_000);
  t.equal(stateOf(house, first?.clOrdId ?? ''), 'pending_cancel');
  t.ok(venue.cancels.includes(first?.clOrdId ?? ''), 'its cancel leaves as soon as the log cannot be written');
  t.match(notes, [{ kind: 'cancel.requested' }], 'with a proof of its own');
  isStuck = false;
  await time.advance(5_000);
});

t.test('a kill in an outage that ends with a crash ends also what a newer target was taking over', async (t) => {
  const file = openEmergency(emergencyPath(t.testdir()));
  let isStuck = false;
  const first = await testHouse({ disk: (store) => faultyStore(store, () => (isStuck ? 'refused' : null)), emergency: (clock) => emergencyAct(file, clock, () => undefined) });
  await aim(first.house, target(first.house, 'T1', { IBM: '1000' }));
  await first.time.advance(1);
  const id = first.venue.sent[0]?.clOrdId ?? '';
  isStuck = true;
  aim(first.house, target(first.house, 'T2', { IBM: '0' })).catch(() => undefined);
  await first.time.settle();
  t.equal((await flip(first.house)).outcome, 'flipped', 'the officer is told that the firm is halted and what worked is cancelled');
  t.strictSame(first.venue.cancels, [id], 'the kill reached the venue');
  // the process dies here
  const second = await houseFor(t, { store: first.store, time: first.time, market: first.market });
  adoptEmergency(second.house, file);
  await second.time.settle();
  t.equal(second.house.state.risk.switches.get('firm:*')?.state, 'halted');
  t.equal(stateOf(second.house, id), 'pending_cancel', 'what worked is being cancelled');
  t.strictSame([...second.house.state.execution.parents.values()].filter(({ end }) => end === null).map(({ targetId }) => targetId), [], 'and no old wish lives');
});
