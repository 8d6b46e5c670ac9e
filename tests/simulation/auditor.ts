/**
 * Judges a run from outside: by the records as stored, by what left the house and by what the venue says it did. It knows the fold only
 * as what is to be checked.
 */
import { ChainVerifier, type FaultCode } from '../../compliance/chain.ts';
import { emptyState, fold, parseRecord, type State } from '../../compliance/fold.ts';
import { Replayer } from '../../compliance/replay.ts';
import type { StoredLine } from '../../compliance/journal.ts';
import { isOpen } from '../../execution/order-state.ts';
import { formatDecimal, parseDecimal } from '../../risk/domain/decimal.ts';
import type { ChildOrder } from '../../risk/domain/order.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import { breaches, exposureOf, type Counted } from './exposure.ts';
import type { Exchange } from './exchange.ts';
import { flipKey, Ledger, type Body, type LedgerParent, type RawRecord } from './ledger.ts';
import type { EmergencyDisk } from './house-ports.ts';
import { BLOBS, SETTING } from './setting.ts';

export interface Finding {
  /** What is wrong, as planted faults name it. */
  readonly name: string;
  readonly detail: string;
}

const FINDINGS_MAX = 20;
const CHAIN: Partial<Record<FaultCode, string>> = { TIME_BACKWARDS: 'time-backwards', GAP: 'seq-gap' };
const blobs = (hash: string): string | null => BLOBS.get(hash) ?? null;

export class Auditor {
  readonly findings: Finding[] = [];
  readonly #lines: readonly StoredLine[];
  readonly #sent = new Set<string>();
  /** Of what is durable: advanced before every judgement. */
  readonly #ledger = new Ledger();
  #read = 0;

  constructor(lines: readonly StoredLine[]) { this.#lines = lines; }

  found(name: string, detail: string): void {
    if (this.findings.length < FINDINGS_MAX) this.findings.push({ name, detail });
  }

  /** An order leaves the house at this moment. */
  onSend(order: ChildOrder, receipt: Receipt): void {
    const ledger = this.#catchUp();
    const line = this.#lines[receipt.seq];
    if (line === undefined) this.found('send-before-durable', `${order.clOrdId} with a receipt of ${String(receipt.seq)}, ${String(this.#lines.length)} stored`);
    else this.#compareSent(order, receipt, line);
    if (this.#sent.has(order.clOrdId)) this.found('sent-twice', order.clOrdId);
    this.#sent.add(order.clOrdId);
    const child = ledger.children.get(order.clOrdId);
    if (child === undefined) return;
    if (child.isCancelAsked) this.found('sent-after-cancel', order.clOrdId);
    const halt = this.#haltOf(child.parent, order.venue);
    if (halt !== null && !this.#isArmedClosing(halt, child.parent, order)) this.found('sent-under-halt', `${order.clOrdId} under ${halt}`);
  }

  #compareSent(order: ChildOrder, receipt: Receipt, line: StoredLine): void {
    const { kind, body } = JSON.parse(line.canonical) as RawRecord;
    if (kind !== 'slice.released' || body['clOrdId'] !== order.clOrdId) {
      this.found('send-without-record', `${order.clOrdId}: record ${String(receipt.seq)} is ${kind} of ${String(body['clOrdId'])}`);
      return;
    }
    const same = body['orderQty'] === formatDecimal(order.orderQty) && body['side'] === order.side && body['symbol'] === order.symbol
      && body['limitPx'] === (order.limitPx === null ? null : formatDecimal(order.limitPx)) && body['type'] === order.type && receipt.hash === line.hash;
    if (!same) this.found('sent-otherwise', `${order.clOrdId} differs from record ${String(receipt.seq)}`);
  }

  #catchUp(): Ledger {
    for (; this.#read < this.#lines.length; this.#read++) this.#ledger.add(JSON.parse((this.#lines[this.#read] as StoredLine).canonical) as RawRecord);
    return this.#ledger;
  }

  #haltOf({ account, strategy, symbol, trader }: LedgerParent, venue: string): string | null {
    const scopes = ['firm:*', `venue:${venue}`, `account:${account}`, `strategy:${strategy}`, `trader:${trader ?? ''}`, `instrument:${symbol}`];
    const halted = scopes.filter((scope) => this.#ledger.switches.get(scope) === 'halted');
    return halted.find((scope) => !SETTING.policy.closingUnderHalt.some(({ kind, id }) => `${kind}:${id}` === scope)) ?? halted[0] ?? null;
  }

  #isArmedClosing(halt: string, parent: LedgerParent, order: ChildOrder): boolean {
    if (!SETTING.policy.closingUnderHalt.some(({ kind, id }) => `${kind}:${id}` === halt)) return false;
    const { qty } = this.#ledger.book(parent.key);
    return order.side === 'sell' ? qty >= order.orderQty : -qty >= order.orderQty;
  }

  /** The live state at a moment in which all that was appended is stored. */
  compareLive(state: State): void {
    this.#compareBooks(this.#catchUp(), state, 'live');
  }

  #compareBooks(ledger: Ledger, { risk }: State, where: string): void {
    for (const [id, account] of risk.accounts) {
      if (account.cash !== (ledger.cash.get(id) ?? 0n)) this.found('cash', `${where}: ${id}`);
      for (const [symbol, line] of account.lines) {
        const sums = { qty: 0n, buyOpen: 0n, sellOpen: 0n, buyPlanned: 0n, sellPlanned: 0n };
        for (const [strategy, book] of line.books) {
          const own = ledger.book(`${id}|${strategy}|${symbol}`);
          const name = `${where}: ${id} ${strategy} ${symbol}`;
          if (book.qty !== own.qty) this.found('position', `${name}: ${String(book.qty)}, counted ${String(own.qty)}`);
          if (book.buyOpen !== own.buyOpen || book.sellOpen !== own.sellOpen) {
            this.found('reservation', `${name}: ${String(book.buyOpen)} ${String(book.sellOpen)}, counted ${String(own.buyOpen)} ${String(own.sellOpen)}`);
          }
          if (book.buyOpen < 0n || book.sellOpen < 0n) this.found('reservation-negative', name);
          sums.qty += book.qty;
          sums.buyOpen += book.buyOpen;
          sums.sellOpen += book.sellOpen;
          sums.buyPlanned += own.buyPlanned;
          sums.sellPlanned += own.sellPlanned;
        }
        if (line.qty !== sums.qty || line.buyOpen !== sums.buyOpen || line.sellOpen !== sums.sellOpen) this.found('line', `${where}: ${id} ${symbol}`);
        if (line.buyPlanned !== sums.buyPlanned || line.sellPlanned !== sums.sellPlanned) this.found('plan', `${where}: ${id} ${symbol}`);
      }
    }
  }

