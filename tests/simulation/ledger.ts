/**
 * The auditor's own books: positions, cash, reservations, switches and orders, counted from the texts of the records alone. It shares
 * no code with the fold but the exact decimals, and states the rules of DESIGN in its own way: from scratch, an order at a time.
 */
import { parseDecimal } from '../../risk/domain/decimal.ts';

export type Body = Readonly<Record<string, unknown>>;
export interface RawRecord {
  readonly seq: number;
  readonly at: string;
  readonly kind: string;
  readonly actor: { readonly id: string };
  readonly cause: number | null;
  readonly body: Body;
}

export interface LedgerChild {
  readonly id: string;
  readonly seq: number;
  readonly chain: string;
  readonly qty: bigint;
  readonly body: Body;
  cum: bigint;
  isAccepted: boolean;
  isEnded: boolean;
  /** Filled quantity that the venue named at the end. */
  endCum: bigint | null;
  isCancelAsked: boolean;
}
export interface LedgerParent {
  readonly id: string;
  readonly key: string;
  readonly account: string;
  readonly strategy: string;
  readonly symbol: string;
  readonly trader: string | null;
  readonly side: 'buy' | 'sell';
  readonly isDirect: boolean;
  qty: bigint;
  cum: bigint;
  isEnded: boolean;
  reserved: bigint;
  planned: bigint;
  readonly children: LedgerChild[];
}
export interface LedgerBook {
  qty: bigint;
  buyOpen: bigint;
  sellOpen: bigint;
  /** Of what is open: of targets, and in no slice yet. */
  buyPlanned: bigint;
  sellPlanned: bigint;
}

const positive = (value: bigint): bigint => (value > 0n ? value : 0n);
const dec = (text: unknown): bigint => parseDecimal(text as string);
const str = (value: unknown): string => value as string;
const SCALE = 10n ** 18n;

/** What makes a flip the same in the emergency file and in the log: whom it stopped, how, and why. */
export function flipKey(body: Body): string {
  const { kind, id } = body['scope'] as { kind: string; id: string };
  return `${kind}:${id} ${str(body['state'])} ${String(body['requestId'])} ${str(body['reason'])}`;
}

export class Ledger {
  readonly cash = new Map<string, bigint>();
  /** By `account|strategy|symbol`. */
  readonly books = new Map<string, LedgerBook>();
  readonly parents = new Map<string, LedgerParent>();
  readonly children = new Map<string, LedgerChild & { readonly parent: LedgerParent }>();
  readonly switches = new Map<string, string>();
  /** Every flip that was ever recorded, by `flipKey`. */
  readonly flips = new Set<string>();
  readonly fills = new Map<string, RawRecord>();
  /** By `account|symbol`: what positions are valued at. */
  readonly marks = new Map<string, bigint>();
  readonly #decided = new Set<string>();
  readonly #traders = new Map<string, string | null>();
  /** What cannot be right whatever else is: told to the auditor. */
  readonly wrong: { readonly name: string; readonly detail: string }[] = [];

