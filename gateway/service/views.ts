/** Pieces that several answers share. */
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor } from '../../risk/domain/record.ts';
import { reaches, type Principal } from '../auth/principal.ts';
import type { House } from '../house.ts';
import { problem } from '../http/errors.ts';
import type { AccountHint, Answer } from '../http/service.ts';

export const actorOf = (principal: Principal): Actor => ({ id: principal.sub, role: principal.role });

export const receiptView = (receipt: Receipt | null): { log: string; seq: number; hash: string } | null =>
  receipt === null ? null : { log: receipt.log, seq: receipt.seq, hash: receipt.hash };

/** New work is refused while the gateway waits for something, or has more in flight than it takes; cancels and switches are not. */
export function busy(house: House): Answer {
  const waitingFor = house.waitingFor();
  return waitingFor === null ? problem('OVERLOADED', 'More is in flight than is taken: try again') : problem('NOT_READY', `The gateway waits for ${waitingFor}`);
}

export interface Meant {
  readonly account: string | null;
  /** More than one account knows the id. */
  readonly isAmbiguous: boolean;
}

/**
 * The account in which an id is meant: the one asked for; else the only one that the token reaches; else the only one of those that
 * knows the id. Null where there is none.
 */
export function accountFor(house: House, principal: Principal, hint: AccountHint, knows: (account: string) => boolean): Meant {
  const only = (account: string | null | undefined) => ({ account: account ?? null, isAmbiguous: false });
  if (hint !== undefined) return only(reaches(principal, hint) ? hint : null);
  const reached = [...house.state.risk.accounts.keys()].filter((account) => reaches(principal, account));
  if (reached.length === 1) return only(reached[0]);
  const knowing = reached.filter(knows);
  return knowing.length > 1 ? { account: null, isAmbiguous: true } : only(knowing[0]);
}