  /** The whole log, once the run is over: chain, books after every record, decisions again, limits. */
  auditLog(): void {
    const chain = new ChainVerifier();
    const ledger = new Ledger();
    const state = emptyState();
    const replayer = new Replayer(blobs);
    const limits = new LimitWatch(ledger, (detail) => { this.found('exposure', detail); });
    for (const line of this.#lines) {
      const fault = chain.add(line);
      if (fault !== null) {
        this.found(CHAIN[fault.code] ?? 'chain-broken', `${String(fault.seq)}: ${fault.detail}`);
        return;
      }
      const raw = JSON.parse(line.canonical) as RawRecord;
      limits.before(raw);
      ledger.add(raw);
      limits.after(raw);
      fold(state, parseRecord(line.canonical), blobs);
      this.#compareBooks(ledger, state, `record ${String(raw.seq)} ${raw.kind}`);
      for (const { seq, kind, part, recorded, replayed } of replayer.add(parseRecord(line.canonical))) {
        this.found('replay', `${String(seq)} ${kind} ${part}: recorded ${recorded}, again ${replayed}`);
      }
      if (this.findings.length >= FINDINGS_MAX) return;
    }
    limits.judge();
    for (const { name, detail } of ledger.wrong) this.found(name, detail);
  }

  /** The venue's own list of what it did, against the log. Of its reports only the first `heard` must have come: the others may be on their way. */
  compareVenue({ reports, received }: Exchange, heard: number): void {
    const ledger = this.#catchUp();
    const open = new Map<string, bigint>();
    const openWhenHeard = new Set<string>();
    for (const [i, report] of reports.entries()) {
      if (i === heard) for (const id of open.keys()) openWhenHeard.add(id);
      if (report.kind === 'acknowledged') open.set(report.clOrdId, 0n);
      if (report.kind === 'canceled' || report.kind === 'expired') open.delete(report.clOrdId);
      if (report.kind === 'replaced') {
        open.delete(report.origClOrdId);
        if (report.leavesQty > 0n) open.set(report.clOrdId, report.cumQty);
      }
      if (report.kind !== 'filled') continue;
      if (report.leavesQty === 0n) open.delete(report.clOrdId);
      const body = ledger.fills.get(report.execId)?.body;
      if (body === undefined && i < heard) this.found('fill-lost', `${report.execId} of ${report.clOrdId}`);
      if (body === undefined) continue;
      if (parseDecimal(body['lastQty'] as string) !== report.lastQty || parseDecimal(body['lastPx'] as string) !== report.lastPx
        || parseDecimal(body['fee'] as string) !== report.fee || body['clOrdId'] !== report.clOrdId) this.found('fill-changed', report.execId);
    }
    const filled = new Set(reports.map((report) => (report.kind === 'filled' ? report.execId : null)));
    for (const execId of ledger.fills.keys()) if (!filled.has(execId)) this.found('fill-invented', execId);
    for (const id of open.keys()) if (ledger.children.get(id)?.isEnded !== false) this.found('working-unseen', `${id} works at the venue, not in the log`);
    for (const id of received.keys()) if (!this.#sent.has(id)) this.found('arrived-unsent', id);
    for (const child of ledger.children.values()) if (!child.isEnded && !open.has(child.id) && !openWhenHeard.has(child.id)) this.found('ended-unseen', `${child.id} works in the log, not at the venue`);
  }

  /** After the calm, with nothing taken back yet: what was to end has ended, and what was done in an emergency stands in the log. */
  compareCalm(disk: EmergencyDisk): void {
    const ledger = this.#catchUp();
    for (const parent of ledger.parents.values()) {
      if (!parent.isDirect && !parent.isEnded) this.found('parent-stuck', `${parent.id} lives past its horizon`);
      for (const { id, isEnded, isCancelAsked } of parent.children) {
        if (!isEnded && !parent.isDirect) this.found('works-past-horizon', id);
        if (!isEnded && isCancelAsked) this.found('cancel-lost', id);
      }
    }
    if (disk.size > 0) this.found('emergency-left', `${String(disk.size)} entries are not set aside`);
    for (const { kind, body: stored } of disk.history) {
      const { body } = stored as unknown as { readonly body: Body };
      // where a release was lost with the house, a reduction would loosen what is halted still: it is not adopted
      const stands = kind === 'switch.flipped' ? body['state'] === 'reducing' || ledger.flips.has(flipKey(body)) : kind !== 'cancel.requested' || ledger.isOver(body['clOrdId'] as string);
      if (!stands) this.found('emergency-lost', `${kind} ${JSON.stringify(body)}`);
    }
  }

  /** After the calm: nothing is left in between, and nothing is reserved for what has ended. */
  compareRest({ execution, risk }: State): void {
    for (const { order, state } of execution.children.values()) if (isOpen(state)) this.found('left-open', `${order.clOrdId} is ${state}`);
    for (const [id, account] of risk.accounts) {
      for (const line of account.lines.values()) if (line.buyOpen !== 0n || line.sellOpen !== 0n) this.found('reservation-left', `${id} ${line.symbol}`);
    }
  }
}

const JUDGED_BY: Readonly<Partial<Record<string, readonly ('done' | 'away')[]>>> = {
  'target.decided': ['done'], 'order.decided': ['done', 'away'], 'slice.released': ['away'],
};

/** Recounts the exposure around each unit that lets something through: a target by where it ends, a slice by the worst that may fill, a direct order by both. */
class LimitWatch {
  readonly #ledger: Ledger;
  readonly #tell: (detail: string) => void;
  #unit: { readonly account: string; readonly seq: number; readonly was: Counted; readonly marks: Map<string, bigint>; readonly by: readonly ('done' | 'away')[] } | null = null;

