/** Random legal histories against a recount that knows nothing of the fold: it looks at the records alone, every time anew. */
import fc from 'fast-check';
import t from 'tap';
import { canonicalize } from '../../compliance/canonical.ts';
import { dumpExecution, loadExecution } from '../../execution/dump.ts';
import { isOpen } from '../../execution/order-state.ts';
import { foldExecution } from '../../execution/reducer.ts';
import { emptyExecutionState } from '../../execution/state.ts';
import { toNumber } from '../../risk/domain/decimal.ts';
import type { Json } from '../../risk/domain/record.ts';
import { ACTS, all, childrenOf, historiesOf, worldOf, type Seen } from './histories.ts';
import { fundedRisk, type AnyRecord, type World } from './world.ts';

const steps = historiesOf(ACTS);

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
/** A venue that acknowledges a replacement like an order of its own, and replaces that one later: once in some thousand histories. */
const ACKNOWLEDGED_REPLACEMENT = [[0, 1, 2], [3, 0, 1], [12, 0, 1], [3, 0, 1], [12, 0, 2], [13, 1, 1], [0, 0, 1]] as const;

/** A replacement to what is filled already, still unanswered when the venue cancels the order. */
const UNANSWERED_REPLACEMENT = [[0, 1, 1], [3, 0, 1], [12, 0, 2], [13, 46, 1], [12, 0, 1], [4, 0, 1], [7, 14, 1]] as const;

/** A replacement that was acknowledged, and filled by the order that it replaces before that one ended. */
const FILLED_BY_THE_FORMER = [[0, 1, 2], [3, 0, 1], [12, 0, 1], [3, 0, 1], [4, 0, 1], [7, 55, 1], [0, 0, 1]] as const;

t.test('books are the sum of the fills, reservations the sum of what may still be filled', (t) => {
  fc.assert(fc.property(steps, (history) => {
    worldOf(history, (world) => {
      const wrong = disagreements(world);
      if (wrong.length > 0) throw new Error(wrong.join());
    });
  }), { numRuns: 300, examples: [[ACKNOWLEDGED_REPLACEMENT], [UNANSWERED_REPLACEMENT], [FILLED_BY_THE_FORMER]] });
  t.end();
});

t.test('the live maps hold what is open and nothing else, and every order is somewhere', (t) => {
  fc.assert(fc.property(steps, (history) => {
    const { state } = worldOf(history);
    const legs = [...state.finishedLegs.values()];
    const children = [...state.parents.values(), ...legs].flatMap((p) => p.children);
    const targets = [...state.targets.values()];
    return [...state.parents.values()].every((p) => p.end === null || p.reserved > 0n || p.children.some((c) => isOpen(c.state)))
      && [...state.finishedParents.young.values()].every((p) => p.end !== null && p.reserved === 0n)
      && state.children.size === children.length && children.every((c) => state.children.get(c.order.clOrdId) === c)
      && legs.every((p) => p.end !== null && p.reserved === 0n && targets.some((target) => target.parents.includes(p.id)))
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
