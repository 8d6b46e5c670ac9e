import type { Role } from '../../risk/domain/record.ts';

export const ROLES = ['strategy', 'risk_officer', 'compliance', 'regulator', 'admin'] as const satisfies readonly Role[];

/** Who a verified token speaks for. */
export interface Principal {
  readonly sub: string;
  readonly role: Role;
  readonly accounts: ReadonlySet<string>;
  /** When the token ends: wall clock, milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** The human or program behind it: issuer and subject, ASCII case folded. Two tokens of one person have the same key. */
  readonly person: string;
}

export const isRole = (value: unknown): value is Role => ROLES.some((role) => role === value);

/** One person, by any token: issuer and `sub`, without regard to ASCII case. No `sub` has a space, so the key is unambiguous. */
export function personOf(issuer: string, sub: string): string {
  return `${issuer} ${sub}`.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * Whether the token reaches `account`. A strategy reaches only the accounts named in it. The other roles serve the whole firm and
 * name accounts to be narrowed to them.
 */
export function reaches(principal: Principal, account: string): boolean {
  return principal.accounts.has(account) || reachesAll(principal);
}

/** Whether the token serves the whole firm. */
export const reachesAll = ({ role, accounts }: Principal): boolean => role !== 'strategy' && accounts.size === 0;
