/** A cancel that memory counts as asked for, and the log does not hold yet: it leaves all the same, and a kill covers it. */
import t, { type Test } from 'tap';
import { emergencyPath, openEmergency } from '../../compliance/emergency.ts';
import type { LogStore } from '../../compliance/journal.ts';
import { emergencyAct, emergencyCancel } from '../../gateway/emergency.ts';
import { adoptEmergency } from '../../gateway/recovery.ts';
import { testHouse, type TestHouse } from '../doubles/house.ts';
import { faultyStore, type MemoryStore } from '../doubles/store.ts';
import { aim, flip, houseFor, order, stateOf, submit, target } from './flows/asks.ts';

/** One slice of an older target works at the venue; the log can be made to refuse. */
async function atWork(t: Test): Promise<TestHouse & { readonly id: string; setStuck(isStuck: boolean): void }> {
  let refuses = false;
  const made = await houseFor(t, { disk: (store) => faultyStore(store, () => (refuses ? 'refused' : null)) });
  await aim(made.house, target(made.house, 'T1', { IBM: '1000' }));
  await made.time.advance(1);
  const id = made.venue.sent[0]?.clOrdId ?? '';
  t.equal(stateOf(made.house, id), 'new', 'the slice works at the venue');
  return { ...made, id, setStuck: (isStuck) => { refuses = isStuck; } };
}

t.test('the log fails in the very commit that records a cancel of a newer target', async (t) => {
  const { house, venue, time, notes, id, setStuck } = await atWork(t);
  setStuck(true);
  const newer = aim(house, target(house, 'T2', { IBM: '0' }));
  await time.advance(1_000);
  t.strictSame(venue.cancels, [id], 'its cancel leaves as soon as the log cannot be written');
  t.match(notes, [{ kind: 'cancel.requested' }], 'with a proof of its own');
  setStuck(false);
  await time.advance(5_000);
  await newer;
});

t.test('the log fails in the very commit that records the end of a horizon', async (t) => {
  const { house, venue, time, notes, id, setStuck } = await atWork(t);
  await time.advance(59_000);
  t.equal(stateOf(house, id), 'new', 'the slice works at the venue still');
  setStuck(true);
  await time.advance(2_000);
  t.equal(stateOf(house, id), 'pending_cancel');
  t.ok(venue.cancels.includes(id), 'its cancel leaves as soon as the log cannot be written');
  t.match(notes, [{ kind: 'cancel.requested' }], 'with a proof of its own');
  setStuck(false);
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
  t.strictSame(new Set(first.venue.cancels), new Set([id]), 'the kill reached the venue');
  // the process dies here
  const second = await houseFor(t, { store: first.store, time: first.time, market: first.market });
  adoptEmergency(second.house, file);
  await second.time.settle();
  t.equal(second.house.state.risk.switches.get('firm:*')?.state, 'halted');
  t.equal(stateOf(second.house, id), 'pending_cancel', 'what worked is being cancelled');
  t.strictSame([...second.house.state.execution.parents.values()].filter(({ end }) => end === null).map(({ targetId }) => targetId), [], 'and no old wish lives');
});

t.test('the end of the gateway cancels also what is asked for and has not left: a cancel may be sent twice', async (t) => {
  const { house, venue, time, id } = await atWork(t);
  const newer = aim(house, target(house, 'T2', { IBM: '0' }));
  for (let turns = 0; turns < 20 && stateOf(house, id) !== 'pending_cancel'; turns++) await Promise.resolve();
  t.equal(stateOf(house, id), 'pending_cancel', 'in memory');
  t.strictSame(venue.cancels, [], 'and not yet at the venue');
  emergencyCancel(house, 'the log is not ours any more');
  t.strictSame(venue.cancels, [id]);
  await time.settle();
  await newer;
});

t.test('a kill while the gateway stops is proven in the emergency file, and the next start halts', async (t) => {
  const file = openEmergency(emergencyPath(t.testdir()));
  const first = await testHouse({ emergency: (clock) => emergencyAct(file, clock, () => undefined) });
  await aim(first.house, target(first.house, 'T1', { IBM: '1000' }));
  await first.time.advance(1);
  await first.sequencer.close();
  t.equal((await flip(first.house)).outcome, 'flipped');
  t.strictSame(first.venue.cancels, [first.venue.sent[0]?.clOrdId]);
  t.strictSame(first.failures, []);
  const second = await houseFor(t, { store: first.store, time: first.time, market: first.market });
  adoptEmergency(second.house, file);
  await second.time.settle();
  t.equal(second.house.state.risk.switches.get('firm:*')?.state, 'halted');
});

t.test('ids that a crash has given back: a cancel of an order that was lost is none of the order that has its id now', async (t) => {
  const file = openEmergency(emergencyPath(t.testdir()));
  let isStuck = false;
  const disk = (store: MemoryStore): LogStore => faultyStore(store, () => (isStuck ? 'refused' : null));
  const first = await testHouse({ disk, emergency: (clock) => emergencyAct(file, clock, () => undefined) });
  isStuck = true;
  for (const clOrdId of ['X', 'Y', 'Z']) submit(first.house, order(clOrdId)).catch(() => undefined);
  await first.time.advance(6_000);
  const cancelled = file.entries().map(({ body }) => (body as { body: { clOrdId: string } }).body.clOrdId);
  t.equal(cancelled.length, 3, 'none of them ever left, and the proof says that they are cancelled');
  // the process dies here
  isStuck = false;
  const second = await houseFor(t, { disk, store: first.store, time: first.time, market: first.market });
  second.refresh();
  isStuck = true;
  adoptEmergency(second.house, file);
  const other = submit(second.house, order('W'));
  await second.time.advance(100);
  isStuck = false;
  adoptEmergency(second.house, file); // the log was in trouble before it had the first adoption
  await second.time.advance(5_000);
  await other;
  const [sent] = second.venue.sent;
  t.ok(cancelled.includes(sent?.clOrdId ?? ''), 'the id is given again');
  t.strictSame(second.all('cancel.requested'), [], 'and nobody asked to cancel this one');
  t.equal(stateOf(second.house, sent?.clOrdId ?? ''), 'new');
  t.strictSame(file.entries(), [], 'the file is set aside');
});
