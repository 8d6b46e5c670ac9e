import t from 'tap';
import { formatDecimal, type Decimal } from '../../../../risk/domain/decimal.ts';
import { formatInstant, instant } from '../../../../risk/domain/time.ts';
import { PaperEngine } from '../../../../execution/venues/paper/engine.ts';
import { dayEnd, feeOf } from '../../../../execution/venues/paper/terms.ts';
import type { VenueReport } from '../../../../execution/venue.ts';
import { at, CONFIG, d, feed, INSTRUMENTS, line, market, order, run, type Step } from './fixture.ts';

type Row = readonly [name: string, steps: readonly Step[], lines: readonly string[]];
const QUOTE: Step = { quote: ['9.99', '300', '10.01', '200'] };
const ack = (id: string): string => `${id} acknowledged`;

function table(name: string, rows: readonly Row[]): void {
  t.test(name, (t) => {
    for (const [row, steps, lines] of rows) t.same(run(steps).map(line), lines, row);
    t.end();
  });
}

table('refusals: each row repairs the defect of the row before', [
  ['no such symbol', [{ order: order('A', { symbol: 'XXX', orderQty: d('-1') }) }], ['A rejected UNKNOWN_SYMBOL']],
  ['negative quantity', [{ order: order('A', { orderQty: d('-1'), limitPx: null }) }], ['A rejected ORDER_QTY']],
  ['no quantity', [{ order: order('A', { orderQty: d('0'), limitPx: null }) }], ['A rejected ORDER_QTY']],
  ['part of a lot', [{ order: order('A', { orderQty: d('0.5'), limitPx: null }) }], ['A rejected LOT_SIZE']],
  ['no limit', [{ order: order('A', { limitPx: null }) }], ['A rejected LIMIT_PX']],
  ['limit of zero', [{ order: order('A', { limitPx: d('0') }) }], ['A rejected LIMIT_PX']],
  ['part of a tick', [{ order: order('A', { limitPx: d('10.001'), participation: 0.1 }) }], ['A rejected TICK_SIZE']],
  ['participation on a limit', [{ order: order('A', { participation: 0.1, expireAt: at(9) }) }], ['A rejected PARTICIPATION']],
  ['participation missing', [{ order: order('A', { type: 'pov' }) }], ['A rejected PARTICIPATION']],
  ['participation above one', [{ order: order('A', { type: 'pov', participation: 1.01 }) }], ['A rejected PARTICIPATION']],
  ['expiry without gtd', [{ order: order('A', { expireAt: at(9) }) }], ['A rejected EXPIRE_AT']],
  ['gtd without expiry', [{ order: order('A', { tif: 'gtd' }) }], ['A rejected EXPIRE_AT']],
  ['immediate peg', [{ order: order('A', { type: 'pegged', tif: 'ioc' }) }], ['A rejected TIF']],
  ['no quote yet', [{ order: order('A') }], ['A rejected NO_QUOTE']],
  ['peg without its side', [{ quote: ['0', '0', '10.01', '5'] }, { order: order('A', { type: 'pegged' }) }], ['A rejected NO_QUOTE']],
  ['nothing wrong', [QUOTE, { order: order('A') }], [ack('A')]],
  ['id of an open order', [QUOTE, { order: order('A') }, { order: order('A') }, { cancel: 'A' }], [ack('A'), 'A rejected DUPLICATE', 'A canceled cum 0']],
  ['id of a refused order', [{ order: order('A') }, { order: order('A') }], ['A rejected NO_QUOTE', 'A rejected DUPLICATE']],
  ['cancel of nothing', [{ cancel: 'A' }], ['A cancelRejected UNKNOWN_ORDER']],
  ['cancel of the finished', [QUOTE, { order: order('A') }, { cancel: 'A' }, { cancel: 'A' }], [ack('A'), 'A canceled cum 0', 'A cancelRejected TOO_LATE']],
]);

