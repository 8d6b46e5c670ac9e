/** Orders that memory has forgotten, told from the database: the same as before. */
import t from 'tap';
import type { Principal } from '../../gateway/auth/principal.ts';
import { orderService } from '../../gateway/service/orders.ts';
import { emptyWindow } from '../../execution/window.ts';
import type { TestHouse } from '../doubles/house.ts';
import { faultyStore } from '../doubles/store.ts';
import { amend, cancel, flip, houseFor, order, submit } from './flows/asks.ts';

const alice: Principal = { sub: 'alice', role: 'strategy', accounts: new Set(['ACC1']), expiresAtMs: Infinity, person: 'dev alice' };

/** As if ten thousand others had finished since. */
const forgetAll = ({ house: { state: { execution } } }: TestHouse): void => {
  Object.assign(execution, { finishedParents: emptyWindow(), finishedChildren: emptyWindow() });
};
const seen = async ({ house }: TestHouse): Promise<string> => {
  const { body } = await orderService(house).getOrder(alice, 'A', undefined);
  const { state, cumQty } = body as { state: string; cumQty: string };
  return `${state} ${cumQty}`;
};

t.test('an order that memory has forgotten is what it was', async (t) => {
  let isStuck = false;
  const rows: Readonly<Record<string, (made: TestHouse) => Promise<void>>> = {
    'cancelled after an amendment and half a fill': async (made) => {
      await submit(made.house, order('A'));
      await made.time.settle();
      await amend(made.house, 'A', { orderQty: '200' });
      await made.time.settle();
      const id = made.venue.sent[1]?.clOrdId ?? '';
      made.venue.replace(id);
      made.venue.fill(id, '50');
      await cancel(made.house, 'A');
      made.venue.end('canceled', id);
    },
    'filled although its cancel came too late': async (made) => {
      await submit(made.house, order('A'));
      await made.time.settle();
      const id = made.venue.sent[0]?.clOrdId ?? '';
      await cancel(made.house, 'A');
      made.venue.tell({ kind: 'cancelRejected', clOrdId: id, reason: 'TOO_LATE' });
      made.venue.fill(id, '100');
    },
    'withheld by a switch before it was sent': async (made) => {
      isStuck = true;
      const submitted = submit(made.house, order('A'));
      await made.time.settle();
      await flip(made.house, { cancel: 'none' });
      isStuck = false;
      await made.time.advance(2_000);
      await submitted;
      t.equal(made.venue.sent.length, 0, 'it never left');
    },
  };
  for (const [name, happen] of Object.entries(rows)) {
    const made = await houseFor(t, { tampers: true, disk: (store) => faultyStore(store, () => (isStuck ? 'refused' : null)) });
    await happen(made);
    await made.time.settle();
    const before = await seen(made);
    forgetAll(made);
    t.equal(await seen(made), before, name);
  }
});
