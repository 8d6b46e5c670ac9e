/**
 * The app: builds, never listens. A request's way, with its exits in the order in which they go before each other:
 * host 421 → rate 429 → token 401 → origin 403 → size 413 → media 415 → body 400 → `perform` (form 400, role and account 403, room 503,
 * then the service's 404, 409, 503, 422).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import swagger from '@fastify/swagger';
import type { Registry } from 'prom-client';
import type { Gate } from '../auth/gate.ts';
import type { Principal } from '../auth/principal.ts';
import { registerStream } from '../ws/stream.ts';
import type { EventSource, Pulse } from '../ws/events.ts';
import { BOUNDS, HTTP, InFlight, Strangers } from './bounds.ts';
import { documented } from './document.ts';
import { problem, problemOf, Refusal } from './errors.ts';
import { bearerOf, checkHandshake, hasTwoHosts, isOurHost, isOurMedia, isOurOrigin } from './headers.ts';
import { parseJsonBytes } from './json.ts';
import { countRefusals, createPerformer, giveUpWhenStuck, type Performer } from './perform.ts';
import { parseQuery, querySchema } from './query.ts';
import { send, sendToConnection } from './reply.ts';
import type { Route } from './route.ts';
import { ROUTES } from './routes.ts';
import { LiveView, DocumentView, ReadyView, TextView } from './schemas/views.ts';
import type { Answer, Service } from './service.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Nothing more is taken, and no connection is kept alive: it would keep us alive for as long as its client likes. */
    isStopping: boolean;
  }
  interface FastifyRequest {
    /** Set by the token's check; null on public routes and on sockets that have not shown a token yet. */
    principal: Principal | null;
  }
}

export interface AppParts {
  readonly service: Service;
  readonly gate: Gate;
  readonly events: EventSource;
  readonly pulse: Pulse;
  readonly registry: Registry;
  /** HOST of the settings: a name by which we may be called. */
  readonly host: string;
  /** Wall clock, milliseconds since the epoch: tokens follow it. */
  readonly wallNowMs: () => number;
  /** Monotonic clock, milliseconds: rates and time-outs follow it. */
  readonly nowMs: () => number;
  /** The log has not been writable for so long that nobody is to wait for it. */
  readonly isStuck: () => boolean;
  /** How long a stop waits for what is in flight, milliseconds. */
  readonly answersWithinMs: number;
  /** Told of every answer that is a defect of ours. */
  readonly onDefect: (error: unknown, where: string) => void;
}

export async function buildApp(parts: AppParts): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    trustProxy: false,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    return503OnClosing: false, // ours is a problem like all others
    bodyLimit: BOUNDS.bodyBytes,
    requestTimeout: BOUNDS.requestTimeoutMs,
    http: HTTP,
    // The text as it stands: `parseQuery` reads it, by the route's own names.
    routerOptions: { querystringParser: (text) => text as never },
    // A path that no route can be found by: what goes before the form of a request goes before it here too.
    frameworkErrors: (error, request, reply) => {
      guards.everyRequest(request, reply, (refusal) => {
        const isKnown = refusal === undefined || (refusal instanceof Refusal && refusal.code === 'NOT_FOUND');
        const answer = problemOf(isKnown ? error : refusal) ?? problem('INVALID_BODY', 'The request is not well-formed');
        performer.report(answer.body.code, request.principal, { method: request.method, route: '', source: sourceOf(request) });
        send(reply, answer);
      });
    },
    clientErrorHandler: sendToConnection,
  });
  const strangers = new Strangers(BOUNDS.unauthenticatedConnections, BOUNDS.connectionsOfAPerson);
  app.server.maxConnections = BOUNDS.connections;
  app.server.on('connection', (socket) => {
    strangers.add(socket);
  });
  // What a client expects changes no answer: Node's own would come before all checks, and bare, as for a request without a host.
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => { app.server.emit('request', request, response); });
  stopInTime(app, strangers, parts.answersWithinMs);
  app.decorateRequest('principal', null);
  // Shapes are checked by `perform`, the same for both faces; Fastify carries the schemas for the OpenAPI document.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    done(null, body.length === 0 ? undefined : parseJsonBytes(body));
  });

  const performer = createPerformer(parts.service, new InFlight(BOUNDS.inFlight), countRefusals(parts.registry), parts.nowMs);
  const guards = createGuards(parts, performer, strangers);
  giveUpWhenStuck(app, performer, parts.isStuck);
  app.setErrorHandler((error, request, reply) => {
    const answer = problemOf(error);
    if (answer !== null) performer.report(answer.body.code, request.principal, whereOf(request));
    else parts.onDefect(error, `${request.method} ${request.routeOptions.url ?? ''}`);
    send(reply, answer ?? problem('INTERNAL', 'The gateway failed. The request may or may not have been done.'));
  });
  app.setNotFoundHandler((_request, reply) => {
    send(reply, problem('NOT_FOUND', 'There is no such route'));
  });
  app.addHook('onRequest', guards.everyRequest);
  await app.register(swagger, { openapi: { info: { title: 'Portcullis', version: '1' }, components: { securitySchemes: SECURITY_SCHEMES } } });
  registerPublicRoutes(app, parts, guards);
  for (const route of Object.values(ROUTES)) registerRoute(app, route, guards, performer);
  registerStream(app, { ...parts, performer, strangers, guard: guards.stream });
  return app;
}

