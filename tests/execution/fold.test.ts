/** Random legal histories against a recount that knows nothing of the fold: it looks at the records alone, every time anew. */
import fc from 'fast-check';
import t from 'tap';
import { canonicalize } from '../../compliance/canonical.ts';
import { dumpExecution, loadExecution } from '../../execution/dump.ts';
import { isOpen } from '../../execution/order-state.ts';
import { foldExecution } from '../../execution/reducer.ts';
import { emptyExecutionState } from '../../execution/state.ts';
import type { Child, Parent } from '../../execution/state.ts';
import { toNumber } from '../../risk/domain/decimal.ts';
import type { Json } from '../../risk/domain/record.ts';
import { fundedRisk, World } from './world.ts';
import type { AnyRecord, Bodies } from './world.ts';

type Of<K extends keyof Bodies> = Extract<AnyRecord, { readonly kind: K }>;
const all = <K extends keyof Bodies>(records: readonly AnyRecord[], kind: K): readonly Of<K>[] => records.filter((r): r is Of<K> => r.kind === kind);

/** Every child of a parent, as the records have it. */
interface Seen { readonly id: string; readonly chain: string; readonly qty: number; readonly filled: number; readonly closed: boolean; readonly ended: number }
const childrenOf = (records: readonly AnyRecord[], parent: string): readonly Seen[] => {
  const slices = all(records, 'slice.released').filter(({ body }) => body.parent === parent);
  const ancestors = (id: string): readonly string[] => {
    const orig = slices.find(({ body }) => body.clOrdId === id)?.body.origClOrdId ?? null;
    return orig === null ? [id] : [id, ...ancestors(orig)];
  };
  return slices.map(({ body: { clOrdId: id, orderQty } }) => {
    const line = ancestors(id);
    const filled = all(records, 'order.filled').reduce((sum, { body }) => sum + (line.includes(body.clOrdId) ? Number(body.lastQty) : 0), 0);
    const ends = [...all(records, 'order.canceled'), ...all(records, 'order.expired')].filter(({ body }) => body.clOrdId === id);
    const closed = ends.length > 0 || filled >= Number(orderQty)
      || all(records, 'order.rejected').some(({ body }) => body.clOrdId === id && body.of !== 'cancel')
      || all(records, 'slice.withheld').some(({ body }) => body.clOrdId === id) || all(records, 'order.replaced').some(({ body }) => body.origClOrdId === id);
    return { id, chain: line.at(-1)!, qty: Number(orderQty), filled, closed, ended: Number(ends.at(-1)?.body.cumQty ?? 0) };
  });
};

/** What the books must hold for one parent. */
const reservedFor = (records: readonly AnyRecord[], parent: string, direct: boolean, ordered: number): number => {
  const children = childrenOf(records, parent);
  const openOf = ({ closed, ended, qty, filled }: Seen): number => Math.max(0, (closed ? ended : qty) - filled);
  const chains = [...new Set(children.map(({ chain }) => chain))];
  const working = chains.reduce((sum, chain) => sum + Math.max(...children.filter((c) => c.chain === chain).map(openOf)), 0);
  const replacements = direct ? all(records, 'order.replaced').filter(({ body }) => body.parent === parent) : [];
  const total = children.find(({ id }) => id === replacements.at(-1)?.body.clOrdId)?.qty ?? ordered;
  const filled = all(records, 'order.filled').reduce((sum, { body }) => sum + (body.parent === parent ? Number(body.lastQty) : 0), 0);
  const over = all(records, 'parent.expired').some(({ body }) => body.parent === parent)
    || all(records, 'target.withdrawn').some(({ body }) => body.parents.includes(parent))
    || all(records, 'leg.decided').some(({ body }) => body.withdraws.includes(parent))
    || (direct && children.length > 0 && children.every(({ closed }) => closed));
  return over ? working : Math.max(total - filled, working);
};

