/** A small world that writes legal records: a gateway and a venue without opinions, for tests of the fold. */
import type { RecordBodies } from '../../compliance/records.ts';
import { foldExecution } from '../../execution/reducer.ts';
import type { CancelRequested, OrderAcknowledged } from '../../execution/records.ts';
import { emptyExecutionState } from '../../execution/state.ts';
import type { ExecutionState } from '../../execution/state.ts';
import { emptyRiskState, fund, openAccount } from '../../risk/books.ts';
import { parseDecimal } from '../../risk/domain/decimal.ts';
import type { Side } from '../../risk/domain/order.ts';
import type { LogRecord } from '../../risk/domain/record.ts';
import { formatInstant, instant, type Ns } from '../../risk/domain/time.ts';
import type { RiskState } from '../../risk/state.ts';

export type Bodies = RecordBodies;
export type AnyRecord = { [K in keyof Bodies]: LogRecord<K, Bodies[K]> }[keyof Bodies];

export const FACTS = { bidPx: '99.99', askPx: '100.01', quoteAt: '2026-11-20T09:30:00.000000000Z', sigmaAnnual: 0.2, advQty: 1e6 } as const;
const VERDICT = { decision: 'accepted', verdicts: [], observed: [] } as const;
const POLICY = { id: 'p', version: 1, hash: '0'.repeat(64) } as const;
export const START: Ns = instant('2026-11-20T09:30:00Z');

export const fundedRisk = (): RiskState => {
  const risk = emptyRiskState();
  fund(openAccount(risk, 'ACC1', 'USD', START), parseDecimal('1000000'));
  return risk;
};

/** What a child is to those who look from outside. */
export interface Sent {
  readonly id: string;
  readonly parent: string;
  readonly orig: string | null;
  readonly strategy: string;
  readonly symbol: string;
  readonly side: Side;
}

export class World {
  readonly records: AnyRecord[] = [];
  readonly state: ExecutionState = emptyExecutionState();
  readonly risk: RiskState = fundedRisk();
  readonly sent = new Map<string, Sent>();
  sourceSeq = 0;

  get seq(): number {
    return this.records.length;
  }

  log<K extends keyof Bodies>(kind: K, body: Bodies[K]): void {
    const at = (START + BigInt(this.seq) * 1_000_000n) as Ns;
    const record = { log: 'L', seq: this.seq, at, kind, v: 1, actor: { id: 'a', role: 'system' }, cause: null, body } as unknown as AnyRecord;
    this.records.push(record);
    foldExecution(this.state, this.risk, record);
  }

  /** A direct order and its slice; returns the child's id. */
  order(qty: number, side: Side = 'buy', strategy = 's1', symbol = 'AAA', decision: 'accepted' | 'denied' = 'accepted'): string {
    const parent = `P${this.seq}`;
    this.#decide(parent, `C${this.seq}`, { qty, side, strategy, symbol, amends: false, decision });
    return decision === 'denied' ? parent : this.release(parent, qty, { side, strategy, symbol });
  }

