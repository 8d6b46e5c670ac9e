import t from 'tap';
import { committedQty } from '../../execution/parents.ts';
import { EXECUTION_KINDS, foldExecution } from '../../execution/reducer.ts';
import { findParent, findTarget, FINISHED_GENERATION, IDS_GENERATION_NS, isRepeat, orderKey } from '../../execution/state.ts';
import { recall } from '../../execution/window.ts';
import { shortfallOf } from '../../execution/shortfall.ts';
import { formatDecimal, type Decimal } from '../../risk/domain/decimal.ts';
import type { Book } from '../../risk/state.ts';
import { START, World } from './world.ts';

const book = (world: World, strategy = 's1', symbol = 'AAA'): Book => world.risk.accounts.get('ACC1')!.lines.get(symbol)!.books.get(strategy)!;
const open = (world: World, strategy = 's1', symbol = 'AAA'): string => {
  const { buyOpen, sellOpen } = book(world, strategy, symbol);
  return `${formatDecimal(buyOpen)}/${formatDecimal(sellOpen)}`;
};
const text = (value: Decimal): string => formatDecimal(value);
const stateOf = (world: World, id: string): string | undefined => world.state.children.get(id)?.state;

t.test('a direct order: reserved from its decision, freed by its fills', (t) => {
  const world = new World();
  const id = world.order(100);
  t.equal(open(world), '100/0');
  world.acknowledge(id);
  t.equal(stateOf(world, id), 'new');
  world.fill(id, 40, 99);
  t.equal(open(world), '60/0');
  t.equal(stateOf(world, id), 'partially_filled');
  world.fill(id, 60, 101);
  t.equal(open(world), '0/0');
  t.equal(text(book(world).qty), '100');
  t.equal(world.state.parents.size + world.state.children.size, 0, 'what is finished leaves the live maps');
  const parent = findParent(world.state, 'P0')!;
  t.equal(parent.end?.reason, 'filled');
  t.equal(text(parent.cost), '10020');
  t.equal(parent.children[0]?.state, 'filled');
  t.same(recall(world.state.ids, orderKey('ACC1', 'C0')), 0);
  t.end();
});

t.test('a denied order is remembered and reserves nothing', (t) => {
  const world = new World();
  world.order(5, 'sell', 's1', 'AAA', 'denied');
  t.equal(findParent(world.state, 'P0')?.end?.reason, 'denied');
  t.equal(world.state.parents.size, 0);
  t.equal(world.risk.accounts.get('ACC1')?.lines.size, 0);
  t.end();
});

t.test("a leg's parent holds its leaves until it ends, then its children's", (t) => {
  const world = new World();
  const [parent] = world.target('s1', [['AAA', -100], ['BBB', 0]]);
  t.equal(open(world), '0/100');
  const slice = { side: 'sell', strategy: 's1', symbol: 'AAA' } as const;
  const first = world.release(parent!, 30, slice, null, '2026-11-20T09:30:00.000000000Z');
  world.fill(first, 10);
  t.equal(open(world), '0/90');
  t.equal(world.state.parents.get(parent!)?.lastDue, START);
  t.equal(text(committedQty(world.state.parents.get(parent!)!)), '30');
  world.end('order.canceled', first, 10);
  t.equal(text(committedQty(world.state.parents.get(parent!)!)), '10', 'what an immediate order left may be released again');
  t.equal(open(world), '0/90');
  const second = world.release(parent!, 20, slice);
  world.expire(parent!);
  t.equal(open(world), '0/20', 'only what works at the venue');
  t.equal(findTarget(world.state, 'ACC1', 'T0')?.open, 1);
  world.lose(second);
  t.equal(open(world), '0/20', 'an unknown outcome stays reserved');
  world.reject(second);
  t.equal(open(world), '0/0');
  t.equal(world.state.targets.size, 0);
  const done = findParent(world.state, parent!)!;
  t.equal(done.end?.reason, 'expired');
  const { delay, spread, impact, opportunity, total } = shortfallOf({ ...done, arrivalPx: done.arrivalPx!, halfSpread: done.halfSpread! }, done.end!.px)!;
  t.same([delay, spread, impact, opportunity, total].map(text), ['-1', '0.1', '0.9', '-90', '-89.5']);
  t.same(findTarget(world.state, 'ACC1', 'T0')?.parents, [parent]);
  t.end();
});

