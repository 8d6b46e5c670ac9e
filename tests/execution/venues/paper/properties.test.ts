import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import type { Decimal } from '../../../../risk/domain/decimal.ts';
import { ORDER_TYPES, SIDES, TIFS } from '../../../../risk/domain/order.ts';
import { encodeReport } from '../../../../execution/venues/paper/codec.ts';
import { PaperEngine } from '../../../../execution/venues/paper/engine.ts';
import { needsShared, shared } from '../../../shared.ts';
import { audited } from './auditor.ts';
import { at, CONFIG, d, feed, INSTRUMENTS, order, run, type Step } from './fixture.ts';

const cents = (n: number): string => (n / 100).toFixed(2);
const qty = fc.integer({ min: 0, max: 60 });
const price = fc.integer({ min: 995, max: 1005 });

const aQuote = fc.tuple(price, qty, fc.integer({ min: 1, max: 3 }), qty).map(([bid, bidQty, spread, askQty]): Step => ({
  quote: [bidQty === 0 ? '0' : cents(bid), String(bidQty), askQty === 0 ? '0' : cents(bid + spread), String(askQty)],
}));
const aPrint = fc.tuple(price, fc.integer({ min: 1, max: 80 })).map(([px, n]): Step => ({ print: [cents(px), String(n)] }));
const id = fc.integer({ min: 0, max: 30 }).map((n) => `O${n}`);
const anOrder = fc.record({
  clOrdId: id, origClOrdId: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: id }),
  side: fc.constantFrom(...SIDES), type: fc.constantFrom('limit', 'limit', ...ORDER_TYPES), tif: fc.constantFrom('gtc', 'day', 'day', ...TIFS),
  qty: fc.integer({ min: 1, max: 120 }), px: price, bounded: fc.boolean(), expireMs: fc.integer({ min: 0, max: 200 }),
}).map(({ qty: n, px, bounded, expireMs, ...rest }): Step => ({
  order: order(rest.clOrdId, {
    ...rest, orderQty: d(String(n)), limitPx: rest.type === 'limit' || bounded ? d(cents(px)) : null,
    participation: rest.type === 'pov' ? 0.37 : null, expireAt: rest.tif === 'gtd' ? at(expireMs) : null,
  }),
}));
const aStep = fc.oneof({ weight: 4, arbitrary: aQuote }, { weight: 5, arbitrary: aPrint }, { weight: 6, arbitrary: anOrder },
  { weight: 1, arbitrary: id.map((cancel): Step => ({ cancel })) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 30 }).map((wait): Step => ({ wait })) });
const aScript = fc.array(aStep, { minLength: 5, maxLength: 120, size: 'max' });

t.test('an auditor who knows only inputs and reports finds nothing', (t) => {
  let fills = 0;
  fc.assert(fc.property(aScript, (steps) => { fills += audited(steps).fills; }), { numRuns: 400 });
  t.ok(fills > 2_000, `${fills} fills were judged`);
  t.end();
});

t.test('the same inputs give the same bytes', (t) => {
  fc.assert(fc.property(aScript, (steps) => {
    const bytes = (): string => run(steps).map((report) => JSON.stringify(encodeReport(report))).join('\n');
    return bytes() === bytes();
  }), { numRuns: 100 });
  t.end();
});

t.test('a place in the queue only gets better', (t) => {
  const keepsPlace = fc.array(fc.oneof(aQuote, aPrint), { maxLength: 60, size: 'max' });
  fc.assert(fc.property(fc.array(price, { minLength: 1, maxLength: 8, size: 'max' }), keepsPlace, (prices, steps) => {
    const engine = new PaperEngine(CONFIG, INSTRUMENTS, () => undefined);
    const orders = prices.map((px, i) => order(`A${i}`, { limitPx: d(cents(px)), orderQty: d('1000'), tif: 'gtc' }));
    let ms = feed(engine, [{ quote: ['9.99', '50', '10.01', '50'] }, ...orders.map((o): Step => ({ order: o }))]);
    const places = (): (Decimal | null)[] => orders.map(({ clOrdId }) => engine.queueAhead(clOrdId));
    let last = places();
    for (const step of steps) {
      ms = feed(engine, [step], ms);
      const now = places();
      for (const [i, ahead] of now.entries()) {
        const before = last[i];
        if (ahead !== null && before !== null && before !== undefined && ahead > before) return false;
        const sameLevelLater = orders.findIndex((o, j) => j > i && o.limitPx === orders[i]?.limitPx);
        const behind = now[sameLevelLater];
        if (ahead !== null && behind !== null && behind !== undefined && behind < ahead) return false;
      }
      last = now;
    }
    return true;
  }), { numRuns: 200 });
  t.end();
});

t.test('on recorded NASDAQ data: passive, taking and following orders', needsShared('realdata/lobster'), (t) => {
  const rows = (name: string): number[][] => 
    gunzipSync(readFileSync(shared(`realdata/lobster/excerpt_AAPL_${name}_10.csv.gz`))).toString().trim().split('\n').map((row) => row.split(',').map(Number));
  const book = rows('orderbook');
  const dollars = (n: number): string => (n / 10_000).toFixed(2);
  const steps = rows('message').flatMap((message, k): Step[] => {
    const [, type, , size, px] = message as [number, number, number, number, number, number];
    const [askPx, askQty, bidPx, bidQty] = book[k] as [number, number, number, number];
    const side = k % 2 === 0 ? 'buy' as const : 'sell' as const;
    const limitPx = d(dollars(side === 'buy' ? bidPx : askPx));
    const sent: Step[] = k % 10 === 0 ? [{ order: order(`L${k}`, { side, limitPx }) }]
      : k % 51 === 0 ? [{ order: order(`P${k}`, { side, type: 'pegged', limitPx: null }) }]
      : k % 97 === 0 ? [{ order: order(`V${k}`, { side, type: 'pov', limitPx: null, participation: 0.1 }) }]
      : k % 71 === 0 ? [{ order: order(`M${k}`, { side, type: 'market', limitPx: null }) }] : [];
    // Executions (4 visible, 5 hidden) are prints; they come before the book that they leave.
    const printed: Step[] = type === 4 || type === 5 ? [{ print: [dollars(px), String(size)] }] : [];
    return [...printed, { quote: [dollars(bidPx), String(bidQty), dollars(askPx), String(askQty)] }, ...sent];
  });
  const auditor = audited(steps);
  t.ok(auditor.fills > 50, `${auditor.fills} fills were judged`);
  t.end();
});
