import type { Decimal } from './decimal.ts';
import type { Ns } from './time.ts';

export const SIDES = ['buy', 'sell'] as const;
export type Side = (typeof SIDES)[number];
export const ORDER_TYPES = ['market', 'limit', 'pegged', 'pov'] as const;
export type OrderType = (typeof ORDER_TYPES)[number];
export const TIFS = ['day', 'gtc', 'ioc', 'fok', 'gtd'] as const;
export type Tif = (typeof TIFS)[number];
export const ORDER_STATES = [
  'pending', 'new', 'partially_filled', 'filled', 'pending_cancel', 'canceled', 'replaced', 'denied', 'rejected', 'expired', 'unknown',
] as const;
export type OrderState = (typeof ORDER_STATES)[number];

/** +1 for a buy, −1 for a sell. */
export const signOf = (side: Side): 1 | -1 => (side === 'buy' ? 1 : -1);

/** Who answers for an order (RTS 6 Article 12, RTS 24): from the strategy's registration unless the order overrides it. */
export interface Attribution {
  readonly algorithmId: string;
  readonly trader: string;
  readonly desk: string;
  readonly client: string;
  readonly capacity: 'DEAL' | 'MTCH' | 'AOTC';
}

/** The economic content of an order, before anything was decided about it. */
export interface OrderTerms {
  readonly account: string;
  readonly strategy: string;
  readonly symbol: string;
  readonly side: Side;
  readonly orderQty: Decimal;
  readonly type: OrderType;
  /** Required for `limit`; a bound on the others where given. */
  readonly limitPx: Decimal | null;
  readonly tif: Tif;
  /** Only, and always, with `gtd`. */
  readonly expireAt: Ns | null;
  /** Share of the market's volume, (0, 1]; only, and always, with `pov`. */
  readonly participation: number | null;
}

/** One order as a venue receives it. `origClOrdId` makes it a cancel/replace of that order; `orderQty` is then the new total. */
export interface ChildOrder extends OrderTerms {
  readonly clOrdId: string;
  readonly origClOrdId: string | null;
  readonly parent: string;
  readonly venue: string;
}

/** Terms with the names under which they go to a venue. Key by key: a spread that adds keys costs more than reading all facts of a decision. */
export function childOrder(terms: OrderTerms, names: Omit<ChildOrder, keyof OrderTerms>): ChildOrder {
  const { account, strategy, symbol, side, orderQty, type, limitPx, tif, expireAt, participation } = terms;
  const { clOrdId, origClOrdId, parent, venue } = names;
  return { account, strategy, symbol, side, orderQty, type, limitPx, tif, expireAt, participation, clOrdId, origClOrdId, parent, venue };
}
