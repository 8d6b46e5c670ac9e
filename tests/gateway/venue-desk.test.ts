/** How the desk is left: with the venues' answers, and not for ever. */
import t from 'tap';
import { manualTimers } from '../doubles/timers.ts';
import { houseFor, order, stateOf, submit } from './flows/asks.ts';

t.test('a stop waits for the answer to what was sent', async (t) => {
  const { house, desk, venue, time } = await houseFor(t);
  venue.habit = 'silent';
  await submit(house, order('O1'));
  const { clOrdId } = venue.sent[0]!;
  const stopped = desk.stop(house, manualTimers());
  await time.settle();
  t.ok(desk.isStopping);
  t.equal(stateOf(house, clOrdId), 'pending');
  venue.acknowledge(clOrdId);
  await stopped;
  t.equal(stateOf(house, clOrdId), 'new');
});

t.test('and no longer than it may: the next start asks', async (t) => {
  const { house, desk, venue } = await houseFor(t);
  venue.habit = 'silent';
  await submit(house, order('O1'));
  const wall = manualTimers();
  const stopped = desk.stop(house, wall);
  await wall.advance(2_000);
  await stopped;
  t.equal(stateOf(house, venue.sent[0]!.clOrdId), 'pending');
});

t.test('with nothing under way it waits for nothing', async (t) => {
  const { house, desk } = await houseFor(t);
  await desk.stop(house, manualTimers());
  t.ok(desk.isStopping);
});