const recount = (records: readonly AnyRecord[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  const count = (key: string, n: number): void => { counts.set(key, (counts.get(key) ?? 0) + n); };
  for (const { body: b } of all(records, 'order.filled')) count(`${b.strategy} ${b.symbol} qty`, (b.side === 'buy' ? 1 : -1) * Number(b.lastQty));
  for (const { body: b } of all(records, 'order.decided')) {
    if (!b.amends && b.decision !== 'denied') count(`${b.strategy} ${b.symbol} ${b.side}`, reservedFor(records, b.parent, true, Number(b.orderQty)));
  }
  for (const { body: b } of all(records, 'leg.decided')) {
    const qty = Number(b.deltaQty);
    if (b.clOrdId !== null) count(`${b.strategy} ${b.symbol} ${qty > 0 ? 'buy' : 'sell'}`, reservedFor(records, b.clOrdId, false, Math.abs(qty)));
  }
  return counts;
};
const booked = (world: World): ReadonlyMap<string, number> => {
  const lines = [...world.risk.accounts.values()].flatMap((account) => [...account.lines.values()]);
  return new Map(lines.flatMap((line) => [...line.books].flatMap(([strategy, { qty, buyOpen, sellOpen }]) => [
    [`${strategy} ${line.symbol} qty`, toNumber(qty)] as const, [`${strategy} ${line.symbol} buy`, toNumber(buyOpen)] as const,
    [`${strategy} ${line.symbol} sell`, toNumber(sellOpen)] as const,
  ])));
};
const disagreements = (world: World): readonly string[] => {
  const want = recount(world.records);
  const have = booked(world);
  const negative = [...have].filter(([key, n]) => !key.endsWith('qty') && n < 0).map(([key]) => `${key} < 0`);
  return [...new Set([...want.keys(), ...have.keys()])].filter((key) => (want.get(key) ?? 0) !== (have.get(key) ?? 0)).concat(negative);
};

type Step = readonly [op: number, pick: number, size: number];
const pickOf = <T>(from: readonly T[], pick: number): T | undefined => from[pick % Math.max(from.length, 1)];

const livingLegs = (w: World): readonly Parent[] => [...w.state.parents.values()].filter((p) => p.targetId !== null && p.end === null);

/** What a gateway and a venue may do next; each does nothing where there is nothing to do it to. */
const ACTS: readonly ((world: World, pick: number, size: number) => void)[] = [
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
    on(w, pick, ({ state }) => isOpen(state), (id, leaves, filled) => {
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
    const inFlight = new Set([...w.state.children.values()].filter(({ state }) => isOpen(state)).map(({ order }) => order.origClOrdId));
    const amendable = (child: Child): boolean => child.state === 'new' && direct(child) && !inFlight.has(child.order.clOrdId);
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
const steps = fc.array(fc.tuple(fc.nat(ACTS.length - 1), fc.nat(1000), fc.integer({ min: 1, max: 50 })), { minLength: 1, maxLength: 50, size: 'max' });
const worldOf = (history: readonly Step[], look: (world: World) => void = () => undefined): World => {
  const world = new World();
  for (const [op, pick, size] of history) {
    ACTS[op]!(world, pick, size);
    look(world);
  }
  return world;
};

t.test('books are the sum of the fills, reservations the sum of what may still be filled', (t) => {
  fc.assert(fc.property(steps, (history) => {
    worldOf(history, (world) => {
      const wrong = disagreements(world);
      if (wrong.length > 0) throw new Error(wrong.join());
    });
  }), { numRuns: 300 });
  t.end();
});

t.test('the live maps hold what is open and nothing else, and every order is somewhere', (t) => {
  fc.assert(fc.property(steps, (history) => {
    const { state } = worldOf(history);
    const children = [...state.parents.values()].flatMap((p) => p.children);
    const targets = [...state.targets.values()];
    return [...state.parents.values()].every((p) => p.end === null || p.reserved > 0n || p.children.some((c) => isOpen(c.state)))
      && [...state.finishedParents.young.values()].every((p) => p.end !== null && p.reserved === 0n)
      && state.children.size === children.length && children.every((c) => state.children.get(c.order.clOrdId) === c)
      && targets.every((target) => target.open === target.parents.filter((id) => state.parents.has(id)).length && target.open > 0);
  }), { numRuns: 200 });
  t.end();
});

t.test('a snapshot is exact: the fold goes on from it as if nothing had been', (t) => {
  fc.assert(fc.property(steps, fc.nat(), (history, n) => {
    const world = worldOf(history);
    const cut = n % (world.records.length + 1);
    const text = (state: World['state']): string => canonicalize(dumpExecution(state));
    const risk = fundedRisk();
    const before = emptyExecutionState();
    for (const record of world.records.slice(0, cut)) foldExecution(before, risk, record);
    const loaded = loadExecution(JSON.parse(text(before)) as Json);
    const same = text(loaded) === text(before) && [...loaded.children.keys()].join() === [...before.children.keys()].join();
    for (const record of world.records.slice(cut)) foldExecution(loaded, risk, record);
    return same && text(loaded) === text(world.state);
  }), { numRuns: 200 });
  t.end();
});
