/** Judges the paper engine from outside. */
import { ZERO, type Decimal } from '../../../../risk/domain/decimal.ts';
import type { ChildOrder, Side } from '../../../../risk/domain/order.ts';
import type { VenueReport } from '../../../../execution/venue.ts';
import { PaperEngine } from '../../../../execution/venues/paper/engine.ts';
import { CONFIG, d, feed, INSTRUMENTS, type Step } from './fixture.ts';

/** Judges a run from its inputs and reports alone, knowing nothing of how the engine works. */
export class Auditor {
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
      if (report.leavesQty === 0n) this.ended.add(report.clOrdId);
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
      const crossed = side === 'buy' ? far.px <= fill.lastPx : far.px >= fill.lastPx;
      this.#expect(fill.liquidity === 'taker' ? fill.lastPx === far.px : crossed, 'a price that is shown');
      far.left = (far.left - fill.lastQty) as Decimal;
      this.#expect(far.left >= 0n, 'what is shown is taken once');
    }
  }

  #expect(holds: boolean, what: string): void {
    if (!holds) throw new Error(what);
  }
}

/** Runs a script under audit; throws at the first report that is not right. */
export function audited(steps: readonly Step[]): Auditor {
  const auditor = new Auditor();
  const reports: VenueReport[] = [];
  const engine = new PaperEngine(CONFIG, INSTRUMENTS, (report) => reports.push(report));
  let ms = 0;
  for (const step of steps) {
    auditor.before(step);
    ms = feed(engine, [step], ms);
    for (const report of reports.splice(0)) auditor.heard(report);
  }
  return auditor;
}
