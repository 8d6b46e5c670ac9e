import type { Market, MarketEvent, Print, Quote } from '../../execution/market.ts';

/** A market that says what a test tells it to. */
export interface FixedMarket extends Market {
  /** Sets the quote and tells it to the listeners where the symbol is watched. */
  set(quote: Quote): void;
  /** Tells a print where the symbol is watched. */
  print(print: Print): void;
  /** Tells any event, watched or not. */
  push(event: MarketEvent): void;
  /** Forgets the quote of a symbol, as if none had come. */
  clear(symbol: string): void;
  /** How many watch the symbol now. */
  watchers(symbol: string): number;
}

export function fixedMarket(quotes: readonly Quote[] = []): FixedMarket {
  const last = new Map(quotes.map((quote) => [quote.symbol, quote]));
  const watching = new Map<string, number>();
  const listeners: ((event: MarketEvent) => void)[] = [];
  const watchers = (symbol: string): number => watching.get(symbol) ?? 0;
  const push = (event: MarketEvent): void => {
    for (const listener of listeners) listener(event);
  };
  return {
    source: 'fixed-1:test',
    quote: (symbol) => last.get(symbol) ?? null,
    watch: (symbol) => void watching.set(symbol, watchers(symbol) + 1),
    unwatch: (symbol) => void watching.set(symbol, Math.max(0, watchers(symbol) - 1)),
    onEvent: (listener) => void listeners.push(listener),
    start: () => undefined,
    stop: () => undefined,
    set(quote) {
      last.set(quote.symbol, quote);
      if (watchers(quote.symbol) > 0) push({ kind: 'quote', quote });
    },
    print(print) {
      if (watchers(print.symbol) > 0) push({ kind: 'print', print });
    },
    push,
    clear: (symbol) => void last.delete(symbol),
    watchers,
  };
}
