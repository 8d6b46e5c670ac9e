/** The faces: HTTP and WebSocket over one service. */
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Sequencer } from '../compliance/sequencer.ts';
import { isOpen } from '../execution/order-state.ts';
import { msBetween } from '../risk/domain/time.ts';
import { createAuthenticator } from './auth/cache.ts';
import { createGate } from './auth/gate.ts';
import { LOCAL_ISSUER, type Issuer } from './auth/issuer.ts';
import { reaches, type Principal } from './auth/principal.ts';
import { seesScope } from './auth/sight.ts';
import { verifyToken } from './auth/verify.ts';
import type { Config } from './config.ts';
import type { EventHub } from './events.ts';
import { accountOfStrategy, policyInForce, type House } from './house.ts';
import { buildApp } from './http/app.ts';
import { BOUNDS } from './http/bounds.ts';
import type { Service } from './http/service.ts';
import { accountView } from './service/accounts.ts';
import type { Pulse } from './ws/events.ts';

export interface FaceParts {
  readonly config: Config;
  readonly issuer: Issuer;
  readonly service: Service;
  readonly hub: EventHub;
  readonly house: House;
  readonly sequencer: Sequencer;
  readonly registry: Registry;
  readonly onDefect: (line: string) => void;
}

export interface Faces {
  readonly url: string;
  close(): Promise<void>;
}

export async function listen({ config, issuer, service, hub, house, sequencer, registry, onDefect }: FaceParts): Promise<Faces> {
  const wallNowMs = (): number => Date.now();
  const nowMs = (): number => performance.now();
  const trust = { issuer: LOCAL_ISSUER, keys: new Map([[issuer.kid, issuer.publicKey]]) };
  const gate = createGate(createAuthenticator((token, at) => verifyToken(token, trust, at), wallNowMs), nowMs);
  const app = await buildApp({
    service, gate, events: hub, pulse: pulseOf(house, sequencer), registry, isStuck: () => sequencer.state === 'emergency', host: config.host, wallNowMs, nowMs,
    answersWithinMs: BOUNDS.requestTimeoutMs, // as long as they would have had without the stop
    onDefect: (error, where) => { onDefect(`defect at ${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`); },
  });
  await app.listen({ host: config.host, port: config.port }).catch((error: unknown) => { throw portFault(error, config); });
  const { port } = app.server.address() as AddressInfo;
  return { url: `http://${config.host}:${String(port)}`, close: () => app.close() };
}

function portFault(error: unknown, { host, port }: Config): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return error;
  return new Error(`port ${String(port)} of ${host} is taken by another process; PORT=… chooses another, PORT=0 any that is free`, { cause: error });
}

const LIVELY_MS = 1_000;
/**
 * Age of the newest quote of the universe, or of the first found that is younger than a second: who watches wants to know whether the
 * market stands still. So a synthetic market, whose quotes are dear, computes one a beat; a replayed one only looks them up.
 */
export function marketAgeMs(house: House): number | null {
  const now = house.timers.now();
  let age = Infinity;
  for (const symbol of house.state.risk.policy?.universe.keys() ?? []) {
    const quote = house.market.quote(symbol);
    if (quote !== null) age = Math.min(age, msBetween(now, quote.at));
    if (age < LIVELY_MS) break;
  }
  return age === Infinity ? null : Math.round(age);
}

function pulseOf(house: House, sequencer: Sequencer): Pulse {
  return {
    beat: () => ({ head: sequencer.durableSize - 1, logLag: sequencer.nextSeq - sequencer.durableSize, marketAgeMs: marketAgeMs(house) }),
    summary: (principal: Principal) => ({
      accounts: [...house.state.risk.accounts.values()].filter((account) => reaches(principal, account.id)).map((account) => accountView(house, account)),
      working: [...house.state.execution.children.values()].filter(({ order, state }) => isOpen(state) && reaches(principal, order.account)).length,
      switches: [...house.state.risk.switches.values()]
        .filter(({ scope, state }) => state !== 'active' && seesScope(principal, scope, (strategy) => accountOfStrategy(policyInForce(house), strategy)))
        .map(({ scope, state }) => ({ scope, state })),
    }),
  };
}
