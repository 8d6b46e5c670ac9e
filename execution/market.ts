import type { Decimal } from '../risk/domain/decimal.ts';
import type { Ns } from '../risk/domain/time.ts';

/** Best bid and offer. A side without interest has quantity 0 and price 0. */
export interface Quote {
  readonly symbol: string;
  readonly bidPx: Decimal;
  readonly bidQty: Decimal;
  readonly askPx: Decimal;
  readonly askQty: Decimal;
  readonly at: Ns;
}

/** A trade that happened. */
export interface Print {
  readonly symbol: string;
  readonly px: Decimal;
  readonly qty: Decimal;
  readonly at: Ns;
}

export type MarketEvent = { readonly kind: 'quote'; readonly quote: Quote } | { readonly kind: 'print'; readonly print: Print };

/** Market data. Quotes are pulled; events are pushed for watched symbols only, in time order. */
export interface Market {
  /** `synthetic-1:<seed>` or `replay-1:<format>`: the name and version of what computed the facts. */
  readonly source: string;
  /** The last quote at or before now; null when none has come yet. */
  quote(symbol: string): Quote | null;
  /** Counted: as many `unwatch` as `watch` end the events of a symbol. */
  watch(symbol: string): void;
  unwatch(symbol: string): void;
  onEvent(listener: (event: MarketEvent) => void): void;
  start(): void;
  stop(): void;
}
