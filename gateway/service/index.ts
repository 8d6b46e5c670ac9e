/** The house as the faces see it. */
import type { LogStore } from '../../compliance/journal.ts';
import { formatInstant } from '../../risk/domain/time.ts';
import type { House } from '../house.ts';
import type { Answer, Service } from '../http/service.ts';
import type { Transparency } from '../transparency.ts';
import { accountService } from './accounts.ts';
import { auditService } from './audit.ts';
import { orderService } from './orders.ts';
import type { Refusals } from './refusals.ts';
import { switchService } from './switches.ts';
import { targetService } from './targets.ts';

export interface ServiceParts {
  readonly house: House;
  readonly store: LogStore;
  readonly transparency: Transparency;
  readonly refusals: Refusals;
  /** A replayed clock stands until the first accepted command. */
  readonly begin: () => void;
}

export function createService({ house, store, transparency, refusals, begin }: ServiceParts): Service {
  const targets = targetService(house);
  const orders = orderService(house);
  const begins = async (answering: Promise<Answer>): Promise<Answer> => {
    const answer = await answering;
    if (answer.status === 201) begin();
    return answer;
  };
  return {
    ...targets,
    ...orders,
    ...accountService(house),
    ...switchService(house),
    ...auditService(house, store, transparency),
    submitTarget: (principal, body, options) => begins(targets.submitTarget(principal, body, options)),
    submitOrder: (principal, body) => begins(orders.submitOrder(principal, body)),
    ready: () => {
      const waitingFor = house.waitingFor();
      const state = { now: formatInstant(house.timers.now()), head: house.journal.durableSize - 1 };
      return waitingFor === null ? { ready: true, ...state } : { ready: false, ...state, waitingFor };
    },
    refused: (event) => { refusals.note(event); },
  };
}
