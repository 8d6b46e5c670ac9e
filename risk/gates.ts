/** The switches as one order meets them: what is halted, what is halted but armed for closings, what is reducing. */
import type { Policy } from './policy.ts';
import type { Scope } from './records.ts';
import type { RiskState } from './state.ts';
import { scopesOf, stateOf, switchKey, type Touched } from './switches.ts';

/** The widest scope in each state; null where there is none. */
export interface Gates {
  readonly halted: Scope | null;
  /** Halted, but the policy lets a proven closing through (`closingUnderHalt`). */
  readonly armed: Scope | null;
  readonly reducing: Scope | null;
}

const OPEN: Gates = { halted: null, armed: null, reducing: null };

export function gatesOf(state: RiskState, policy: Policy, touched: Touched): Gates {
  if (state.switches.size === 0) return OPEN;
  let { halted, armed, reducing } = OPEN;
  for (const scope of scopesOf(touched)) {
    const found = stateOf(state, scope);
    if (found === 'reducing') reducing ??= scope;
    else if (found === 'halted' && isArmed(policy, scope)) armed ??= scope;
    else if (found === 'halted') halted ??= scope;
  }
  return { halted, armed, reducing };
}

const isArmed = (policy: Policy, scope: Scope): boolean => policy.closingUnderHalt.some(({ kind, id }) => kind === scope.kind && id === scope.id);

export const scopeText = (state: string, scope: Scope): string => `${state} ${switchKey(scope)}`;