table('taking: what is displayed, once, at the touch', [
  ['a market order takes the touch', [QUOTE, { order: market('A') }], [ack('A'), 'A filled 100@10.01 cum 100 leaves 0 taker']],
  ['a sell takes the bid', [QUOTE, { order: market('A', { side: 'sell' }) }], [ack('A'), 'A filled 100@9.99 cum 100 leaves 0 taker']],
  ['the same quote is taken once', [QUOTE, { order: market('A', { orderQty: d('150') }) }, { order: market('B') }],
    [ack('A'), 'A filled 150@10.01 cum 150 leaves 0 taker', ack('B'), 'B filled 50@10.01 cum 50 leaves 50 taker']],
  ['the rest of a market order waits for the next quote',
    [QUOTE, { order: market('A', { orderQty: d('250') }) }, { print: ['10.01', '500'] }, { quote: ['9.99', '300', '10.05', '30'] },
      { quote: ['9.99', '300', '10.06', '30'] }],
    [ack('A'), 'A filled 200@10.01 cum 200 leaves 50 taker', 'A filled 30@10.05 cum 230 leaves 20 taker', 'A filled 20@10.06 cum 250 leaves 0 taker']],
  ['a bounded market order never takes beyond its bound', [QUOTE, { order: market('A', { limitPx: d('10') }) }, { quote: ['9.99', '1', '10', '70'] }],
    [ack('A'), 'A filled 70@10 cum 70 leaves 30 taker']],
  ['waiting orders are served in their order',
    [{ quote: ['9.99', '1', '0', '0'] }, { order: market('A') }, { order: market('B') }, { quote: ['9.99', '1', '10', '150'] }],
    [ack('A'), ack('B'), 'A filled 100@10 cum 100 leaves 0 taker', 'B filled 50@10 cum 50 leaves 50 taker']],
  ['an older quote is nothing', [{ quote: ['9.99', '1', '0', '0'] }, { order: market('A') }], [ack('A')]],
  ['a marketable limit takes, and rests with the remainder', [QUOTE, { order: order('A', { limitPx: d('10.02'), orderQty: d('250') }) }],
    [ack('A'), 'A filled 200@10.01 cum 200 leaves 50 taker']],
  ['ioc: the remainder is canceled', [QUOTE, { order: order('A', { limitPx: d('10.02'), orderQty: d('250'), tif: 'ioc' }) }],
    [ack('A'), 'A filled 200@10.01 cum 200 leaves 50 taker', 'A canceled cum 200']],
  ['ioc without a match', [QUOTE, { order: order('A', { tif: 'ioc' }) }], [ack('A'), 'A canceled cum 0']],
  ['ioc market', [QUOTE, { order: market('A', { orderQty: d('201'), tif: 'ioc' }) }],
    [ack('A'), 'A filled 200@10.01 cum 200 leaves 1 taker', 'A canceled cum 200']],
  ['fok one too many', [QUOTE, { order: order('A', { limitPx: d('10.01'), orderQty: d('201'), tif: 'fok' }) }], [ack('A'), 'A canceled cum 0']],
  ['fok at the limit', [QUOTE, { order: order('A', { limitPx: d('10.01'), orderQty: d('200'), tif: 'fok' }) }],
    [ack('A'), 'A filled 200@10.01 cum 200 leaves 0 taker']],
  ['fok leaves the quote to others', [QUOTE, { order: market('A', { orderQty: d('201'), tif: 'fok' }) }, { order: market('B', { orderQty: d('200') }) }],
    [ack('A'), 'A canceled cum 0', ack('B'), 'B filled 200@10.01 cum 200 leaves 0 taker']],
]);

