/** Switches: scopes, their ids and their states. What an order meets of them is found in `gates.ts`. */
import { isAccountId, isStrategyId, isSubject, isSymbol } from './domain/ids.ts';
import type { Scope, ScopeKind, SwitchState } from './records.ts';
import type { RiskState } from './state.ts';

/** From loose to strict. */
const STRICTNESS: Record<SwitchState, number> = { active: 0, reducing: 1, halted: 2 };

/** What an id of each scope looks like. A trader is whoever the attribution names; a venue is written as an account is. */
const SCOPE_IDS: Record<ScopeKind, (id: unknown) => id is string> = {
  firm: (id): id is string => id === '*',
  venue: isAccountId,
  account: isAccountId,
  strategy: isStrategyId,
  trader: isSubject,
  instrument: isSymbol,
};
export const SCOPE_KINDS = Object.keys(SCOPE_IDS) as readonly ScopeKind[];
export const FIRM: Scope = { kind: 'firm', id: '*' };

const isScopeKind = (kind: unknown): kind is ScopeKind => typeof kind === 'string' && Object.hasOwn(SCOPE_IDS, kind);
export const isScope = (kind: unknown, id: unknown): boolean => isScopeKind(kind) && SCOPE_IDS[kind](id);

/** The key of a scope in `RiskState.switches`. A kind has no colon, so two scopes never share one. */
export const switchKey = (scope: Scope): string => `${scope.kind}:${scope.id}`;

/** What an order touches. Null where it is not known, e.g. an order without attribution has no trader. */
export interface Touched {
  readonly venue: string | null;
  readonly account: string;
  readonly strategy: string;
  readonly trader: string | null;
  /** Null asks about the strategy as a whole. */
  readonly symbol: string | null;
}

/** The scopes that match, from wide to narrow. */
export function scopesOf({ venue, account, strategy, trader, symbol }: Touched): Scope[] {
  const scopes: Scope[] = [FIRM];
  if (venue !== null) scopes.push({ kind: 'venue', id: venue });
  scopes.push({ kind: 'account', id: account }, { kind: 'strategy', id: strategy });
  if (trader !== null) scopes.push({ kind: 'trader', id: trader });
  if (symbol !== null) scopes.push({ kind: 'instrument', id: symbol });
  return scopes;
}

/** State of one switch; one that never flipped is active. */
export const stateOf = (state: RiskState, scope: Scope): SwitchState => state.switches.get(switchKey(scope))?.state ?? 'active';

/** Takes two, `halted → reducing` included. */
export const isLoosening = (from: SwitchState, to: SwitchState): boolean => STRICTNESS[to] < STRICTNESS[from];