  constructor(ledger: Ledger, tell: (detail: string) => void) {
    this.#ledger = ledger;
    this.#tell = tell;
  }

  before({ kind, body, seq, cause }: RawRecord): void {
    if (this.#unit !== null && cause !== this.#unit.seq) this.judge();
    if (this.#unit !== null && kind === 'leg.decided') this.#withdraw(this.#unit.was, body['withdraws'] as readonly string[]);
    if (this.#unit !== null && kind === 'target.withdrawn') this.#withdraw(this.#unit.was, body['parents'] as readonly string[]);
    const by = JUDGED_BY[kind];
    if (by === undefined || body['decision'] === 'denied' || body['amends'] === true || this.#unit !== null) return;
    const { books, cash, marks } = this.#ledger;
    const was = { books: new Map([...books].map(([key, book]) => [key, { ...book }])), cash: new Map(cash), marks: new Map(marks) };
    this.#unit = { account: body['account'] as string, seq, was, marks: new Map(), by };
  }

  /** A target is held against the books without the plans that it takes over. */
  #withdraw({ books }: Counted, ids: readonly string[]): void {
    for (const id of ids) {
      const parent = this.#ledger.parents.get(id);
      const book = parent === undefined ? undefined : books.get(parent.key);
      if (parent === undefined || book === undefined) continue;
      const [open, planned] = parent.side === 'buy' ? (['buyOpen', 'buyPlanned'] as const) : (['sellOpen', 'sellPlanned'] as const);
      book[open] -= parent.planned;
      book[planned] -= parent.planned;
    }
  }

  after({ body, kind, seq }: RawRecord): void {
    if (typeof body['arrivalPx'] === 'string') this.#unit?.marks.set(body['symbol'] as string, parseDecimal(body['arrivalPx']));
    const { bidPx, askPx } = (body['facts'] ?? {}) as { readonly bidPx?: string | null; readonly askPx?: string | null };
    if (typeof bidPx === 'string' && typeof askPx === 'string') this.#unit?.marks.set(body['symbol'] as string, (parseDecimal(bidPx) + parseDecimal(askPx)) / 2n);
    if (this.#unit !== null && seq === this.#unit.seq && kind === 'slice.released') this.judge(); // its reports name it as their cause too
  }

  judge(): void {
    if (this.#unit === null) return;
    const { account, seq, was, marks, by } = this.#unit;
    this.#unit = null;
    for (const plans of by) {
      const found = breaches(exposureOf(was, account, marks, plans), exposureOf(this.#ledger, account, marks, plans));
      for (const breach of found) this.#tell(`after ${String(seq)}, with plans ${plans}: ${account} ${breach}`);
    }
  }
}