  #decide(parent: string, clOrdId: string, of: Terms & { readonly qty: number; readonly amends: boolean; readonly decision: 'accepted' | 'denied' }): void {
    const { qty, side, strategy, symbol, amends, decision } = of;
    this.log('order.decided', {
      ...VERDICT, decision, clOrdId, parent, account: 'ACC1', strategy, symbol, side, orderQty: `${qty}`, type: 'limit', limitPx: '100', tif: 'day',
      expireAt: null, participation: null, attribution: null, requestHash: `h${this.seq}`, policy: POLICY, source: 'x', facts: FACTS, arrivalPx: '100', amends,
    });
  }

  /** An order that is to replace `orig` with a new total; returns its id. */
  amend(orig: string, qty: number): string {
    const before = this.sent.get(orig)!;
    const parent = this.state.parents.get(before.parent)!;
    this.#decide(parent.id, parent.clOrdId!, { ...before, qty, amends: true, decision: 'accepted' });
    return this.release(before.parent, qty, before, orig);
  }

  release(parent: string, qty: number, { side, strategy, symbol }: Terms, orig: string | null = null, due: string | null = null): string {
    const id = `K${this.seq}`;
    this.sent.set(id, { id, parent, orig, strategy, symbol, side });
    this.log('slice.released', {
      ...VERDICT, clOrdId: id, origClOrdId: orig, parent, account: 'ACC1', strategy, symbol, side, orderQty: `${qty}`, type: 'limit', limitPx: '100',
      tif: 'day', expireAt: null, participation: null, venue: 'PAPER', due, arm: 'cross', arms: [],
      facts: due === null ? null : { ...FACTS, bidPx: '100.09', askPx: '100.11' },
    });
    return id;
  }

  /** A target of one strategy; a leg is a signed quantity by symbol. Returns the parents' ids. */
  target(strategy: string, legs: readonly (readonly [symbol: string, deltaQty: number, withdraws?: readonly string[]])[]): readonly string[] {
    const targetId = `T${this.seq}`;
    this.log('target.decided', {
      ...VERDICT, targetId, account: 'ACC1', strategy, asOf: formatInstant(START), basis: 'weight', mode: 'clip', scope: 'listed', horizonSeconds: 60,
      attribution: null, requestHash: `h${this.seq}`, policy: POLICY, legs: legs.length, source: 'x', equity: '1000000', peak: '1000000', governor: 1,
    });
    return legs.flatMap(([symbol, deltaQty, withdraws = []]) => {
      const clOrdId = deltaQty === 0 ? null : `P${this.seq}`;
      this.log('leg.decided', {
        ...VERDICT, clOrdId, targetId, account: 'ACC1', strategy, symbol, requested: '0.1', allowed: '0.1', deltaQty: `${deltaQty}`, mu: null, sigma: null,
        forecastDays: null, facts: FACTS, arrivalPx: '100', withdraws,
        schedule: [`${Math.abs(deltaQty)}`], expireAt: formatInstant((START + 60_000_000_000n) as Ns),
      });
      return clOrdId === null ? [] : [clOrdId];
    });
  }

  #named(id: string): Omit<CancelRequested, 'reason'> {
    const { parent, strategy, symbol } = this.sent.get(id)!;
    return { clOrdId: id, parent, account: 'ACC1', strategy, symbol, venue: 'PAPER' };
  }

  #report(id: string): OrderAcknowledged {
    const at = formatInstant(START);
    return { ...this.#named(id), venueAt: at, receivedAt: at, sourceSeq: ++this.sourceSeq };
  }

  acknowledge(id: string): void {
    this.log('order.acknowledged', this.#report(id));
  }

  fill(id: string, qty: number, px = 100): void {
    const report = this.#report(id);
    this.log('order.filled', {
      ...report, side: this.sent.get(id)!.side, execId: `E${report.sourceSeq}`, lastQty: `${qty}`, lastPx: `${px}`, cumQty: '0', leavesQty: '0', fee: '0.5',
      liquidity: 'taker', settlesAt: null,
    });
  }

  end(kind: 'order.canceled' | 'order.expired', id: string, cumQty: number): void {
    this.log(kind, { ...this.#report(id), cumQty: `${cumQty}` });
  }

  reject(id: string, of: 'new' | 'replace' | 'cancel' = 'new'): void {
    this.log('order.rejected', { ...this.#report(id), reason: 'r', of });
  }

  replaced(id: string): void {
    this.log('order.replaced', { ...this.#report(id), origClOrdId: this.sent.get(id)!.orig!, cumQty: '0', leavesQty: '0' });
  }

  requestCancel(id: string): void {
    this.log('cancel.requested', { ...this.#named(id), reason: 'r' });
  }

  lose(id: string): void {
    this.log('order.unknown', { ...this.#named(id), reason: 'r' });
  }

  withhold(id: string): void {
    const { parent, strategy, symbol } = this.sent.get(id)!;
    const of = { account: 'ACC1', clOrdId: id, parent, strategy, symbol };
    this.log('slice.withheld', { ...VERDICT, ...of, decision: 'denied', why: 'switched', judged: null, due: null, orderQty: '1' });
  }

  expire(parent: string): void {
    const { strategy, symbol } = this.state.parents.get(parent)!;
    this.log('parent.expired', { clOrdId: parent, parent, account: 'ACC1', strategy, symbol, leavesQty: '0', endPx: '101' });
  }

  withdraw(parents: readonly string[]): void {
    this.log('target.withdrawn', { targetId: 'T', account: 'ACC1', strategy: 's1', reason: 'r', parents });
  }
}

interface Terms { readonly side: Side; readonly strategy: string; readonly symbol: string }