const JOINED = [QUOTE, { order: order('A', { limitPx: d('9.99') }) }] as const;
table('resting: prints through the price, or at it after the queue', [
  ['a print above is nothing', [...JOINED, { print: ['10', '1000'] }], [ack('A')]],
  ['a print at the price goes to the queue ahead', [...JOINED, { print: ['9.99', '300'] }], [ack('A')]],
  ['after the queue it is our turn', [...JOINED, { print: ['9.99', '340'] }], [ack('A'), 'A filled 40@9.99 cum 40 leaves 60 maker']],
  ['prints add up', [...JOINED, { print: ['9.99', '300'] }, { print: ['9.99', '25'] }], [ack('A'), 'A filled 25@9.99 cum 25 leaves 75 maker']],
  ['a print through the price fills at our price', [...JOINED, { print: ['9.98', '70'] }], [ack('A'), 'A filled 70@9.99 cum 70 leaves 30 maker']],
  ['the queue is never longer than what is shown', [...JOINED, { quote: ['9.99', '20', '10.01', '200'] }, { print: ['9.99', '30'] }],
    [ack('A'), 'A filled 10@9.99 cum 10 leaves 90 maker']],
  ['who joins later does not push us back', [...JOINED, { quote: ['9.99', '900', '10.01', '200'] }, { print: ['9.99', '310'] }],
    [ack('A'), 'A filled 10@9.99 cum 10 leaves 90 maker']],
  ['the touch falls away: we are first', [...JOINED, { quote: ['9.98', '900', '10.01', '200'] }, { print: ['9.99', '10'] }],
    [ack('A'), 'A filled 10@9.99 cum 10 leaves 90 maker']],
  ['inside the spread nobody is ahead', [QUOTE, { order: order('A') }, { print: ['10', '10'] }], [ack('A'), 'A filled 10@10 cum 10 leaves 90 maker']],
  ['behind the touch the queue is unseen', [QUOTE, { order: order('A', { limitPx: d('9.9') }) }, { print: ['9.9', '5000'] }], [ack('A')]],
  ['once shown it is joined at the back', [QUOTE, { order: order('A', { limitPx: d('9.9') }) }, { quote: ['9.9', '40', '10', '1'] }, { print: ['9.9', '50'] }],
    [ack('A'), 'A filled 10@9.9 cum 10 leaves 90 maker']],
  ['the opposite touch crosses us: at our price, what it shows', [QUOTE, { order: order('A') }, { quote: ['9.9', '5', '9.95', '60'] }],
    [ack('A'), 'A filled 60@10 cum 60 leaves 40 maker']],
  ['price before time, one print',
    [QUOTE, { order: order('A', { limitPx: d('9.99'), orderQty: d('50') }) }, { order: order('B', { orderQty: d('50') }) }, { print: ['9.98', '70'] }],
    [ack('A'), ack('B'), 'B filled 50@10 cum 50 leaves 0 maker', 'A filled 20@9.99 cum 20 leaves 30 maker']],
  ['time at one price', [QUOTE, { order: order('A', { orderQty: d('50') }) }, { order: order('B', { orderQty: d('50') }) }, { print: ['10', '70'] }],
    [ack('A'), ack('B'), 'A filled 50@10 cum 50 leaves 0 maker', 'B filled 20@10 cum 20 leaves 30 maker']],
  ['sells mirror buys', [QUOTE, { order: order('A', { side: 'sell', limitPx: d('10.01') }) }, { print: ['10.01', '205'] }, { print: ['10.02', '6'] }],
    [ack('A'), 'A filled 5@10.01 cum 5 leaves 95 maker', 'A filled 6@10.01 cum 11 leaves 89 maker']],
]);

const PEG = [QUOTE, { order: order('A', { type: 'pegged', limitPx: null }) }] as const;
table('pegged: at the near touch, later', [
  ['joins behind the touch', [...PEG, { print: ['9.99', '310'] }], [ack('A'), 'A filled 10@9.99 cum 10 leaves 90 maker']],
  ['before the latency it stands where it stood', [...PEG, { quote: ['10', '50', '10.02', '200'] }, { wait: 7 }, { print: ['10', '500'] }], [ack('A')]],
  ['after it, at the back of the new touch', [...PEG, { quote: ['10', '50', '10.02', '200'] }, { wait: 10 }, { print: ['10', '60'] }],
    [ack('A'), 'A filled 10@10 cum 10 leaves 90 maker']],
  ['not beyond its limit',
    [QUOTE, { order: order('A', { type: 'pegged', limitPx: d('9.99') }) }, { quote: ['10', '50', '10.02', '200'] }, { wait: 10 }, { print: ['9.99', '900'] }],
    [ack('A'), 'A filled 100@9.99 cum 100 leaves 0 maker']],
  ['back before the latency: its place is kept',
    [...PEG, { quote: ['10', '50', '10.02', '9'] }, { quote: ['9.99', '900', '10.01', '9'] }, { wait: 10 }, { print: ['9.99', '310'] }],
    [ack('A'), 'A filled 10@9.99 cum 10 leaves 90 maker']],
]);

table('pov: a share of what was printed', [
  ['before a print nothing', [QUOTE, { order: market('A', { type: 'pov', participation: 0.3 }) }, QUOTE], [ack('A')]],
  ['rounded down to lots, at the far touch',
    [QUOTE, { order: market('A', { type: 'pov', participation: 0.3 }) }, { print: ['10', '19'] }, { print: ['10', '1'] }],
    [ack('A'), 'A filled 5@10.01 cum 5 leaves 95 taker', 'A filled 1@10.01 cum 6 leaves 94 taker']],
  ['within what is displayed, the debt is paid later',
    [{ quote: ['9.99', '3', '10.01', '2'] }, { order: market('A', { type: 'pov', participation: 0.5 }) }, { print: ['10', '10'] }, { quote: ['9.99', '3', '10.02', '9'] }],
    [ack('A'), 'A filled 2@10.01 cum 2 leaves 98 taker', 'A filled 3@10.02 cum 5 leaves 95 taker']],
  ['within its limit', [QUOTE, { order: order('A', { type: 'pov', participation: 0.5 }) }, { print: ['10', '10'] }, { quote: ['9.9', '3', '10', '9'] }],
    [ack('A'), 'A filled 5@10 cum 5 leaves 95 taker']],
  ['not more than ordered', [QUOTE, { order: market('A', { type: 'pov', participation: 1 }) }, { print: ['10', '1000'] }],
    [ack('A'), 'A filled 100@10.01 cum 100 leaves 0 taker']],
]);

