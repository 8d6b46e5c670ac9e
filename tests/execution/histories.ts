/** Random legal histories: what a gateway and a venue may do next, an act at a time. */
import fc from 'fast-check';
import { isOpen } from '../../execution/order-state.ts';
import type { Child, Parent } from '../../execution/state.ts';
import { toNumber } from '../../risk/domain/decimal.ts';
import { World } from './world.ts';
import type { AnyRecord, Bodies } from './world.ts';

type Of<K extends keyof Bodies> = Extract<AnyRecord, { readonly kind: K }>;
export const all = <K extends keyof Bodies>(records: readonly AnyRecord[], kind: K): readonly Of<K>[] => records.filter((r): r is Of<K> => r.kind === kind);

/** Every child of a parent, as the records have it. */
export interface Seen { readonly id: string; readonly chain: string; readonly qty: number; readonly filled: number; readonly closed: boolean; readonly ended: number }
export const childrenOf = (records: readonly AnyRecord[], parent: string): readonly Seen[] => {
  const slices = all(records, 'slice.released').filter(({ body }) => body.parent === parent);
  const ancestors = (id: string): readonly string[] => {
    const orig = slices.find(({ body }) => body.clOrdId === id)?.body.origClOrdId ?? null;
    return orig === null ? [id] : [id, ...ancestors(orig)];
  };
  return slices.map(({ body: { clOrdId: id, orderQty } }) => {
    const line = ancestors(id);
    const ends = [...all(records, 'order.canceled'), ...all(records, 'order.expired')].filter(({ body }) => body.clOrdId === id);
    // by a fill of its own or, once the venue has taken it, of its chain: until then a replacement is open, whatever the order before it has filled
    const fills = all(records, 'order.filled').filter(({ body }) => line.includes(body.clOrdId));
    const cumAt = (i: number): number => fills.slice(0, i + 1).reduce((sum, { body }) => sum + Number(body.lastQty), 0);
    const filled = cumAt(fills.length);
    const taken = [...all(records, 'order.acknowledged'), ...all(records, 'order.replaced'), ...fills].filter(({ body }) => body.clOrdId === id).map(({ seq }) => seq);
    const isFilled = fills.some(({ seq }, i) => cumAt(i) >= Number(orderQty) && taken.some((at) => at <= seq));
    const closed = ends.length > 0 || isFilled
      || all(records, 'order.rejected').some(({ body }) => body.clOrdId === id && body.of !== 'cancel')
      || all(records, 'slice.withheld').some(({ body }) => body.clOrdId === id) || all(records, 'order.replaced').some(({ body }) => body.origClOrdId === id);
    return { id, chain: line.at(-1)!, qty: Number(orderQty), filled, closed, ended: Number(ends.at(-1)?.body.cumQty ?? 0) };
  });
};

export type Step = readonly [op: number, pick: number, size: number];
export const pickOf = <T>(from: readonly T[], pick: number): T | undefined => from[pick % Math.max(from.length, 1)];

const livingLegs = (w: World): readonly Parent[] => [...w.state.parents.values()].filter((p) => p.targetId !== null && p.end === null);

export type Act = (world: World, pick: number, size: number) => void;

