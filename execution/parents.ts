/** How parents reserve, end and finish: the arithmetic under the fold. */
import { maximum, subtract, ZERO, type Decimal } from '../risk/domain/decimal.ts';
import type { OrderState } from '../risk/domain/order.ts';
import type { Ns } from '../risk/domain/time.ts';
import { accountOf, plan, reserve } from '../risk/books.ts';
import type { RiskState } from '../risk/state.ts';
import { isOpen } from './order-state.ts';
import { FINISHED_GENERATION, targetKey } from './state.ts';
import type { Child, EndReason, ExecutionState, Parent, Target } from './state.ts';
import { keep } from './window.ts';

const notBelowZero = (value: Decimal): Decimal => maximum(value, ZERO);

/** What may still be filled of a child: its leaves while it is open; after its end, fills that the venue counted and we have not seen. */
function openQty({ order, state, cumQty, endedCumQty }: Child): Decimal {
  return notBelowZero(subtract(isOpen(state) ? order.orderQty : (endedCumQty ?? cumQty), cumQty));
}

/** What may still be filled of all children. Of an order and those that are to replace it, one is filled: the largest counts. */
export function workingQty({ children }: Pick<Parent, 'children'>): Decimal {
  const [first] = children;
  if (children.length === 1 && first !== undefined) return openQty(first);
  const byChain = new Map<string, Decimal>();
  for (const child of children) byChain.set(child.chain, maximum(byChain.get(child.chain) ?? ZERO, openQty(child)));
  return [...byChain.values()].reduce<Decimal>((sum, qty) => (sum + qty) as Decimal, ZERO);
}

/** What a parent holds in the books: its leaves while it lives, or what its children may still fill where that is more. */
const reservedQty = (parent: Pick<Parent, 'end' | 'orderQty' | 'cumQty'>, working: Decimal): Decimal =>
  (parent.end === null ? maximum(notBelowZero(subtract(parent.orderQty, parent.cumQty)), working) : working);

/** The child that works a direct order: the latest of its chain that may still fill. */
export function workingChild({ children }: Pick<Parent, 'children'>): Child | null {
  return children.findLast(({ state }) => isOpen(state)) ?? null;
}

/**
 * The child that a direct order stands as: the latest, but for a replacement that ended before the venue took it. That one was never in
 * force, whether the venue refused it, the last look held it back or it was cancelled before it left.
 */
export function standingChild({ children }: Pick<Parent, 'children'>): Child | null {
  return children.findLast(({ order, state, acceptedAt }) => order.origClOrdId === null || acceptedAt !== null || isOpen(state)) ?? null;
}

/** What is left of an order: nothing of one that has ended, and never less, though fills may race a smaller quantity. */
export const leavesOf = ({ end, orderQty, cumQty }: Pick<Parent, 'end' | 'orderQty' | 'cumQty'>): Decimal =>
  (end === null ? notBelowZero(subtract(orderQty, cumQty)) : ZERO);

/** The same of a child by itself. */
export const childLeavesOf = ({ order, state, cumQty }: Child): Decimal => (isOpen(state) ? notBelowZero(subtract(order.orderQty, cumQty)) : ZERO);

/** Filled or working: what counts against the schedule. What an immediate order left unfilled may be released again. */
export function committedQty(parent: Parent): Decimal {
  return (parent.cumQty + workingQty(parent)) as Decimal;
}

/** Ends a live parent: nothing more of it is released. What works at a venue stays reserved. */
export function endParent(parent: Parent, reason: EndReason, at: Ns, px: Decimal | null = null): void {
  parent.end ??= { reason, at, px };
}

/**
 * After anything happened to a parent: ends it when it is filled or, being a direct order, when its order has ended; moves the books
 * by the difference of its reservation; and takes it out of the live maps once nothing of it is open.
 */
export function settleParent(state: ExecutionState, risk: RiskState, parent: Parent, at: Ns): void {
  const working = workingQty(parent);
  if (parent.cumQty >= parent.orderQty && working === 0n) endParent(parent, 'filled', at);
  if (parent.clOrdId !== null) endDirect(parent, at);
  const reserved = reservedQty(parent, working);
  const planned = parent.targetId === null ? ZERO : subtract(reserved, working);
  if (reserved !== parent.reserved) reserve(accountOf(risk, parent.account), parent.strategy, parent.symbol, parent.side, subtract(reserved, parent.reserved));
  if (planned !== parent.planned) plan(accountOf(risk, parent.account), parent.symbol, parent.side, subtract(planned, parent.planned));
  parent.reserved = reserved;
  parent.planned = planned;
  if (parent.end !== null && !parent.children.some(isPresent)) finish(state, parent);
}

const isPresent = (child: Child): boolean => isOpen(child.state) || openQty(child) > 0n;

const ENDS: Readonly<Partial<Record<OrderState, EndReason>>> = {
  filled: 'filled', canceled: 'canceled', expired: 'expired', rejected: 'rejected', denied: 'denied',
};

/** A direct order is over when nothing of its chain is open; why, says the child that it stands as. */
function endDirect(parent: Parent, at: Ns): void {
  if (parent.end !== null || parent.children.length === 0 || parent.children.some((child) => isOpen(child.state))) return;
  const last = standingChild(parent);
  endParent(parent, (last && ENDS[last.state]) ?? 'canceled', at);
}

function finish(state: ExecutionState, parent: Parent): void {
  if (!state.parents.delete(parent.id)) return;
  if (parent.targetId === null) {
    shelve(state, parent);
    return;
  }
  const target = state.targets.get(targetKey(parent.account, parent.targetId));
  if (target === undefined) throw new RangeError('a parent that outlived its target');
  state.finishedLegs.set(parent.id, parent);
  target.open -= 1;
  settleTarget(state, target);
}

/** Takes a target and its legs out of the live maps once all its legs are known and none is open. */
export function settleTarget(state: ExecutionState, target: Target): void {
  if (target.open > 0 || target.legsToCome > 0) return;
  const key = targetKey(target.account, target.targetId);
  state.targets.delete(key);
  keep(state.finishedTargets, key, target, isFull);
  for (const id of target.parents) {
    shelve(state, state.finishedLegs.get(id) as Parent);
    state.finishedLegs.delete(id);
  }
}

/** Into the window of the finished, with its children. */
function shelve({ children, finishedParents, finishedChildren }: ExecutionState, parent: Parent): void {
  const { young } = finishedParents;
  keep(finishedParents, parent.id, parent, isFull);
  if (finishedParents.young !== young) Object.assign(finishedChildren, { old: finishedChildren.young, young: new Map() });
  for (const child of parent.children) {
    children.delete(child.order.clOrdId);
    finishedChildren.young.set(child.order.clOrdId, child);
  }
}

const isFull = ({ size }: ReadonlyMap<string, unknown>): boolean => size >= FINISHED_GENERATION;