const replace = (id: string, orig: string, qty: string, changes: Parameters<typeof order>[1] = {}): Step =>
  ({ order: order(id, { origClOrdId: orig, orderQty: d(qty), limitPx: d('9.99'), ...changes }) });
table('replace', [
  ['of nothing', [QUOTE, replace('B', 'A', '50')], ['B rejected UNKNOWN_ORDER']],
  ['of the finished', [...JOINED, { cancel: 'A' }, replace('B', 'A', '50')], [ack('A'), 'A canceled cum 0', 'B rejected TOO_LATE']],
  ['of another kind leaves the original', [...JOINED, replace('B', 'A', '50', { side: 'sell' }), { cancel: 'A' }],
    [ack('A'), 'B rejected REPLACE_TERMS', 'A canceled cum 0']],
  ['with a defect leaves the original', [...JOINED, replace('B', 'A', '0.5'), { cancel: 'A' }], [ack('A'), 'B rejected LOT_SIZE', 'A canceled cum 0']],
  ['with a known id leaves the original', [...JOINED, replace('A', 'A', '50'), { cancel: 'A' }], [ack('A'), 'A rejected DUPLICATE', 'A canceled cum 0']],
  ['less at the same price keeps the place', [...JOINED, { print: ['9.99', '300'] }, replace('B', 'A', '50'), { print: ['9.99', '10'] }],
    [ack('A'), 'B replaces A cum 0 leaves 50', 'B filled 10@9.99 cum 10 leaves 40 maker']],
  ['more goes to the back', [...JOINED, { print: ['9.99', '300'] }, replace('B', 'A', '101'), { print: ['9.99', '300'] }, { print: ['9.99', '1'] }],
    [ack('A'), 'B replaces A cum 0 leaves 101', 'B filled 1@9.99 cum 1 leaves 100 maker']],
  ['another price arrives anew', [...JOINED, { print: ['9.99', '340'] }, replace('B', 'A', '100', { limitPx: d('10.01') })],
    [ack('A'), 'A filled 40@9.99 cum 40 leaves 60 maker', 'B replaces A cum 40 leaves 60', 'B filled 60@10.01 cum 100 leaves 0 taker']],
  ['what is filled already ends it', [...JOINED, { print: ['9.99', '340'] }, replace('B', 'A', '40'), { cancel: 'B' }],
    [ack('A'), 'A filled 40@9.99 cum 40 leaves 60 maker', 'B replaces A cum 40 leaves 0', 'B cancelRejected TOO_LATE']],
  ['the old id is finished', [...JOINED, replace('B', 'A', '50'), { cancel: 'A' }, { cancel: 'B' }],
    [ack('A'), 'B replaces A cum 0 leaves 50', 'A cancelRejected TOO_LATE', 'B canceled cum 0']],
]);

table('time in force', [
  ['gtd ends at its instant', [QUOTE, { order: order('A', { tif: 'gtd', expireAt: at(5) }) }, { wait: 2 }], [ack('A'), 'A expired cum 0']],
  ['not before', [QUOTE, { order: order('A', { tif: 'gtd', expireAt: at(6) }) }, { wait: 2 }], [ack('A')]],
  ['gtd that is over takes nothing', [QUOTE, { order: order('A', { tif: 'gtd', expireAt: at(1), limitPx: d('10.01') }) }, { order: market('B') }],
    [ack('A'), 'A expired cum 0', ack('B'), 'B filled 100@10.01 cum 100 leaves 0 taker']],
  ['nor when it becomes so by a replacement', [QUOTE, { order: order('A', { tif: 'gtd', expireAt: at(9) }) },
    { order: order('B', { origClOrdId: 'A', tif: 'gtd', expireAt: at(1), limitPx: d('10.01') }) }], [ack('A'), 'B replaces A cum 0 leaves 100', 'B expired cum 0']],
  ['gtc stays', [QUOTE, { order: order('A', { tif: 'gtc' }) }, { wait: 86_400_000 }], [ack('A')]],
  ['day ends at 24:00 of New York', [QUOTE, { order: order('A') }, { wait: 52_200_000 }], [ack('A'), 'A expired cum 0']],
  ['a replaced gtd follows the new instant',
    [QUOTE, { order: order('A', { tif: 'gtd', expireAt: at(5) }) }, { order: order('B', { origClOrdId: 'A', tif: 'gtd', expireAt: at(50) }) }, { wait: 10 }, { wait: 60 }],
    [ack('A'), 'B replaces A cum 0 leaves 100', 'B expired cum 0']],
]);