/**
 * Node's own time-outs end with the first step of a close, and a connection in mid-request is not idle: whoever sent half a request
 * would hold the stop for ever.
 */
function stopInTime(app: FastifyInstance, strangers: Strangers, answersWithinMs: number): void {
  let timer: NodeJS.Timeout | undefined;
  app.decorate('isStopping', false);
  app.addHook('preClose', (done) => {
    app.isStopping = true;
    strangers.dropAll();
    timer = setTimeout(() => { app.server.closeAllConnections(); }, answersWithinMs).unref();
    done();
  });
  app.addHook('onClose', (_instance, done) => {
    clearTimeout(timer);
    done();
  });
}

const SECURITY_SCHEMES = { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } as const;

const sourceOf = (request: FastifyRequest): string => request.raw.socket.remoteAddress ?? '';
const whereOf = (request: FastifyRequest) => ({ method: request.method, route: request.routeOptions.url ?? '', source: sourceOf(request) });

type Done = (error?: Error) => void;
export type Guard = (request: FastifyRequest, reply: FastifyReply, done: Done) => void;
type PublicAnswer = Answer & { readonly type?: string };
interface PublicRoute {
  readonly summary: string;
  readonly answers: Route['answers'];
  readonly answer: () => PublicAnswer | Promise<PublicAnswer>;
}

interface Guards {
  readonly open: Guard;
  readonly everyRequest: Guard;
  readonly ofRoute: (route: Route) => Guard;
  /** A socket may show its token in its first message instead. */
  readonly stream: Guard;
}

/** Checks before a body is read. They are synchronous for a token that is remembered. */
function createGuards(parts: AppParts, performer: Performer, strangers: Strangers): Guards {
  function authenticate(request: FastifyRequest, route: Route | null, done: Done, next: () => void = () => undefined): void {
    const token = bearerOf(request.headers.authorization);
    if (token === null) throw new Refusal('UNAUTHENTICATED');
    const admit = (principal: Principal): void => {
      request.principal = principal;
      strangers.known(request.raw.socket, principal.person);
      performer.checkRate(route, principal);
      checkOrigin(request);
      next();
    };
    const known = parts.gate.known(token);
    if (known === null) {
      parts.gate.admit(token, sourceOf(request), route?.urgent === true).then(admit).then(() => { done(); }, done);
      return;
    }
    admit(known);
    done();
  }
  return {
    everyRequest: guard((request, reply, done) => {
      const { socket } = request.raw;
      // The connection of a refused upgrade has no parser any more: nobody else would end it.
      if (isUpgrade(request)) reply.raw.once('finish', () => { socket.destroySoon(); });
      if (reply.server.isStopping) throw new Refusal('NOT_READY', 'The gateway is stopping');
      if (request.headers.host === undefined) throw new Refusal('INVALID_BODY', 'The request names no host');
      if (hasTwoHosts(request.raw.rawHeaders)) throw new Refusal('INVALID_BODY', 'The request names more than one host');
      if (!isOurHost(request.headers.host, parts.host)) throw new Refusal('MISDIRECTED');
      if (!request.is404) done();
      else if (request.url.startsWith('/v1')) authenticate(request, null, done, refuseUnknown);
      else refuseUnknown();
    }),
    open: guard((request, _reply, done) => {
      refuseUpgrade(request);
      checkOrigin(request);
      done();
    }),
    ofRoute: (route) => guard((request, _reply, done) => {
      refuseUpgrade(request);
      authenticate(request, route, done, () => { checkBody(request, route); });
    }),
    stream: guard((request, _reply, done) => {
      if (request.headers.authorization !== undefined) {
        authenticate(request, null, done, () => { checkStream(request); });
        return;
      }
      checkOrigin(request);
      if (!isUpgrade(request)) throw new Refusal('UNAUTHENTICATED');
      checkStream(request);
      done();
    }),
  };
}

