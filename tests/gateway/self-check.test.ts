/** What the demonstration says of its own log. */
import t from 'tap';
import { selfCheck } from '../../gateway/self-check.ts';
import { houseFor, order, submit } from './flows/asks.ts';

t.test('asked again while it still verifies, it goes on from where it will have stopped', async (t) => {
  const { house, store } = await houseFor(t);
  const verified = selfCheck(store);
  await submit(house, order('A'));
  const [first, second] = await Promise.all([verified(), verified()]);
  t.match(first, /^log verified: \d+ records, head /);
  t.equal(second, first);
  await submit(house, order('B'));
  t.match(await verified(), /^log verified: /);
});
