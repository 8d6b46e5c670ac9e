/** The one way from a face to the service: form → role → account → room → one call. HTTP and socket both go through it. */
import type { FastifyInstance } from 'fastify';
import { Counter, type Registry } from 'prom-client';
import { reaches, type Principal } from '../auth/principal.ts';
import { BOUNDS, Buckets, type InFlight } from './bounds.ts';
import { problem, Refusal, type EdgeCode } from './errors.ts';
import { accountsNamed, admit, type RawInput, type Route } from './route.ts';
import type { Answer, RefusalEvent, Service } from './service.ts';

export interface Performer {
  /** Rejects with a Refusal, or with a defect. */
  perform(route: Route, principal: Principal, raw: RawInput): Promise<Answer>;
  /** Answers all who wait, but for urgent routes: what they asked for goes on without them. */
  giveUp(): void;
  /** Throws Refusal RATE_LIMITED for a person with too many 403s within a minute, unless the route is urgent. */
  checkRate(route: Route | null, principal: Principal): void;
  /** Hands a refusal of the edge to the service: a 403 of a known person is recorded, all others are counted. */
  report(code: EdgeCode, principal: Principal | null, where: Pick<RefusalEvent, 'method' | 'route' | 'source'>): void;
}

/** Who waits for an answer. Emptied when it is there: V8 chains the tables that a Set has outgrown, and what they name outlives its use. */
interface Waiter {
  tell: ((answer: Answer) => void) | null;
}

/** Those who wait for an answer, and may be told that there is none for now. */
class Waiting {
  readonly #all = new Set<Waiter>();

  /** What `answer` resolves to, or what `tell` says before it does. */
  until(answer: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { tell: resolve };
      this.#all.add(waiter);
      const leave = (): void => {
        waiter.tell = null;
        this.#all.delete(waiter);
      };
      answer.then(leave, leave);
      answer.then(resolve, reject);
    });
  }

  tell(answer: Answer): void {
    for (const waiter of this.#all) waiter.tell?.(answer);
    this.#all.clear();
  }
}

/**
 * Resolves once everything is read that this poll brings, and what was read before has been done as far as it can be: Node runs
 * immediates in their order, each with all that follows from it. Reading and deciding in turn would drive each other's code out of
 * the processor's caches: with 64 connections that is a fifth of what an order costs.
 */
const afterThisPoll = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

const STUCK = problem('NOT_READY', 'The log cannot be written. What was asked may be done once it can: ask again under the same id');

export function createPerformer(service: Service, inFlight: InFlight, count: (code: EdgeCode) => void, nowMs: () => number): Performer {
  const waiting = new Waiting();
  const forbidden = new Buckets(BOUNDS.forbiddenPerMinute / 60, BOUNDS.forbiddenPerMinute, nowMs);

  /** Requests that are read together pass `checkRate` together: past the bound they are not recorded either. */
  const denied = (route: Route, principal: Principal, detail: string): Refusal =>
    (route.urgent !== true && forbidden.empty(principal.person) ? new Refusal('RATE_LIMITED') : new Refusal('FORBIDDEN', detail));

  return {
    async perform(route, principal, raw) {
      const input = admit(route, raw);
      if (!route.roles.includes(principal.role)) throw denied(route, principal, 'The role of the token does not allow this');
      for (const account of accountsNamed(input)) {
        if (!reaches(principal, account)) throw denied(route, principal, 'The token does not reach the account');
      }
      const isUrgent = route.urgent === true;
      const isAlone = inFlight.count === 0;
      if (!isUrgent && !inFlight.enter()) throw new Refusal('OVERLOADED');
      try {
        if (!isAlone && route.first !== true) await afterThisPoll();
        const done = route.run(service, principal, input);
        const answer = await (isUrgent ? done : waiting.until(done));
        if (answer.status === 403) forbidden.take(principal.person);
        return answer;
      } finally {
        if (!isUrgent) inFlight.leave();
      }
    },
    giveUp() {
      waiting.tell(STUCK);
    },
    checkRate(route, principal) {
      if (route?.urgent !== true && forbidden.empty(principal.person)) throw new Refusal('RATE_LIMITED');
    },
    report(code, principal, where) {
      count(code);
      const isDenied = code === 'FORBIDDEN' && principal !== null;
      if (isDenied) forbidden.take(principal.person);
      service.refused({ kind: isDenied ? 'denied' : 'counted', principal, code, ...where });
    },
  };
}

export function countRefusals(registry: Registry): (code: EdgeCode) => void {
  const counter = new Counter({ name: 'portcullis_refusals_total', help: 'Refusals of the edge by code', labelNames: ['code'], registers: [registry] });
  return (code) => { counter.inc({ code }); };
}

const STUCK_LOOKED_AT_EVERY_MS = 500;

/** Also for who comes while the log is stuck, by a way that only the log answers. */
export function giveUpWhenStuck(app: FastifyInstance, performer: Performer, isStuck: () => boolean): void {
  const timer = setInterval(() => { if (isStuck()) performer.giveUp(); }, STUCK_LOOKED_AT_EVERY_MS).unref();
  app.addHook('onClose', (_instance, done) => {
    clearInterval(timer);
    done();
  });
}
