/** The gateway, its PostgreSQL and its venue are killed at random moments under load; nothing that was acknowledged is lost, nothing happens twice. */
import t from 'tap';
import { KillRun } from './crash/kill.ts';
import { Random, seedOfRun } from './crash/random.ts';
import { Site } from './crash/site.ts';

const ROUNDS = process.env['DEPTH'] === 'long' ? 50 : 5;

t.test('kill -9 under load', { timeout: 60_000 * (ROUNDS + 1) }, async (t) => {
  const seed = seedOfRun();
  t.comment(`SEED=${String(seed)}`);
  const run = new KillRun(new Site(t), new Random(seed));
  const total = { acknowledged: 0, inFlight: 0, there: 0 };
  for (let i = 0; i < ROUNDS; i++) {
    const { victim, acknowledged, inFlight, there, faults } = await run.round();
    total.acknowledged += acknowledged;
    total.inFlight += inFlight;
    total.there += there;
    t.comment(`round ${String(i)}, ${victim}: acknowledged ${String(acknowledged)}, in flight ${String(inFlight)}, of these in the log ${String(there)}`);
    t.strictSame(faults, [], `round ${String(i)}, ${victim}, SEED=${String(seed)}`);
  }
  t.strictSame(await run.finish(), []);
  t.comment(`in total: acknowledged ${String(total.acknowledged)}, in flight ${String(total.inFlight)}, resolved: ${String(total.there)} there, ${String(total.inFlight - total.there)} never heard of`);
  t.ok(total.acknowledged > 20 * ROUNDS, 'there was a load');
});