t.test('a newer target supersedes; a withdrawn one leaves its working children reserved', (t) => {
  const world = new World();
  const [old] = world.target('s1', [['AAA', 100]]);
  const child = world.release(old!, 40, { side: 'buy', strategy: 's1', symbol: 'AAA' });
  const [next] = world.target('s1', [['AAA', 10, [old!]]]);
  t.equal(open(world), '50/0');
  world.requestCancel(child);
  world.reject(child, 'cancel');
  t.equal(stateOf(world, child), 'pending_cancel', 'the cancel came before the order: it is still asked for');
  world.acknowledge(child);
  world.requestCancel(child);
  world.reject(child, 'cancel');
  t.equal(stateOf(world, child), 'new');
  world.requestCancel(child);
  world.end('order.canceled', child, 0);
  t.equal(open(world), '10/0');
  t.equal(findParent(world.state, old!)?.end?.reason, 'superseded');
  world.withdraw([next!, old!]);
  t.equal(open(world), '0/0');
  t.equal(findParent(world.state, next!)?.end?.reason, 'withdrawn');
  t.equal(world.state.targets.size, 0);
  t.end();
});

t.test('an amendment reserves the larger of both until the venue speaks', (t) => {
  const world = new World();
  const id = world.order(100);
  world.acknowledge(id);
  world.fill(id, 20);
  const more = world.amend(id, 150);
  t.equal(open(world), '130/0');
  world.fill(id, 10);
  t.equal(open(world), '120/0', 'a fill of the old order counts for the new');
  world.replaced(more);
  t.equal(open(world), '120/0');
  t.equal(stateOf(world, id), 'replaced');
  t.equal(stateOf(world, more), 'partially_filled');
  const less = world.amend(more, 50);
  t.equal(open(world), '120/0', 'a reduction frees nothing before its evidence');
  world.replaced(less);
  t.equal(open(world), '20/0');
  const refused = world.amend(less, 500);
  t.equal(open(world), '470/0');
  world.reject(refused, 'replace');
  t.equal(open(world), '20/0');
  world.fill(less, 20);
  t.equal(open(world), '0/0');
  t.equal(findParent(world.state, 'P0')?.end?.reason, 'filled');
  t.equal(text(book(world).qty), '50');
  t.end();
});

t.test('an order that was filled while its replacement was on the way', (t) => {
  const world = new World();
  const id = world.order(10);
  const more = world.amend(id, 15);
  world.fill(id, 10);
  t.equal(open(world), '5/0', 'the replacement may still be accepted');
  world.reject(more, 'replace');
  t.equal(open(world), '0/0');
  t.equal(findParent(world.state, 'P0')?.end?.reason, 'filled');

  const other = new World();
  const first = other.order(10);
  const second = other.amend(first, 15);
  other.fill(first, 10);
  other.replaced(second);
  t.equal(other.state.parents.get('P0')?.end, null, 'or was');
  t.equal(open(other), '5/0');
  t.end();
});

t.test('fills that the venue counted and we have not seen stay reserved', (t) => {
  const world = new World();
  const id = world.order(100);
  world.end('order.canceled', id, 30);
  t.equal(open(world), '30/0');
  t.ok(world.state.parents.has('P0'));
  world.fill(id, 30);
  t.equal(open(world), '0/0');
  t.equal(findParent(world.state, 'P0')?.end?.reason, 'canceled');
  world.fill(id, 5);
  t.equal(text(book(world).qty), '35', 'a fill after the end is ours all the same');
  t.equal(text(findParent(world.state, 'P0')!.cumQty), '35');
  t.equal(open(world), '0/0');
  t.end();
});

