/** A short language for the paper engine's tables: steps in, one line a report out. */
import { formatDecimal, parseDecimal, type Decimal } from '../../../../risk/domain/decimal.ts';
import type { Instrument } from '../../../../risk/domain/instrument.ts';
import type { ChildOrder } from '../../../../risk/domain/order.ts';
import { instant, plusMs, type Ns } from '../../../../risk/domain/time.ts';
import type { Print, Quote } from '../../../../execution/market.ts';
import type { VenueReport } from '../../../../execution/venue.ts';
import { PaperEngine } from '../../../../execution/venues/paper/engine.ts';
import type { PaperConfig } from '../../../../execution/venues/paper/terms.ts';

export const d = parseDecimal;
export const T0 = instant('2026-11-20T14:30:00Z');
export const at = (ms: number): Ns => plusMs(T0, ms);

export const CONFIG: PaperConfig = { latencyMs: 0, makerFeeBps: -0.2, takerFeeBps: 0.3, repegLatencyMs: 10, seed: 7 };

export function instrument(symbol: string, changes: Partial<Instrument> = {}): Instrument {
  return {
    symbol, name: symbol, sector: 'tech', assetClass: 'equity', currency: 'USD', lotSize: d('1'), tickSize: d('0.01'), settlementDays: 1,
    referencePx: d('100'), advQty: 1e6, sigmaAnnual: 0.2, beta: 1, spreadBps: 2, ...changes,
  };
}
export const INSTRUMENTS: ReadonlyMap<string, Instrument> = new Map(['SPY', 'IBM'].map((symbol) => [symbol, instrument(symbol)]));

/** An order with valid defaults: a test shows only what differs. */
export function order(clOrdId: string, changes: Partial<ChildOrder> = {}): ChildOrder {
  return {
    clOrdId, origClOrdId: null, parent: 'P1', venue: 'PAPER', account: 'ACC1', strategy: 'alpha-1', symbol: 'SPY', side: 'buy', orderQty: d('100'),
    type: 'limit', limitPx: d('10'), tif: 'day', expireAt: null, participation: null, ...changes,
  };
}
export const market = (clOrdId: string, changes: Partial<ChildOrder> = {}): ChildOrder => order(clOrdId, { type: 'market', limitPx: null, ...changes });

export function quote(ms: number, bidPx: string, bidQty: string, askPx: string, askQty: string, symbol = 'SPY'): Quote {
  return { symbol, bidPx: d(bidPx), bidQty: d(bidQty), askPx: d(askPx), askQty: d(askQty), at: at(ms) };
}
export const print = (ms: number, px: string, qty: string, symbol = 'SPY'): Print => ({ symbol, px: d(px), qty: d(qty), at: at(ms) });

export type Step =
  | { readonly order: ChildOrder } | { readonly cancel: string } | { readonly wait: number }
  | { readonly quote: readonly [string, string, string, string] } | { readonly print: readonly [string, string] };

/** Each step stands one millisecond after the one before; `wait` adds to it. Gives back the time it has become. */
export function feed(engine: PaperEngine, steps: readonly Step[], fromMs = 0): number {
  let ms = fromMs;
  for (const step of steps) {
    ms++;
    if ('order' in step) engine.submit(step.order, at(ms));
    else if ('cancel' in step) engine.cancel(step.cancel, at(ms));
    else if ('quote' in step) engine.onEvent({ kind: 'quote', quote: quote(ms, ...step.quote) });
    else if ('print' in step) engine.onEvent({ kind: 'print', print: print(ms, ...step.print) });
    else engine.advance(at(ms += step.wait));
  }
  return ms;
}

export function run(steps: readonly Step[], config: Partial<PaperConfig> = {}): VenueReport[] {
  const reports: VenueReport[] = [];
  feed(new PaperEngine({ ...CONFIG, ...config }, INSTRUMENTS, (report) => reports.push(report)), steps);
  return reports;
}

const f = (value: Decimal): string => formatDecimal(value);

/** `A filled 100@10.01 cum 100 leaves 0 taker`. */
export function line(report: VenueReport): string {
  const { kind, clOrdId } = report;
  switch (kind) {
    case 'acknowledged': case 'absent': return `${clOrdId} ${kind}`;
    case 'canceled': case 'expired': return `${clOrdId} ${kind} cum ${f(report.cumQty)}`;
    case 'rejected': case 'cancelRejected': return `${clOrdId} ${kind} ${report.reason}`;
    case 'replaced': return `${clOrdId} replaces ${report.origClOrdId} cum ${f(report.cumQty)} leaves ${f(report.leavesQty)}`;
    case 'filled': {
      const { lastQty, lastPx, cumQty, leavesQty, liquidity } = report;
      return `${clOrdId} filled ${f(lastQty)}@${f(lastPx)} cum ${f(cumQty)} leaves ${f(leavesQty)} ${liquidity}`;
    }
  }
}
