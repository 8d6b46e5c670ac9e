/** A desk to test decisions on: the sample policy, a funded account, fresh quotes, and a command that passes. A test shows only what differs. */
import { applyFill, emptyRiskState, fund, openAccount, plan, reserve, setMark } from '../../risk/books.ts';
import type { OrderCommand, TargetCommand } from '../../risk/decision.ts';
import { parseDecimal, ZERO, type Decimal } from '../../risk/domain/decimal.ts';
import type { Attribution, OrderTerms, Side } from '../../risk/domain/order.ts';
import type { Leg, TargetPortfolio } from '../../risk/domain/target.ts';
import { instant, plusMs, type Ns } from '../../risk/domain/time.ts';
import type { Facts, SymbolFacts } from '../../risk/facts.ts';
import type { Limits, Policy, PolicyInForce } from '../../risk/policy.ts';
import type { Scope, SwitchState } from '../../risk/records.ts';
import type { Account, RiskState } from '../../risk/state.ts';
import { switchKey } from '../../risk/switches.ts';
import { sample } from './sample.ts';

export const d = parseDecimal;
export const NOW: Ns = instant('2026-11-20T09:30:00Z');
export const ATTRIBUTION: Attribution = { algorithmId: 'ALGO9', trader: 'TRADER1', desk: 'DESK1', client: 'CLIENT1', capacity: 'DEAL' };

/** The sample policy with other limits, or more. */
export function policyWith(limits: Partial<Limits> = {}, more: Partial<Policy> = {}): PolicyInForce {
  return { ...sample, policy: { ...sample.policy, ...more, limits: { ...sample.policy.limits, ...limits } } };
}

/** A price of the symbols below that makes arithmetic easy: a weight of 0.1 of 1,000,000 is 1,000 units. */
export const MID = '100';
export const QUOTE: SymbolFacts = { bidPx: d('99.99'), askPx: d('100.01'), quoteAt: plusMs(NOW, -1000), sigmaAnnual: 0.2, advQty: 10_000_000 };

export function factsOf(symbols: Readonly<Record<string, Partial<SymbolFacts> | null>>, more: Partial<Facts> = {}): Facts {
  const entries = Object.entries(symbols).flatMap(([symbol, given]): [string, SymbolFacts][] => (given === null ? [] : [[symbol, { ...QUOTE, ...given }]]));
  return { now: NOW, clockStepBackMs: 0, source: 'test-1:1', symbols: new Map(entries), ...more };
}

export interface Position {
  readonly symbol: string;
  readonly qty?: string;
  readonly buyOpen?: string;
  readonly sellOpen?: string;
  /** Whether all that is open is a target's, and not released yet. */
  readonly planned?: boolean;
  readonly strategy?: string;
  readonly mark?: string | null;
}

/** An account of 1,000,000 with positions bought (or sold) at the mid two days ago, so that the day's turnover is free. */
export function deskOf(policy: PolicyInForce | null = sample, positions: readonly Position[] = []): RiskState {
  const state = emptyRiskState();
  state.policy = policy;
  const account = openAccount(state, 'ACC1', 'USD', NOW);
  fund(account, d('1000000'));
  for (const position of positions) hold(account, position);
  return state;
}

function hold(account: Account, { symbol, qty = '0', buyOpen = '0', sellOpen = '0', planned = false, strategy = 'alpha-1', mark = MID }: Position): void {
  const size = d(qty);
  const lastQty = (size < 0n ? -size : size) as Decimal;
  const side: Side = size < 0n ? 'sell' : 'buy';
  const at = plusMs(NOW, -2 * 86_400_000);
  if (lastQty !== 0n) applyFill(account, { strategy, symbol, side, lastQty, lastPx: d(mark ?? MID), fee: ZERO, at, settlesAt: null });
  reserve(account, strategy, symbol, 'buy', d(buyOpen));
  reserve(account, strategy, symbol, 'sell', d(sellOpen));
  if (planned) plan(account, symbol, 'buy', d(buyOpen));
  if (planned) plan(account, symbol, 'sell', d(sellOpen));
  if (mark !== null) setMark(account, symbol, d(mark));
}

export function flip(state: RiskState, scope: Scope, to: SwitchState): RiskState {
  state.switches.set(switchKey(scope), { scope, state: to, since: NOW, by: 'officer', reason: 'test', engagement: 1 });
  return state;
}

export function orderOf(terms: Partial<OrderTerms> = {}, command: Partial<OrderCommand<OrderTerms>> = {}): OrderCommand<OrderTerms> {
  return {
    terms: {
      account: 'ACC1', strategy: 'alpha-1', symbol: 'IBM', side: 'buy', orderQty: d('100'), type: 'limit', limitPx: d('100'), tif: 'day', expireAt: null,
      participation: null, ...terms,
    },
    subject: 'desk-1', attribution: null, forecast: null, venue: 'PAPER', reservedQty: ZERO, ...command,
  };
}

/** Legs as `{IBM: '0.1'}`, or with a forecast. */
export function targetOf(legs: Readonly<Record<string, string | Partial<Leg>>>, more: Partial<TargetPortfolio> = {}): TargetCommand {
  const list = Object.entries(legs).map(([symbol, leg]): Leg => {
    const given = typeof leg === 'string' ? { target: d(leg) } : leg;
    return { symbol, target: ZERO, mu: null, sigma: null, forecastDays: null, ...given };
  });
  return {
    target: {
      targetId: 'T-1', account: 'ACC1', strategy: 'alpha-1', asOf: NOW, basis: 'weight', mode: 'clip', scope: 'listed', horizonSeconds: 600, attribution: null,
      legs: list, ...more,
    },
    subject: 'desk-1', venue: 'PAPER',
  };
}
