/** What strangers are refused is counted, and written once a minute. */
import t from 'tap';
import { Refusals } from '../../gateway/service/refusals.ts';
import { manualTimers } from '../doubles/timers.ts';
import { houseFor } from './flows/asks.ts';

t.test("by the wall's minutes, whatever the market's clock does", async (t) => {
  const { house, time, all } = await houseFor(t);
  const wall = manualTimers();
  const refusals = new Refusals(house, wall);
  const refused = { kind: 'counted', principal: null, code: 'UNAUTHENTICATED', method: 'GET', route: '', source: '127.0.0.1' } as const;
  refusals.note(refused);
  refusals.note(refused);
  await time.advance(3_600_000);
  t.strictSame(all('access.counted'), [], 'an hour of a replayed market');
  await wall.advance(60_000);
  t.strictSame(all('access.counted'), [{ counts: { UNAUTHENTICATED: 2 }, source: '127.0.0.1' }]);
});
