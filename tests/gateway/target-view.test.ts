/** What a strategy is told of a parent's cost. */
import t from 'tap';
import type { Principal } from '../../gateway/auth/principal.ts';
import { targetService } from '../../gateway/service/targets.ts';
import { aim, houseFor, target } from './flows/asks.ts';

const alice: Principal = { sub: 'alice', role: 'strategy', accounts: new Set(['ACC1']), expiresAtMs: Infinity, person: 'dev alice' };

t.test('what was not done by the end is unknown where the last quote cannot be believed, and not free', async (t) => {
  const { house, time, quote } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  quote('IBM', '1', '0.5');
  await time.advance(61_000);
  const { body } = await targetService(house).getTarget(alice, 'T1', undefined);
  t.match(body, { parents: [{ state: 'expired', shortfall: null }] });
});
