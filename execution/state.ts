/**
 * What the execution room knows: a fold over the log, changed by `execution/reducer.ts` alone. Live things stand in maps of their
 * own; what is finished leaves them for a bounded window, and older things are read from the database.
 */
import type { Decimal } from '../risk/domain/decimal.ts';
import type { Forecast } from '../risk/decision.ts';
import type { Attribution, ChildOrder, OrderState, Side } from '../risk/domain/order.ts';
import { NS_PER_DAY, type Ns } from '../risk/domain/time.ts';
import { isOpen } from './order-state.ts';
import { emptyWindow, recall } from './window.ts';
import type { Window } from './window.ts';

export interface ExecutionState {
  /** By id: those that live, and those ended ones that have open quantity at a venue. In the order of their decision. */
  readonly parents: Map<string, Parent>;
  /** By id: the finished legs of a live target, which is told whole while it lives. */
  readonly finishedLegs: Map<string, Parent>;
  /** Children of all these by clOrdId, the ended ones too. In the order of their release. */
  readonly children: Map<string, Child>;
  /** By `targetKey`: those with a parent in `parents`. */
  readonly targets: Map<string, Target>;
  /** The last finished ones, in generations of `FINISHED_GENERATION`. */
  readonly finishedParents: Window<Parent>;
  readonly finishedTargets: Window<Target>;
  /** Children of the parents in `finishedParents`, by clOrdId: the venue may have a late word about them. Derived from it. */
  readonly finishedChildren: Window<Child>;
  /** By `orderKey` or `targetKey`: seq of the decision that a repeat is answered with. Two days of them at least, or the last `IDS_GENERATION` when they come faster. */
  readonly ids: Window<number>;
  /** `at` of the first id of the young generation. */
  idsSince: Ns;
  /** By venue id: the last source sequence that is in the log. Where resumption starts. */
  readonly venues: Map<string, number>;
  /** Whether an id has ever left the window: then the database is asked about ids that are not in it. */
  forgotten: boolean;
}

export const FINISHED_GENERATION = 10_000;
/** Two of them are at most 2 million ids. */
export const IDS_GENERATION = 1_000_000;
export const IDS_GENERATION_NS: bigint = 2n * NS_PER_DAY;

export interface Target {
  readonly targetId: string;
  readonly account: string;
  readonly strategy: string;
  readonly seq: number;
  readonly decision: 'accepted' | 'clipped' | 'denied';
  /** Null when it was missing, and the target denied for that. */
  readonly attribution: Attribution | null;
  /** Legs whose records have not come yet; they stand in the same unit. */
  legsToCome: number;
  /** Parents that are not finished. */
  open: number;
  /** Ids of all its parents, in the order of the legs. */
  readonly parents: string[];
}

export type EndReason = 'filled' | 'withdrawn' | 'superseded' | 'expired' | 'canceled' | 'rejected' | 'denied';

export interface Parent {
  readonly id: string;
  /** The caller's id of a direct order; null for a target's leg. */
  readonly clOrdId: string | null;
  /** Null for a direct order. */
  readonly targetId: string | null;
  readonly account: string;
  readonly strategy: string;
  /** Who answers for its orders, as decided; null when it was missing, and the order denied for that. */
  readonly attribution: Attribution | null;
  /** Of the target's leg: its slices are sized by it too. Null for a direct order. */
  readonly forecast: Forecast | null;
  readonly symbol: string;
  readonly side: Side;
  /** Of a direct order that was denied: no child says it. */
  readonly asked: Pick<ChildOrder, 'type' | 'limitPx'> | null;
  /** Of the decision; an amendment moves it when the venue has replaced the order. */
  orderQty: Decimal;
  readonly decidedSeq: number;
  readonly decidedAt: Ns;
  /** Mid and half spread at the decision; null when there was no quote. */
  readonly arrivalPx: Decimal | null;
  readonly halfSpread: Decimal | null;
  /** Cumulative quantities, spread evenly from the decision to the end; empty for a direct order. */
  readonly schedule: readonly string[];
  readonly expireAt: Ns | null;
  /** The schedule's instant that was last dealt with: released or withheld. */
  lastDue: Ns | null;
  cumQty: Decimal;
  /** Σ lastQty·lastPx, exact. */
  cost: Decimal;
  /** Σ lastQty·mid at the release of the filled slice. */
  releaseCost: Decimal;
  fees: Decimal;
  /** What the books hold for it; and what of that no slice was released of. A direct order is released whole. */
  reserved: Decimal;
  planned: Decimal;
  /** Null while it lives. `px`: mid at the end, where it was recorded. */
  end: { readonly reason: EndReason; readonly at: Ns; readonly px: Decimal | null } | null;
  readonly children: Child[];
}

export interface Child {
  readonly order: ChildOrder;
  /** Of its `slice.released`. */
  readonly seq: number;
  readonly arm: string;
  /** Mid at its release; the parent's arrival for a direct order. */
  readonly releaseMid: Decimal | null;
  /** The first order of its chain of replacements; its own clOrdId when it replaces none. */
  readonly chain: string;
  state: OrderState;
  /** When the venue said that it has the order; null while it has not. */
  acceptedAt: Ns | null;
  /** Folded fills, those of the orders it replaces included: `order.orderQty` is the total of the chain. */
  cumQty: Decimal;
  /** Of these fills: Σ lastQty·lastPx, exact. */
  cost: Decimal;
  /** The venue's own ids of the fills that it told of this order itself. */
  readonly execIds: string[];
  /** The largest total that a fill has named; more than `cumQty`: an earlier fill is still on its way. */
  toldQty: Decimal;
  /** Filled quantity that the venue named when it ended the order; null before. More than `cumQty`: fills are still on their way. */
  endedCumQty: Decimal | null;
}

export function emptyExecutionState(): ExecutionState {
  return {
    parents: new Map(), finishedLegs: new Map(), children: new Map(), targets: new Map(), finishedParents: emptyWindow(), finishedTargets: emptyWindow(),
    finishedChildren: emptyWindow(), ids: emptyWindow(), idsSince: 0n as Ns, venues: new Map(), forgotten: false,
  };
}

// Accounts have no `|`, so two ids never make one key.
export const orderKey = (account: string, clOrdId: string): string => `order|${account}|${clOrdId}`;
export const targetKey = (account: string, targetId: string): string => `target|${account}|${targetId}`;

/** A parent, live or finished lately; null when it is older or was never there. */
export function findParent(state: ExecutionState, id: string): Parent | null {
  return state.parents.get(id) ?? state.finishedLegs.get(id) ?? recall(state.finishedParents, id) ?? null;
}

/** Whether an order may still fill at its venue, as far as is known. */
export function isWorking({ children }: ExecutionState, clOrdId: string): boolean {
  const child = children.get(clOrdId);
  return child !== undefined && isOpen(child.state);
}

/** A child of such a parent; null when it is older or was never there. */
export function findChild(state: ExecutionState, clOrdId: string): Child | null {
  return state.children.get(clOrdId) ?? recall(state.finishedChildren, clOrdId) ?? null;
}

/** A target, live or finished lately; null when it is older or was never there. */
export function findTarget(state: ExecutionState, account: string, targetId: string): Target | null {
  const key = targetKey(account, targetId);
  return state.targets.get(key) ?? recall(state.finishedTargets, key) ?? null;
}

/** Whether a venue's report is in the log already. Answers to queries carry sequence 0 and are never repeats. */
export function isRepeat(state: ExecutionState, venue: string, sourceSeq: number): boolean {
  return sourceSeq !== 0 && sourceSeq <= (state.venues.get(venue) ?? 0);
}