t.test('the day ends at New York midnight, winter, summer and on the days between', (t) => {
  for (const [from, end] of [
    ['2026-11-20T14:30:00Z', '2026-11-21T05:00:00.000000000Z'], ['2026-11-21T04:59:59.999999999Z', '2026-11-21T05:00:00.000000000Z'],
    ['2026-11-21T05:00:00Z', '2026-11-22T05:00:00.000000000Z'], ['2026-07-01T12:00:00Z', '2026-07-02T04:00:00.000000000Z'],
    ['2026-03-08T05:30:00Z', '2026-03-09T04:00:00.000000000Z'], ['2026-11-01T04:30:00Z', '2026-11-02T05:00:00.000000000Z'],
  ] as const) t.equal(formatInstant(dayEnd(instant(from))), end, from);
  t.end();
});

t.test('fees are bps of notional, rounded half away from zero to six decimals', (t) => {
  for (const [qty, px, bps, fee] of [
    ['100', '10.01', '0.3', '0.03003'], ['1', '0.05', '0.1', '0.000001'], ['1', '0.05', '-0.1', '-0.000001'], ['1', '0.04', '0.1', '0'],
    ['1', '0.04', '-0.1', '0'],
    ['0.12345678', '98765.43', '1', '1.219326'],
  ] as const) t.equal(formatDecimal(feeOf(d(qty), d(px), d(bps))), fee);
  const fees = run([...JOINED, { print: ['9.98', '50'] }, { order: market('B') }]).flatMap((r) => (r.kind === 'filled' ? [formatDecimal(r.fee)] : []));
  t.same(fees, ['-0.00999', '0.03003'], 'makers pay the maker fee, takers the taker fee');
  t.end();
});

t.test('restored orders stand at the back, count on, and lose nothing', (t) => {
  const reports: VenueReport[] = [];
  const engine = new PaperEngine(CONFIG, INSTRUMENTS, (report) => reports.push(report));
  const open = (o: ReturnType<typeof order>, cumQty = '0') => ({ order: o, cumQty: d(cumQty), acceptedAt: at(-1000) });
  engine.restore([
    open(order('A', { limitPx: d('9.99') }), '30'), open(market('B')), open(order('C', { tif: 'ioc' })), open(order('D', { tif: 'gtd', expireAt: at(-5) })),
    open(order('E', { type: 'pegged', limitPx: null, orderQty: d('1') })),
  ], 41, at(0), ['Z']);
  feed(engine, [QUOTE, { print: ['9.99', '310'] }, { wait: 10 }, { print: ['9.99', '361'] }, { order: order('Z') }]);
  t.same(reports.map(line), [
    'C canceled cum 0', 'D expired cum 0', 'B filled 100@10.01 cum 100 leaves 0 taker', 'A filled 10@9.99 cum 40 leaves 60 maker',
    'A filled 60@9.99 cum 100 leaves 0 maker', 'E filled 1@9.99 cum 1 leaves 0 maker', 'Z rejected DUPLICATE',
  ]);
  t.same(reports.map((report) => report.sourceSeq), [42, 43, 44, 45, 46, 47, 48]);
  t.same(reports.flatMap((r) => (r.kind === 'filled' ? [r.execId] : [])), ['7X18', '7X19', '7X1A', '7X1B']);
  t.end();
});

t.test('the queue position is told', (t) => {
  const engine = new PaperEngine(CONFIG, INSTRUMENTS, () => undefined);
  const ahead = (id: string): string | null => {
    const value: Decimal | null = engine.queueAhead(id);
    return value === null ? null : formatDecimal(value);
  };
  feed(engine, [QUOTE, { order: order('A', { limitPx: d('9.99') }) }, { order: order('B', { limitPx: d('9.9') }) }, { print: ['9.99', '120'] }]);
  t.same([ahead('A'), ahead('B'), ahead('C')], ['180', null, null]);
  t.end();
});
