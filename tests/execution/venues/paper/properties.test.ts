import fc from 'fast-check';
import t from 'tap';
import { ZERO, type Decimal } from '../../../../risk/domain/decimal.ts';
import { ORDER_TYPES, SIDES, TIFS, type ChildOrder, type Side } from '../../../../risk/domain/order.ts';
import type { VenueReport } from '../../../../execution/venue.ts';
import { encodeReport } from '../../../../execution/venues/paper/codec.ts';
import { PaperEngine } from '../../../../execution/venues/paper/engine.ts';
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
  clOrdId: id, origClOrdId: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: id }), side: fc.constantFrom(...SIDES), type: fc.constantFrom('limit', 'limit', ...ORDER_TYPES), tif: fc.constantFrom('gtc', 'day', 'day', ...TIFS),
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

/** Judges a run from its inputs and reports alone, knowing nothing of how the engine works. */
class Auditor {
  readonly orders = new Map<string, ChildOrder>();
  readonly cum = new Map<string, Decimal>();
  readonly ended = new Set<string>();
  readonly execIds = new Set<string>();
  quote: Record<Side, { px: Decimal; left: Decimal }> | null = null;
  printPx = ZERO;
  printLeft = ZERO;
  seq = 0;
  fills = 0;

  before(step: Step): void {
    if ('quote' in step) {
      const [bidPx, bidQty, askPx, askQty] = step.quote.map(d) as [Decimal, Decimal, Decimal, Decimal];
      this.quote = { buy: { px: askPx, left: askQty }, sell: { px: bidPx, left: bidQty } };
    }
    this.printLeft = ZERO;
    if ('print' in step) {
      this.printPx = d(step.print[0]);
      this.printLeft = d(step.print[1]);
    }
    if ('order' in step && !this.orders.has(step.order.clOrdId)) this.orders.set(step.order.clOrdId, step.order);
  }

  heard(report: VenueReport): void {
    this.#expect(report.sourceSeq === ++this.seq, 'gapless');
    const terms = this.orders.get(report.clOrdId);
    if (report.kind === 'rejected' || report.kind === 'cancelRejected') return;
    this.#expect(terms !== undefined && !this.ended.has(report.clOrdId), 'nothing is said of an order that is over');
    if (report.kind === 'replaced') {
      this.#expect(report.cumQty === this.cum.get(report.origClOrdId), 'the chain keeps what was filled');
      this.ended.add(report.origClOrdId);
      this.cum.set(report.clOrdId, report.cumQty);
    }
    if (report.kind === 'acknowledged') this.cum.set(report.clOrdId, ZERO);
    if (report.kind === 'canceled' || report.kind === 'expired') {
      this.#expect(report.cumQty === this.cum.get(report.clOrdId), 'cumQty at the end');
      this.ended.add(report.clOrdId);
    }
    if (report.kind === 'filled') this.#fill(report, terms as ChildOrder);
  }

  #fill(fill: Extract<VenueReport, { kind: 'filled' }>, terms: ChildOrder): void {
    const { side, limitPx, orderQty } = terms;
    const quote = this.quote;
    this.fills++;
    this.#expect(fill.lastQty > 0n && fill.cumQty === (this.cum.get(fill.clOrdId) as bigint) + fill.lastQty, 'cumQty counts the fills');
    this.#expect(fill.leavesQty === orderQty - fill.cumQty && fill.leavesQty >= 0n, 'never more than ordered');
    this.#expect(limitPx === null || (side === 'buy' ? fill.lastPx <= limitPx : fill.lastPx >= limitPx), 'within the limit');
    this.#expect(!this.execIds.has(fill.execId), 'execId is unique');
    this.execIds.add(fill.execId);
    this.cum.set(fill.clOrdId, fill.cumQty);
    if (fill.leavesQty === 0n) this.ended.add(fill.clOrdId);
    const far = quote?.[side];
    if (fill.liquidity === 'maker' && this.printLeft > 0n) {
      this.#expect(side === 'buy' ? this.printPx <= fill.lastPx : this.printPx >= fill.lastPx, 'the print reached the price');
      this.printLeft = (this.printLeft - fill.lastQty) as Decimal;
      this.#expect(this.printLeft >= 0n, 'one print is given away once');
    } else {
      if (far === undefined) throw new Error('a fill without a quote');
      this.#expect(fill.liquidity === 'taker' ? fill.lastPx === far.px : side === 'buy' ? far.px <= fill.lastPx : far.px >= fill.lastPx, 'a price that is shown');
      far.left = (far.left - fill.lastQty) as Decimal;
      this.#expect(far.left >= 0n, 'what is shown is taken once');
    }
  }

  #expect(holds: boolean, what: string): void {
    if (!holds) throw new Error(what);
  }
}

t.test('an auditor who knows only inputs and reports finds nothing', (t) => {
  let fills = 0;
  fc.assert(fc.property(aScript, (steps) => {
    const auditor = new Auditor();
    const reports: VenueReport[] = [];
    const engine = new PaperEngine(CONFIG, INSTRUMENTS, (report) => reports.push(report));
    let ms = 0;
    for (const step of steps) {
      auditor.before(step);
      ms = feed(engine, [step], ms);
      for (const report of reports.splice(0)) auditor.heard(report);
    }
    fills += auditor.fills;
  }), { numRuns: 400 });
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
