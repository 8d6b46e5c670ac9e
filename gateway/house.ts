import type { Journal } from '../compliance/journal.ts';
import type { State } from '../compliance/fold.ts';
import type { Market } from '../execution/market.ts';
import { findParent, orderKey, type Parent } from '../execution/state.ts';
import { recall } from '../execution/window.ts';
import type { RoutingPolicy } from '../execution/route.ts';
import type { Timers } from '../execution/time.ts';
import type { Venue } from '../execution/venue.ts';
import type { LogRecord } from '../risk/domain/record.ts';
import type { PolicyInForce } from '../risk/policy.ts';
import type { EmergencyAct } from './emergency.ts';

/** What flows work with: the state, the one writer, the clock, the market and the venues. All ports; the simulation brings its own. */
export interface House {
  /** The fold of the log up to the last appended record: at most one batch ahead of the disk. */
  readonly state: State;
  readonly journal: Journal;
  readonly timers: Timers;
  readonly market: Market;
  readonly venues: ReadonlyMap<string, Venue>;
  /** Resolves with a venue's next word on an order, or without it after `withinMs`. */
  readonly heardOf: (clOrdId: string, withinMs: number) => Promise<void>;
  readonly router: RoutingPolicy;
  /** Whether new work is taken: the log flows and has room, and the venues are up. Cancels, switches and reports never ask. */
  readonly admits: () => boolean;
  /** What keeps new work out; null when nothing does. */
  readonly waitingFor: () => string | null;
  /** Why the kill file halts the firm; null while it is not there. While it is, nobody releases the firm. */
  readonly killed: () => string | null;
  /** How far the clock last stepped back, ms. */
  readonly clockStepBackMs: () => number;
  /** Records that memory has forgotten, by the key of `subjectOf`; ascending. */
  readonly lookUp: (subject: string) => Promise<readonly LogRecord[]>;
  /** Stored records `from ≤ seq < to`. */
  readonly records: (from: number, to: number) => Promise<readonly LogRecord[]>;
  /** The policy, with its universe, that was in force at the record with this seq. */
  readonly policyAt: (seq: number) => Promise<PolicyInForce>;
  /** What is done while the log cannot be written: chained to an fsynced file. */
  readonly emergency: EmergencyAct;
  /** A flow that no caller waits for has failed: the process stops, and recovery takes over. */
  readonly fail: (error: unknown) => void;
  /** What `durable` resolves to, or null as soon as the log cannot be written: a kill does not wait for it. */
  readonly unlessUnwritable: <T>(durable: Promise<T>) => Promise<T | null>;
}

/** The policy in force. A log begins with one, so its absence is a defect of the start. */
export function policyInForce(house: House): PolicyInForce {
  const policy = house.state.risk.policy;
  if (policy === null) throw new Error('no policy is in force');
  return policy;
}

/** The account that a strategy is registered on; null for one that the policy does not know. */
export function accountOfStrategy({ policy }: PolicyInForce, strategy: string): string | null {
  return policy.strategies.find(({ id }) => id === strategy)?.account ?? null;
}

/** The one venue of the policy, until routing chooses among several. */
export function venueFor(house: House): string {
  const venue = policyInForce(house).policy.venues[0];
  if (venue === undefined) throw new Error('the policy in force names no venue');
  return venue.id;
}

/** Who answers for a parent's orders: switches of the scope `trader` apply to them. */
export function traderOf(house: House, parent: string): string | null {
  return findParent(house.state.execution, parent)?.attribution?.trader ?? null;
}

/** Ids that go to venues and into reports: `[A-Z0-9]`, unique in the log because a seq is, and across logs because of the tag. */
export function idOf(log: string, seq: number): string {
  return tagOf(log) + seq.toString(36).toUpperCase();
}

const tagOf = (log: string): string => log.slice(0, 8).toUpperCase();

/** The seq that an id of this log was made from; null for another's. */
export function seqOf(log: string, id: string): number | null {
  if (!id.startsWith(tagOf(log))) return null;
  const seq = Number.parseInt(id.slice(8), 36);
  return idOf(log, seq) === id ? seq : null;
}

/** The parent of a caller's order, whose id is made from the seq of its decision (submit-order.ts); null when it is older or was never there. */
export function findOrder({ state: { execution }, journal }: House, account: string, clOrdId: string): Parent | null {
  const seq = recall(execution.ids, orderKey(account, clOrdId));
  return seq === undefined ? null : findParent(execution, idOf(journal.log, seq));
}
