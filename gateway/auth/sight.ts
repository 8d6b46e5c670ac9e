/** What of the log a token may see, and which scopes it may act on: the same on every face. */
import type { LogRecord } from '../../risk/domain/record.ts';
import type { Scope } from '../../risk/records.ts';
import { reaches, type Principal } from './principal.ts';

/** The account that a strategy is registered on; null for one that nobody knows. */
export type AccountOf = (strategy: string) => string | null;

/**
 * A scope of an account or of a strategy is for who reaches the account. What holds everybody up from above is for everybody; but a
 * trader's is none of a strategy's business.
 */
export function seesScope(principal: Principal, { kind, id }: Scope, accountOf: AccountOf): boolean {
  if (kind === 'account') return reaches(principal, id);
  if (kind === 'strategy') return reaches(principal, accountOf(id) ?? '');
  return kind !== 'trader' || principal.role !== 'strategy';
}

/** A record of an account or of a scope is for who reaches it; of the rest a strategy sees nothing. */
export function seesRecord(principal: Principal, { body }: LogRecord, accountOf: AccountOf): boolean {
  const { account, scope } = body as { readonly account?: string; readonly scope?: Scope };
  if (account !== undefined) return reaches(principal, account);
  return scope === undefined ? principal.role !== 'strategy' : seesScope(principal, scope, accountOf);
}