  add(record: RawRecord): void {
    const { body, kind } = record;
    switch (kind) {
      case 'account.funded':
        this.cash.set(str(body['account']), (this.cash.get(str(body['account'])) ?? 0n) + dec(body['amount']));
        return;
      case 'account.marked':
        for (const [symbol, mark] of Object.entries(body['marks'] as Body)) this.marks.set(`${str(body['account'])}|${symbol}`, dec(mark));
        return;
      case 'switch.flipped': {
        const { kind: scope, id } = body['scope'] as { kind: string; id: string };
        this.switches.set(`${scope}:${id}`, str(body['state']));
        this.flips.add(flipKey(body));
        return;
      }
      case 'target.decided':
        this.#once(`target ${str(body['account'])}/${str(body['targetId'])}`);
        this.#traders.set(`${str(body['account'])}|${str(body['targetId'])}`, (body['attribution'] as { trader: string } | null)?.trader ?? null);
        return;
      case 'leg.decided':
        for (const id of body['withdraws'] as readonly string[]) this.#end(id);
        if (body['clOrdId'] !== null) {
          const delta = dec(body['deltaQty']);
          const trader = this.#traders.get(`${str(body['account'])}|${str(body['targetId'])}`) ?? null;
          this.#parent(str(body['clOrdId']), body, { isDirect: false, side: delta < 0n ? 'sell' : 'buy', qty: delta < 0n ? -delta : delta, trader });
        }
        return;
      case 'order.decided':
        if (body['amends'] === false) this.#once(`order ${str(body['account'])}/${str(body['clOrdId'])}`);
        if (body['amends'] === false && body['decision'] !== 'denied') {
          const trader = (body['attribution'] as { trader: string } | null)?.trader ?? null;
          this.#parent(str(body['parent']), body, { isDirect: true, side: body['side'] as 'buy' | 'sell', qty: dec(body['orderQty']), trader });
        }
        return;
      case 'target.withdrawn':
        for (const id of body['parents'] as readonly string[]) this.#end(id);
        return;
      case 'parent.expired':
        this.#end(str(body['parent']));
        return;
      case 'slice.released':
        this.#release(record);
        return;
      default:
        if (typeof body['clOrdId'] === 'string') this.#ofOrder(record, body['clOrdId']);
    }
  }

  /** An id stands for one decision, for ever. */
  #once(id: string): void {
    if (this.#decided.has(id)) this.wrong.push({ name: 'decided-twice', detail: id });
    this.#decided.add(id);
  }

  /** Whether the order has ended, or was never more than an intention. */
  isOver(clOrdId: string): boolean { return this.children.get(clOrdId)?.isEnded ?? true; }

