/** Flows write the bodies of frequent records with their keys in order: what is in order already, the engine prints at half the cost. */
import t from 'tap';
import { canonicalize } from '../../../compliance/canonical.ts';
import type { Json } from '../../../risk/domain/record.ts';
import { aim, amend, cancel, d, houseFor, order, submit, target } from './asks.ts';

const FREQUENT = [
  'target.decided', 'leg.decided', 'order.decided', 'slice.released', 'order.acknowledged', 'order.filled', 'order.canceled',
];

t.test('the text of a frequent body is canonical as it is written', async (t) => {
  const { house, venue, time, log, refresh } = await houseFor(t);
  const last = (): string => venue.sent.at(-1)?.clOrdId ?? '';
  await submit(house, order('A'));
  await time.settle();
  await amend(house, 'A', { orderQty: '60' });
  venue.replace(last());
  venue.fill(last(), '20');
  await cancel(house, 'A');
  venue.end('canceled', last());
  await submit(house, order('DENIED', { symbol: 'NOPE', type: 'market', limitPx: null }));
  for (const [habit, units] of [['fills', '1000'], ['cancels', '2000']] as const) {
    venue.habit = habit;
    await aim(house, target(house, habit, { IBM: units, BAC: '3000' }));
    await time.advance(4_000);
    refresh();
  }
  venue.habit = 'fills';
  await submit(house, order('SOLD', { side: 'sell', orderQty: d('10') }));
  await time.settle();
  for (const kind of FREQUENT) {
    const bodies = log.filter((record) => record.kind === kind).map(({ body }) => body as Json);
    t.ok(bodies.length > 1, `${kind} was seen`);
    for (const body of bodies) t.equal(JSON.stringify(body), canonicalize(body), kind);
  }
  t.ok(log.some(({ kind, body }) => kind === 'slice.released' && (body as { arms: unknown[] }).arms.length > 0), 'also where there was a choice of arms');
});