/** Each does nothing where there is nothing to do it to. */
export const ACTS: readonly Act[] = [
  (w, pick, size) => {
    w.order(size, pick % 2 === 0 ? 'buy' : 'sell', `s${pick % 3}`, pick % 5 === 0 ? 'BBB' : 'AAA', pick % 11 === 0 ? 'denied' : 'accepted');
  },
  (w, pick, size) => {
    const strategy = `s${pick % 2}`;
    const before = livingLegs(w).filter((p) => p.strategy === strategy && p.symbol === 'AAA');
    const withdraws = before.map((p) => p.id);
    w.target(strategy, [['AAA', pick % 3 === 0 ? -size : size, pick % 4 === 0 ? withdraws : []], ['BBB', (pick % 7) - 3]]);
  },
  (w, pick, size) => {
    const parent = pickOf(livingLegs(w), pick);
    if (parent === undefined) return;
    const spent = childrenOf(w.records, parent.id).reduce((sum, c) => sum + (c.closed ? Math.max(c.filled, c.ended) : c.qty), 0);
    const left = toNumber(parent.orderQty) - spent;
    if (left > 0) w.release(parent.id, Math.min(left, size), parent);
  },
  (w, pick) => { on(w, pick, ({ state }) => state === 'pending', (id) => { w.acknowledge(id); }); },
  (w, pick, size) => { on(w, pick, ({ state }) => isOpen(state), (id, leaves) => { if (leaves > 0) w.fill(id, Math.min(leaves, size)); }); },
  (w, pick) => { on(w, pick, ({ state }) => isOpen(state), (id, leaves) => { if (leaves > 0) w.fill(id, leaves); }); },
  (w, pick) => { on(w, pick, () => true, (id) => { w.requestCancel(id); }); },
  (w, pick, size) => {
    // A replacement that the venue has not taken cannot end by itself: it is refused, or it is first taken.
    const canEnd = ({ state, order, acceptedAt }: Child): boolean => isOpen(state) && (acceptedAt !== null || order.origClOrdId === null);
    on(w, pick, canEnd, (id, leaves, filled) => {
      w.end(pick % 2 === 0 ? 'order.canceled' : 'order.expired', id, filled + (pick % 3 === 0 ? Math.min(leaves, size) : 0));
    });
  },
  (w, pick) => {
    on(w, pick, ({ endedCumQty, cumQty }) => endedCumQty !== null && endedCumQty > cumQty, (id, _, filled) => {
      w.fill(id, toNumber(w.state.children.get(id)!.endedCumQty!) - filled);
    });
  },
  (w, pick) => {
    on(w, pick, ({ state, order }) => state === 'pending' && order.origClOrdId === null, (id) => {
      if (pick % 2 === 0) w.reject(id);
      else w.withhold(id);
    });
  },
  (w, pick) => { on(w, pick, ({ state }) => state === 'pending_cancel', (id) => { w.reject(id, 'cancel'); }); },
  (w, pick) => { on(w, pick, ({ state }) => isOpen(state), (id) => { w.lose(id); }); },
  (w, pick, size) => {
    const direct = ({ order }: Child): boolean => w.state.parents.get(order.parent)?.targetId === null;
    // an order whose replacement the venue has taken is no more, whatever is still to be said of it
    const followed = new Set([...w.state.children.values()].filter(({ state, acceptedAt }) => isOpen(state) || acceptedAt !== null).map(({ order }) => order.origClOrdId));
    const amendable = (child: Child): boolean => child.state === 'new' && direct(child) && !followed.has(child.order.clOrdId);
    on(w, pick, amendable, (id, _, filled) => { w.amend(id, filled + size); });
  },
  (w, pick) => {
    on(w, pick, ({ state, order }) => state === 'pending' && order.origClOrdId !== null, (id) => {
      const orig = w.state.children.get(w.sent.get(id)!.orig!);
      if (orig !== undefined && isOpen(orig.state) && pick % 3 !== 0) w.replaced(id);
      else w.reject(id, 'replace');
    });
  },
  (w, pick) => {
    const parent = pickOf(livingLegs(w), pick);
    if (parent !== undefined && pick % 2 === 0) w.expire(parent.id);
    else if (parent !== undefined) w.withdraw([parent.id]);
  },
];
function on(w: World, pick: number, which: (child: Child) => boolean, act: (id: string, leaves: number, filled: number) => void): void {
  const child = pickOf([...w.state.children.values()].filter(which), pick);
  if (child !== undefined) act(child.order.clOrdId, toNumber(child.order.orderQty) - toNumber(child.cumQty), toNumber(child.cumQty));
}

/** Histories of these acts. */
export const historiesOf = (acts: readonly Act[], maxLength = 50): fc.Arbitrary<readonly Step[]> =>
  fc.array(fc.tuple(fc.nat(acts.length - 1), fc.nat(1000), fc.integer({ min: 1, max: 50 })), { minLength: 1, maxLength, size: 'max' });

/** The world after them; `look` sees it after each. */
export const worldOf = (history: readonly Step[], look: (world: World) => void = () => undefined, acts = ACTS, world = new World()): World => {
  for (const [op, pick, size] of history) {
    acts[op]!(world, pick, size);
    look(world);
  }
  return world;
};
