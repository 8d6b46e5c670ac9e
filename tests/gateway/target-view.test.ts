/** What a strategy is told of a parent's cost. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import type { Principal } from '../../gateway/auth/principal.ts';
import { fromTarget } from '../../gateway/http/schemas/targets.ts';
import { targetService } from '../../gateway/service/targets.ts';
import { aim, houseFor, target } from './flows/asks.ts';

const alice: Principal = { sub: 'alice', role: 'strategy', accounts: new Set(['ACC1']), expiresAtMs: Infinity, person: 'dev alice' };

t.test('a live figure is unknown where the end would call it so', async (t) => {
  const { house, time, quote } = await houseFor(t);
  const shortfall = async (): Promise<unknown> => {
    const { body } = await targetService(house).getTarget(alice, 'T1', undefined);
    const [parent] = (body as { parents: { state: string; shortfall: unknown }[] }).parents;
    t.equal(parent?.state, 'working');
    return parent?.shortfall;
  };
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(1_000);
  t.ok(await shortfall(), 'of a whole quote');
  quote('IBM', '100.02', '100');
  t.equal(await shortfall(), null, 'of a crossed one');
  quote('IBM', '99.99', '100.01');
  t.ok(await shortfall());
  await time.advance(30_001);
  t.ok(await shortfall(), 'of an old one: it is the last price that anybody showed');
});

t.test('an end in a market that has gone quiet is measured by its last price', async (t) => {
  const { house, time, quote, all } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  quote('IBM', '100.99', '101.01');
  await time.advance(61_000);
  t.equal(all('parent.expired')[0]?.endPx, '101');
  const { body } = await targetService(house).getTarget(alice, 'T1', undefined);
  t.match(body, { parents: [{ state: 'expired', shortfall: { opportunity: '1000', total: '1000' } }] });
});

t.test('what was not done by the end is unknown where the last quote cannot be believed, and not free', async (t) => {
  const { house, time, quote } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  quote('IBM', '1', '0.5');
  await time.advance(61_000);
  const { body } = await targetService(house).getTarget(alice, 'T1', undefined);
  t.match(body, { parents: [{ state: 'expired', shortfall: null }] });
});

t.test('what was done has its cost, also where that of the rest is unknown', async (t) => {
  const { house, venue, time, quote } = await houseFor(t);
  await aim(house, target(house, 'T1', { IBM: '1000' }));
  await time.advance(1);
  venue.fill(venue.sent[0]?.clOrdId ?? '', '1', '100.5');
  quote('IBM', '1', '0.5');
  const { body } = await targetService(house).getTarget(alice, 'T1', undefined);
  t.match(body, { parents: [{ shortfall: { delay: String, spread: String, impact: String, fees: '0.01', opportunity: null, total: null, bps: null } }] });
});

for (const forgotten of [false, true]) {
  t.test(`a withdrawal finds a target that waits for its turn${forgotten ? ', and for its id' : ''}`, async (t) => {
    const { house, time } = await houseFor(t, { tampers: forgotten });
    house.state.execution.forgotten = forgotten;
    const { lookUp } = house;
    Object.assign(house, { lookUp: (subject: string) => nextTurn().then(() => nextTurn()).then(() => lookUp(subject)) });
    const service = targetService(house);
    const ask = (targetId: string, dryRun: boolean) => service.submitTarget(alice, fromTarget(target(house, targetId, { IBM: '1000' }).target), { dryRun });
    const before = [1, 2, 3, 4, 5, 6].map((n) => ask(`DRY${n}`, true));
    const posted = ask('T1', false);
    const withdrawn = service.withdrawTarget(alice, 'T1', undefined);
    await time.settle();
    t.match(await posted, { status: 201 });
    await Promise.all(before);
    t.match(await withdrawn, { status: 202, body: { state: 'withdrawn' } });
    t.match(await service.withdrawTarget(alice, 'T2', undefined), { status: 404 });
  });
}
