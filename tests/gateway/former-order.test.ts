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
const seen = async ({ house }: TestHouse): Promise<unknown> => (await orderService(house).getOrder(alice, 'A', undefined)).body;

/** Amendments that changed nothing, and orders that never were. */
const REFUSALS: Readonly<Record<string, (made: TestHouse) => Promise<void>>> = {
  'cancelled after the venue refused its new price': async ({ house, venue, time }) => {
    await submit(house, order('A'));
    await time.settle();
    venue.habit = 'silent';
    await amend(house, 'A', { limitPx: '99' });
    venue.tell({ kind: 'rejected', clOrdId: venue.sent[1]?.clOrdId ?? '', reason: 'NO' });
    await cancel(house, 'A');
    venue.end('canceled', venue.sent[0]?.clOrdId ?? '');
  },
  'expired while a switch held its new price back': async ({ house, venue, time }) => {
    await submit(house, order('A'));
    await time.settle();
    const amended = amend(house, 'A', { limitPx: '99' });
    const flipped = flip(house, { cancel: 'none' });
    venue.end('expired', venue.sent[0]?.clOrdId ?? '');
    await Promise.all([amended, flipped]);
  },
  'cancelled while its new price had not left': async ({ house, venue, time }) => {
    await submit(house, order('A'));
    await time.settle();
    await Promise.all([amend(house, 'A', { limitPx: '99' }), cancel(house, 'A')]);
    venue.end('canceled', venue.sent[0]?.clOrdId ?? '');
  },
  'a market order that was denied': ({ house }) => submit(house, order('A', { symbol: 'NOPE', type: 'market', limitPx: null })).then(() => undefined),
  'a limit order that was denied': ({ house }) => submit(house, order('A', { symbol: 'NOPE' })).then(() => undefined),
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
  for (const [name, happen] of Object.entries({ ...rows, ...REFUSALS })) {
    const made = await houseFor(t, { tampers: true, disk: (store) => faultyStore(store, () => (isStuck ? 'refused' : null)) });
    await happen(made);
    await made.time.settle();
    const before = await seen(made);
    forgetAll(made);
    t.strictSame(await seen(made), before, name);
  }
});