  #parent(id: string, body: Body, own: Pick<LedgerParent, 'isDirect' | 'side' | 'qty' | 'trader'>): void {
    const [account, strategy, symbol] = [str(body['account']), str(body['strategy']), str(body['symbol'])];
    this.#once(`parent ${id}`);
    const parent = { id, key: `${account}|${strategy}|${symbol}`, account, strategy, symbol, cum: 0n, isEnded: false, reserved: 0n, planned: 0n, children: [], ...own };
    this.parents.set(id, parent);
    if (body['arrivalPx'] !== null) this.marks.set(`${account}|${symbol}`, dec(body['arrivalPx']));
    this.#recount(parent);
  }

  #release({ seq, body }: RawRecord): void {
    const parent = this.parents.get(str(body['parent']));
    if (parent === undefined) {
      this.wrong.push({ name: 'orphan', detail: `slice ${str(body['clOrdId'])} of no parent` });
      return;
    }
    const replaced = body['origClOrdId'] === null ? undefined : this.children.get(str(body['origClOrdId']));
    const child = {
      parent, id: str(body['clOrdId']), seq, body, chain: replaced?.chain ?? str(body['clOrdId']), qty: dec(body['orderQty']), cum: replaced?.cum ?? 0n,
      isAccepted: false, isEnded: false, endCum: null, isCancelAsked: false,
    };
    if (parent.isEnded) this.wrong.push({ name: 'released-after-end', detail: `slice ${child.id} of ${parent.id}` });
    parent.children.push(child);
    this.children.set(child.id, child);
    if (replaced === undefined && parent.cum + this.working(parent) > parent.qty) this.wrong.push({ name: 'children-exceed-parent', detail: `${parent.id} at ${String(seq)}` });
    this.#recount(parent);
  }

  #ofOrder(record: RawRecord, clOrdId: string): void {
    const { kind, body } = record;
    if (kind === 'order.filled') this.#fill(record);
    const child = this.children.get(clOrdId);
    if (child === undefined) return;
    switch (kind) {
      case 'order.acknowledged': child.isAccepted = true; break;
      case 'order.replaced': this.#replace(child, str(body['origClOrdId']), dec(body['cumQty'])); break;
      case 'order.canceled': case 'order.expired':
        child.isEnded = true;
        child.endCum = dec(body['cumQty']);
        break;
      // A refusal of an order that the venue has is about a second arrival of it.
      case 'order.rejected': if (body['of'] !== 'cancel' && !child.isAccepted) child.isEnded = true; break;
      case 'slice.withheld': child.isEnded = true; break;
      case 'cancel.requested': child.isCancelAsked = true; break;
      default:
    }
    this.#recount(child.parent);
  }

  /** A total that is filled already leaves nothing: that is the end of it too. */
  #replace(child: LedgerChild & { readonly parent: LedgerParent }, origClOrdId: string, told: bigint): void {
    child.isAccepted = true;
    if (told >= child.qty) {
      child.isEnded = true;
      child.endCum = told;
    }
    const original = this.children.get(origClOrdId);
    if (original === undefined) return;
    original.isEnded = true;
    if (child.parent.isDirect) child.parent.qty += child.qty - original.qty;
  }

  #fill(record: RawRecord): void {
    const { body } = record;
    const [account, execId] = [str(body['account']), str(body['execId'])];
    if (this.fills.has(execId)) this.wrong.push({ name: 'fill-counted-twice', detail: execId });
    this.fills.set(execId, record);
    const lastQty = dec(body['lastQty']);
    const notional = (lastQty * dec(body['lastPx'])) / SCALE;
    const isBuy = body['side'] === 'buy';
    const book = this.book(`${account}|${str(body['strategy'])}|${str(body['symbol'])}`);
    book.qty += isBuy ? lastQty : -lastQty;
    this.cash.set(account, (this.cash.get(account) ?? 0n) - (isBuy ? notional : -notional) - dec(body['fee']));
    const child = this.children.get(str(body['clOrdId']));
    if (child === undefined) return;
    child.isAccepted = true;
    for (const other of child.parent.children) if (other.chain === child.chain && other.seq >= child.seq) other.cum += lastQty;
    if (child.cum >= child.qty) child.isEnded = true;
    child.parent.cum += lastQty;
    if (child.parent.cum > child.parent.qty) this.wrong.push({ name: 'overfilled', detail: `${child.parent.id} at ${String(record.seq)}` });
  }

  #end(id: string): void {
    const parent = this.parents.get(id);
    if (parent === undefined) return;
    parent.isEnded = true;
    this.#recount(parent);
  }

  book(key: string): LedgerBook {
    let book = this.books.get(key);
    if (book === undefined) this.books.set(key, (book = { qty: 0n, buyOpen: 0n, sellOpen: 0n, buyPlanned: 0n, sellPlanned: 0n }));
    return book;
  }

  /** What may still be filled: of an order and those that replace it, once. */
  working({ children }: LedgerParent): bigint {
    const chains = new Map<string, bigint>();
    for (const child of children) {
      const open = positive((child.isEnded ? (child.endCum ?? child.cum) : child.qty) - child.cum);
      if (open > (chains.get(child.chain) ?? 0n)) chains.set(child.chain, open);
    }
    return [...chains.values()].reduce((sum, open) => sum + open, 0n);
  }

  #recount(parent: LedgerParent): void {
    const working = this.working(parent);
    if (parent.cum >= parent.qty && working === 0n) parent.isEnded = true;
    if (parent.isDirect && parent.children.length > 0 && parent.children.every((child) => child.isEnded)) parent.isEnded = true;
    const left = positive(parent.qty - parent.cum);
    const reserved = parent.isEnded || working > left ? working : left;
    const planned = parent.isDirect ? 0n : reserved - working;
    const book = this.book(parent.key);
    if (parent.side === 'buy') {
      book.buyOpen += reserved - parent.reserved;
      book.buyPlanned += planned - parent.planned;
    } else {
      book.sellOpen += reserved - parent.reserved;
      book.sellPlanned += planned - parent.planned;
    }
    parent.reserved = reserved;
    parent.planned = planned;
  }
}
