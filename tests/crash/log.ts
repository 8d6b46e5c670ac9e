/** The log as a stranger reads it, and what he counts from it: every line is parsed and hashed here, nothing of the gateway's fold is used. */
import { leafHash } from '../../compliance/canonical.ts';
import { NO_HASH } from '../../compliance/seal.ts';
import { add, multiply, negate, parseDecimal, subtract, ZERO, type Decimal } from '../../risk/domain/decimal.ts';
import type { Site } from './site.ts';

export interface Stored {
  readonly seq: number;
  readonly hash: string;
  readonly at: string;
  readonly kind: string;
  readonly cause: number | null;
  readonly prev: string;
  readonly body: Record<string, unknown>;
}

const PAGE = 1_000;

export class LogReader {
  readonly records: Stored[] = [];
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  /** Reads what has come since; throws where the chain does not hold. What was read before must still be what the rest follows. */
  async advance(): Promise<readonly Stored[]> {
    const from = this.records.length;
    for (;;) {
      const page = await this.#site.ask('GET', `/v1/audit/records?after=${String(this.records.length - 1)}&limit=${String(PAGE)}`, undefined, 'regulator', 'reg');
      if (page.status !== 200) throw new Error(`the records cannot be read: ${page.text}`);
      for (const line of page.body['items'] as { canonical: string; hash: string }[]) this.#take(line);
      if (page.body['next'] === null) return this.records.slice(from);
    }
  }

  #take({ canonical, hash }: { readonly canonical: string; readonly hash: string }): void {
    const record = { ...(JSON.parse(canonical) as Omit<Stored, 'hash'>), hash };
    const seq = this.records.length;
    if (record.seq !== seq || leafHash(canonical) !== hash || record.prev !== (this.records[seq - 1]?.hash ?? NO_HASH)) throw new Error(`the chain does not hold at ${String(seq)}`);
    this.records.push(record);
  }
}

export const isReport = ({ body }: Stored): boolean => typeof body['sourceSeq'] === 'number';

interface CountedChild {
  readonly parent: string;
  readonly orderQty: Decimal;
  cumQty: Decimal;
  isOpen: boolean;
}

/** Cash, positions and working orders, counted from the records alone. */
export class Recount {
  cash = ZERO;
  readonly positions = new Map<string, Decimal>();
  readonly children = new Map<string, CountedChild>();
  /** Of direct orders: the caller's id by the parent's. */
  readonly direct = new Map<string, string>();

  add({ kind, body }: Stored): void {
    const text = (field: string): string => body[field] as string;
    const child = this.children.get(text('clOrdId'));
    switch (kind) {
      case 'account.funded':
        this.cash = add(this.cash, parseDecimal(text('amount')));
        return;
      case 'order.decided':
        if (body['amends'] !== true) this.direct.set(text('parent'), text('clOrdId'));
        return;
      case 'slice.released': {
        const cumQty = this.children.get(text('origClOrdId'))?.cumQty ?? ZERO;
        this.children.set(text('clOrdId'), { parent: text('parent'), orderQty: parseDecimal(text('orderQty')), cumQty, isOpen: true });
        return;
      }
      case 'order.filled':
        this.#fill(text);
        return;
      case 'order.replaced':
        this.children.get(text('origClOrdId'))!.isOpen = false;
        if (parseDecimal(text('cumQty')) >= child!.orderQty) child!.isOpen = false;
        return;
      case 'order.rejected':
        if (body['of'] !== 'cancel') child!.isOpen = false;
        return;
      case 'order.canceled': case 'order.expired':
        child!.isOpen = false;
        return;
      case 'slice.withheld':
        if (child !== undefined) child.isOpen = false;
    }
  }

  #fill(text: (field: string) => string): void {
    const child = this.children.get(text('clOrdId'))!;
    const qty = parseDecimal(text('lastQty'));
    const signed = text('side') === 'buy' ? qty : negate(qty);
    this.cash = subtract(subtract(this.cash, multiply(signed, parseDecimal(text('lastPx')))), parseDecimal(text('fee')));
    this.positions.set(text('symbol'), add(this.positions.get(text('symbol')) ?? ZERO, signed));
    // The order that is to replace this one, and the other way round, fill together.
    for (const other of this.children.values()) if (other.parent === child.parent && other !== child && other.isOpen) other.cumQty = add(other.cumQty, qty);
    child.cumQty = add(child.cumQty, qty);
    if (child.cumQty >= child.orderQty) child.isOpen = false;
  }
}
