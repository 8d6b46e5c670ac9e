/** /v1/stream: the sockets there are, their bounds together, and the clock that drives them. */
import type { Socket } from 'node:net';
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import type { Principal } from '../auth/principal.ts';
import type { Guard } from '../http/app.ts';
import type { Strangers } from '../http/bounds.ts';
import { documented } from '../http/document.ts';
import { Refusal } from '../http/errors.ts';
import { CLOSE, SOCKET_BOUNDS } from './bounds.ts';
import { Session, type SessionPorts, type StreamSocket } from './session.ts';

const SOCKETS_MAX = 1024;
const SOCKETS_PER_PERSON = 128;
const TICK_MS = 200;
const BEAT_EVERY_MS = 1_000;

export interface Hub {
  open(socket: StreamSocket, raw: Socket, principal: Principal | null): void;
  /** Deadlines, summaries and, each second, the beat. */
  tick(): void;
  /** The gateway goes away: what a socket has asked is answered, then it is closed. Ticks go on until the last has. */
  leave(): void;
  readonly size: number;
}

type HubPorts = Omit<SessionPorts, 'admit'> & { readonly strangers: Pick<Strangers, 'known'> };

function createHub(ports: HubPorts): Hub {
  const sessions = new Set<Session>();
  const byPerson = new Map<string, number>();
  let beatAtMs = ports.nowMs();
  let leaving = false;

  function leave(session: Session): void {
    sessions.delete(session);
    const person = session.principal?.person;
    if (person === undefined) return;
    const count = (byPerson.get(person) ?? 1) - 1;
    if (count === 0) byPerson.delete(person);
    else byPerson.set(person, count);
  }
  function admitTo(raw: Socket, principal: Principal): boolean {
    const count = byPerson.get(principal.person) ?? 0;
    if (count >= SOCKETS_PER_PERSON) return false;
    byPerson.set(principal.person, count + 1);
    ports.strangers.known(raw, principal.person);
    return true;
  }
  function each(run: (session: Session) => void): void {
    for (const session of sessions) {
      try {
        run(session);
      } catch (error) {
        ports.onDefect(error, '/v1/stream');
      }
    }
  }

  return {
    get size() {
      return sessions.size;
    },
    open(socket, raw, principal) {
      const session = new Session(socket, raw.remoteAddress ?? '', { ...ports, admit: (_session, known) => admitTo(raw, known) });
      sessions.add(session);
      socket.on('close', () => { leave(session); });
      if (sessions.size > SOCKETS_MAX) session.close(CLOSE.tooMany, 'too many sockets');
      else if (principal !== null) session.welcome(principal);
      // Its token was being checked when the stop began.
      if (leaving) session.leave();
    },
    tick() {
      const nowMs = ports.nowMs();
      each((session) => { session.tick(nowMs); });
      each((session) => { session.summarise(); });
      if (nowMs - beatAtMs < BEAT_EVERY_MS || sessions.size === 0) return;
      beatAtMs = nowMs;
      const text = JSON.stringify({ kind: 'beat', ...ports.pulse.beat() });
      each((session) => { session.beat(text); });
    },
    leave() {
      leaving = true;
      each((session) => { session.leave(); });
    },
  };
}

export interface StreamParts extends HubPorts {
  readonly guard: Guard;
}

const { payloadBytes, fragments, bufferedChunks } = SOCKET_BOUNDS;
/** The two last are newer than the types of the library. */
const SERVER_OPTIONS = { maxPayload: payloadBytes, perMessageDeflate: false, maxFragments: fragments, maxBufferedChunks: bufferedChunks };

const DOCUMENTED = {
  summary: 'Events and commands over a WebSocket', security: [{ bearer: [] }],
  response: { ...documented({}), 101: { description: 'The protocol changes to that of RFC 6455' } },
};

/** The plugin's hooks stay within this scope: other routes do not pay for them. */
export function registerStream(app: FastifyInstance, parts: StreamParts): void {
  const hub = createHub(parts);
  app.register(async (scope) => {
    await scope.register(websocket, {
      options: SERVER_OPTIONS,
      errorHandler: (_error, socket) => { socket.terminate(); },
      preClose: (done) => {
        hub.leave();
        done();
      },
    });
    const timer = setInterval(() => { hub.tick(); }, TICK_MS).unref();
    scope.addHook('onClose', (_instance, done) => {
      clearInterval(timer);
      done();
    });
    scope.route({
      method: 'GET', url: '/v1/stream', schema: DOCUMENTED, onRequest: parts.guard,
      handler: () => { throw new Refusal('NOT_FOUND', 'This route is a WebSocket'); },
      wsHandler: (socket, request) => { hub.open(socket, request.raw.socket, request.principal); },
    });
  });
}