function guard(check: (request: FastifyRequest, reply: FastifyReply, done: Done) => void): Guard {
  return (request, reply, done) => {
    try {
      check(request, reply, done);
    } catch (error) {
      done(error as Error);
    }
  };
}

const refuseUnknown = (): never => {
  throw new Refusal('NOT_FOUND', 'There is no such route');
};

function checkOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (!isOurOrigin(origin, host)) throw new Refusal('FORBIDDEN', 'The origin is not this gateway');
}

/** Node sets it on requests that ask for another protocol: their connection has no parser any more. */
const isUpgrade = (request: FastifyRequest): boolean => 'upgrade' in request.raw && request.raw.upgrade === true;

function checkStream(request: FastifyRequest): void {
  parseQuery({}, request.query as string);
  if (isUpgrade(request)) checkHandshake(request.headers);
}

function refuseUpgrade(request: FastifyRequest): void {
  if (isUpgrade(request)) throw new Refusal('INVALID_BODY', 'There is no other protocol on this route');
}

function checkBody(request: FastifyRequest, route: Route): void {
  const { headers } = request;
  const length = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (length === undefined || length === '0')) return;
  if (Number(length) > (route.bodyBytes ?? BOUNDS.bodyBytes)) throw new Refusal('TOO_LARGE');
  if (!isOurMedia(headers['content-type'], headers['content-encoding'])) throw new Refusal('UNSUPPORTED_MEDIA');
}

function registerRoute(app: FastifyInstance, route: Route, guards: Guards, performer: Performer): void {
  const { method, url, summary } = route;
  app.route({
    method, url, bodyLimit: route.bodyBytes ?? BOUNDS.bodyBytes,
    schema: {
      summary, description: `For ${route.roles.join(', ')}.`, security: [{ bearer: [] }],
      ...(route.body === undefined ? {} : { body: route.body.schema }),
      ...(Object.keys(route.query).length === 0 ? {} : { querystring: querySchema(route.query) }),
      response: documented(route.answers),
    },
    onRequest: guards.ofRoute(route),
    // Not async: to a promise Fastify adds listeners for the end of the answer, which every order would pay for.
    handler: (request, reply) => {
      if (request.principal === null) throw new Refusal('UNAUTHENTICATED');
      const raw = { params: request.params as Record<string, string>, query: request.query as string, body: request.body };
      performer.perform(route, request.principal, raw).then((answer) => { send(reply, answer); }).catch((error: unknown) => { reply.send(error); });
    },
  });
}

/** Answers for anyone who reaches us. They name nobody: no account, strategy, person or order. */
function registerPublicRoutes(app: FastifyInstance, parts: AppParts, guards: Guards): void {
  const routes: Record<string, PublicRoute> = {
    '/health/live': { summary: 'Whether the process answers', answers: { 200: LiveView }, answer: () => ({ status: 200, body: { live: true } }) },
    '/health/ready': {
      summary: 'Whether strategies are served, and the clock they go by', answers: { 200: ReadyView, 503: ReadyView },
      answer: () => {
        const readiness = parts.service.ready();
        return { status: readiness.ready ? 200 : 503, body: readiness };
      },
    },
    '/metrics': {
      summary: 'Metrics for Prometheus', answers: { 200: TextView },
      answer: async () => ({ status: 200, body: await parts.registry.metrics(), type: parts.registry.contentType }),
    },
    '/openapi.json': { summary: 'This document', answers: { 200: DocumentView }, answer: () => ({ status: 200, body: app.swagger() }) },
  };
  for (const [url, { summary, answers, answer }] of Object.entries(routes)) {
    app.get(url, { schema: { summary, response: documented(answers) }, onRequest: guards.open }, async (request, reply) => {
      parseQuery({}, request.query as string);
      const { type, ...rest } = await answer();
      send(reply, rest, type);
      return reply;
    });
  }
}
