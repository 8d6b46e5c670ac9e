/** The one way from a face to the service: form → role → account → room → one call. HTTP and socket both go through it. */
import { reaches, type Principal } from '../auth/principal.ts';
import { BOUNDS, Buckets, type InFlight } from './bounds.ts';
import { Refusal, type EdgeCode } from './errors.ts';
import { accountsNamed, admit, type RawInput, type Route } from './route.ts';
import type { Answer, RefusalEvent, Service } from './service.ts';

export interface Performer {
  /** Rejects with a Refusal, or with a defect. */
  perform(route: Route, principal: Principal, raw: RawInput): Promise<Answer>;
  /** Throws Refusal RATE_LIMITED for a person with too many 403s within a minute, unless the route is urgent. */
  checkRate(route: Route | null, principal: Principal): void;
  /** Hands a refusal of the edge to the service: a 403 of a known person is recorded, all others are counted. */
  report(code: EdgeCode, principal: Principal | null, where: Pick<RefusalEvent, 'method' | 'route' | 'source'>): void;
}

export function createPerformer(service: Service, inFlight: InFlight, count: (code: EdgeCode) => void, nowMs: () => number): Performer {
  const forbidden = new Buckets(BOUNDS.forbiddenPerMinute / 60, BOUNDS.forbiddenPerMinute, nowMs);

  return {
    async perform(route, principal, raw) {
      const input = admit(route, raw);
      if (!route.roles.includes(principal.role)) throw new Refusal('FORBIDDEN', 'The role of the token does not allow this');
      for (const account of accountsNamed(input)) {
        if (!reaches(principal, account)) throw new Refusal('FORBIDDEN', 'The token does not reach the account');
      }
      if (route.urgent !== true && !inFlight.enter()) throw new Refusal('OVERLOADED');
      try {
        const answer = await route.run(service, principal, input);
        if (answer.status === 403) forbidden.take(principal.person);
        return answer;
      } finally {
        if (route.urgent !== true) inFlight.leave();
      }
    },
    checkRate(route, principal) {
      if (route?.urgent !== true && forbidden.empty(principal.person)) throw new Refusal('RATE_LIMITED');
    },
    report(code, principal, where) {
      count(code);
      const denied = code === 'FORBIDDEN' && principal !== null;
      if (denied) forbidden.take(principal.person);
      service.refused({ kind: denied ? 'denied' : 'counted', principal, code, ...where });
    },
  };
}