t.test('a slice withheld at the last look ends a direct order, a withheld amendment does not', (t) => {
  const amended = new World();
  const first = amended.order(10);
  amended.acknowledge(first);
  amended.withhold(amended.amend(first, 30));
  t.equal(open(amended), '10/0');
  t.equal(stateOf(amended, first), 'new');

  const world = new World();
  const id = world.order(10);
  world.withhold(id);
  t.equal(open(world), '0/0');
  t.equal(findParent(world.state, 'P0')?.end?.reason, 'denied');
  t.end();
});

t.test('what no correct log holds is refused', (t) => {
  const world = new World();
  const id = world.order(10);
  world.acknowledge(id);
  t.ok(isRepeat(world.state, 'PAPER', 1));
  t.notOk(isRepeat(world.state, 'PAPER', 0), 'answers to queries');
  t.notOk(isRepeat(world.state, 'PAPER', 2));
  t.notOk(isRepeat(world.state, 'OTHER', 1));
  world.sourceSeq = 0;
  t.throws(() => { world.acknowledge(id); }, RangeError, 'a repeat');
  t.throws(() => world.release('P9', 1, { side: 'buy', strategy: 's1', symbol: 'AAA' }), RangeError, 'a child without a parent');
  t.throws(() => world.release('P0', 1, { side: 'buy', strategy: 's1', symbol: 'AAA' }, 'K9'), RangeError, 'a replacement of nothing');
  const record = world.records[0]!;
  t.throws(() => { foldExecution(world.state, world.risk, { ...record, v: 2 }); }, RangeError, 'a version of the future');
  foldExecution(world.state, world.risk, { ...record, kind: 'alert.raised' });
  t.equal(EXECUTION_KINDS.length, 16);
  t.end();
});

t.test('windows: ids of at least two days, and the last finished', (t) => {
  const world = new World();
  world.order(1, 'buy', 's1', 'AAA', 'denied');
  const [record] = world.records;
  const again = (later: bigint, n: number): void => {
    const body = { ...(record!.body as object), clOrdId: `N${n}`, parent: `N${n}` };
    foldExecution(world.state, world.risk, { ...record!, at: (START + later) as typeof START, body });
  };
  const knows = (id: string): boolean => recall(world.state.ids, orderKey('ACC1', id)) !== undefined;
  again(IDS_GENERATION_NS, 1);
  again(IDS_GENERATION_NS + 1n, 2);
  t.ok(knows('C0') && knows('N1') && knows('N2'), 'the generation before is still known');
  again(2n * IDS_GENERATION_NS + 2n, 3);
  t.same(['C0', 'N1', 'N2', 'N3'].map(knows), [false, false, true, true]);
  for (let n = 4; n <= 2 * FINISHED_GENERATION; n++) again(2n * IDS_GENERATION_NS + 2n, n);
  t.same(['P0', 'N9999', 'N10000', 'N20000'].map((id) => findParent(world.state, id) !== null), [false, false, true, true]);
  t.end();
});

t.test('a target is told whole while one of its legs lives, whatever else comes and goes', (t) => {
  const world = new World();
  const [done, live] = world.target('s1', [['AAA', 10], ['BBB', 10]]) as [string, string];
  const child = world.release(done, 10, { side: 'buy', strategy: 's1', symbol: 'AAA' });
  world.fill(child, 10);
  t.strictSame([...world.state.parents.keys()], [live]);
  for (let n = 0; n < 2 * FINISHED_GENERATION; n++) world.order(1, 'buy', 's2', 'AAA', 'denied');
  t.equal(findParent(world.state, done)?.end?.reason, 'filled');
  t.equal(stateOf(world, child), 'filled');
  world.expire(live);
  t.same([world.state.finishedLegs.size, world.state.children.size, world.state.targets.size], [0, 0, 0], 'and leaves as a whole');
  t.ok(findParent(world.state, done) !== null && findParent(world.state, live) !== null);
  t.end();
});

t.test('a refusal of an order that the venue has speaks of a second arrival', (t) => {
  const world = new World();
  const id = world.order(100);
  world.acknowledge(id);
  world.requestCancel(id);
  world.reject(id);
  t.equal(stateOf(world, id), 'pending_cancel');
  t.equal(open(world), '100/0');
  world.end('order.canceled', id, 0);
  t.equal(open(world), '0/0');
  t.end();
});
