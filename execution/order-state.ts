/** What becomes of a child order: one table, total by type. */
import { ORDER_STATES } from '../risk/domain/order.ts';
import type { OrderState } from '../risk/domain/order.ts';

export const ORDER_EVENTS = [
  'acknowledged', 'partiallyFilled', 'filled', 'canceled', 'expired', 'replaced', 'rejected', 'withheld', 'cancelRequested', 'cancelRejected', 'lost',
] as const;
/**
 * What happens to an order. `replaced`: another order took its place. `rejected`: the order itself, also when it was to replace
 * another. `withheld`: by us, before sending. `lost`: the venue does not say what became of it.
 */
export type OrderEvent = (typeof ORDER_EVENTS)[number];

/** `working` is new or partially_filled, by what is filled. `=` stays as it is. `!` stays too, and cannot be: somebody is wrong. */
type Cell = OrderState | 'working' | '=' | '!';
type OnePer<T extends readonly unknown[]> = { readonly [K in keyof T]: Cell };
/** A cell for each of `ORDER_STATES`, in its order. */
type Row = OnePer<typeof ORDER_STATES>;

/** Late evidence is honoured: a fill after the cancel counts, an acknowledgement after the fill changes nothing. */
const TABLE: Readonly<Record<OrderEvent, Row>> = {
  //              pending           new               partially_filled  filled pending_cancel canceled  replaced denied rejected expired   unknown
  acknowledged:    ['working',        '=',              '=',              '=',   '=',           '=',      '=',     '!',   '!',     '=',      'working'],
  partiallyFilled: ['working',        'working',        '=',              '!',   '=',           '=',      '=',     '!',   '!',     '=',      'working'],
  filled:          ['filled',         'filled',         'filled',         '!',   'filled',      'filled', '=',     '!',   '!',     'filled', 'filled'],
  canceled:        ['canceled',       'canceled',       'canceled',       '!',   'canceled',    '=',      '!',     '!',   '!',     '!',      'canceled'],
  expired:         ['expired',        'expired',        'expired',        '!',   'expired',     '!',      '!',     '!',   '!',     '=',      'expired'],
  replaced:        ['replaced',       'replaced',       'replaced',       '!',   'replaced',    '!',      '=',     '!',   '!',     '!',      'replaced'],
  rejected:        ['rejected',       '!',              '!',              '!',   'rejected',    '!',      '!',     '!',   '=',     '!',      'rejected'],
  withheld:        ['denied',         '!',              '!',              '!',   'denied',      '!',      '!',     '=',   '!',     '!',      'denied'],
  cancelRequested: ['pending_cancel', 'pending_cancel', 'pending_cancel', '=',   '=',           '=',      '=',     '=',   '=',     '=',      'pending_cancel'],
  cancelRejected:  ['=',              '=',              '=',              '=',   'working',     '=',      '=',     '=',   '=',     '=',      '='],
  lost:            ['unknown',        'unknown',        'unknown',        '=',   'unknown',     '=',      '=',     '=',   '=',     '=',      '='],
};

export interface Transition {
  readonly state: OrderState;
  /** False when an order in that state cannot have had this event: the state stays, and a break is to be raised. */
  readonly possible: boolean;
}

/** The state after an event. `anyFilled`: whether some of the order is filled, this event included. */
export function transition(state: OrderState, event: OrderEvent, anyFilled: boolean): Transition {
  const cell: Cell = TABLE[event][ORDER_STATES.indexOf(state)] as Cell;
  if (cell === '=' || cell === '!') return { state, possible: cell === '=' };
  if (cell === 'working') return { state: anyFilled ? 'partially_filled' : 'new', possible: true };
  return { state: cell, possible: true };
}

const OPEN: Readonly<Record<OrderState, boolean>> = {
  pending: true, new: true, partially_filled: true, pending_cancel: true, unknown: true,
  filled: false, canceled: false, replaced: false, denied: false, rejected: false, expired: false,
};

/** Whether the venue may still fill an order in this state. */
export const isOpen = (state: OrderState): boolean => OPEN[state];
