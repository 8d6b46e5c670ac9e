/** An edge over doubles: a service that notes its calls, a clock that is set by hand, tokens of a throw-away issuer. */
import { generateKeyPairSync } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { createAuthenticator } from '../../gateway/auth/cache.ts';
import { createGate } from '../../gateway/auth/gate.ts';
import { issueToken, LOCAL_ISSUER, type Grant, type Issuer } from '../../gateway/auth/issuer.ts';
import { verifyToken } from '../../gateway/auth/verify.ts';
import { buildApp } from '../../gateway/http/app.ts';
import { ROUTES, type RouteName } from '../../gateway/http/routes.ts';
import type { Answer, RefusalEvent, Service } from '../../gateway/http/service.ts';
import type { EventSink, EventSource, LogChannel, StreamEvent } from '../../gateway/ws/events.ts';

export const pair = generateKeyPairSync('ed25519');
export const issuer: Issuer = { id: LOCAL_ISSUER, kid: 'k1', ...pair };
export const trust = { issuer: issuer.id, keys: new Map([[issuer.kid, issuer.publicKey]]) };

export const target = {
  targetId: 'T-0001', account: 'ACC1', strategy: 'alpha-1', asOf: '2026-11-20T09:30:00.000000000Z', basis: 'weight', mode: 'clip', scope: 'listed',
  horizonSeconds: 600, legs: [{ symbol: 'SPY', target: '0.25', mu: '0.08', sigma: '0.18', forecastDays: '5' }],
} as const;
export const order = {
  clOrdId: 'A1', account: 'ACC1', strategy: 'alpha-1', symbol: 'SPY', side: 'buy', orderQty: '100', type: 'limit', limitPx: '10.5', tif: 'day',
} as const;
export const halt = { scope: { kind: 'firm', id: '*' }, state: 'halted', cancel: 'working', reason: 'a test' } as const;

export interface Call {
  readonly name: RouteName;
  readonly args: readonly unknown[];
}
export interface Edge {
  readonly app: FastifyInstance;
  readonly calls: Call[];
  readonly refusals: RefusalEvent[];
  readonly defects: unknown[];
  /** Overrides of the double's answers, by method. */
  readonly answers: Map<RouteName, (args: readonly unknown[]) => Promise<Answer>>;
  readonly time: { nowMs: number; wallMs: number };
  readonly events: FakeEvents;
  token(grant?: Partial<Grant>): Promise<string>;
  /** Listens on a port of this machine and gives its origin. */
  listen(): Promise<string>;
}

/** An event source that sends what the test hands it. */
export class FakeEvents implements EventSource {
  readonly sinks: EventSink[] = [];
  readonly asked: { channels: readonly LogChannel[]; after: number | null }[] = [];
  open = 0;
  subscribe(_principal: unknown, channels: ReadonlySet<LogChannel>, after: number | null, sink: EventSink) {
    this.sinks.push(sink);
    this.asked.push({ channels: [...channels], after });
    this.open += 1;
    return { close: () => { this.open -= 1; } };
  }
  send(event: StreamEvent): void {
    for (const sink of this.sinks) sink.send(event);
  }
}

/** `answersWithinMs`: how long a stop waits for what is in flight; a minute, unless the test is about its end. */
export async function makeEdge({ answersWithinMs = 60_000, isStuck = (): boolean => false } = {}): Promise<Edge> {
  const calls: Call[] = [];
  const refusals: RefusalEvent[] = [];
  const defects: unknown[] = [];
  const answers: Edge['answers'] = new Map();
  const time = { nowMs: 1_000_000, wallMs: Date.now() };
  const events = new FakeEvents();
  const names = Object.keys(ROUTES) as RouteName[];
  const methods = Object.fromEntries(names.map((name) => [name, (...args: unknown[]) => {
    calls.push({ name, args });
    return answers.get(name)?.(args) ?? Promise.resolve({ status: Number(Object.keys(ROUTES[name].answers).at(-1)), body: { done: name } });
  }]));
  const service = {
    ...methods,
    ready: () => ({ ready: true, now: '2026-11-20T09:30:00.000000000Z', head: 7 }),
    refused: (event: RefusalEvent) => refusals.push(event),
  } as unknown as Service;
  const auth = createAuthenticator((token, nowMs) => verifyToken(token, trust, nowMs), () => time.wallMs);
  const app = await buildApp({
    service, events, registry: new Registry(), host: '127.0.0.1', gate: createGate(auth, () => time.nowMs),
    pulse: { beat: () => ({ head: 7, marketAgeMs: 1, logLag: 0 }), summary: () => ({ equity: '1' }) },
    wallNowMs: () => time.wallMs, nowMs: () => time.nowMs, answersWithinMs, isStuck, onDefect: (error) => defects.push(error),
  });
  await app.ready();
  return {
    app, calls, refusals, defects, answers, time, events,
    token: (grant = {}) => issueToken(issuer, { sub: 'bot', role: 'strategy', accounts: ['ACC1'], ttlSeconds: 3600, ...grant }, time.wallMs),
    listen: () => app.listen({ host: '127.0.0.1', port: 0 }),
  };
}
