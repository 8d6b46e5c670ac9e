/** One socket: its token, its messages, what it has not read yet. Nothing here throws at the hub; a socket harms only itself. */
import type { RawData, WebSocket } from 'ws';
import type { Principal } from '../auth/principal.ts';
import type { Gate } from '../auth/gate.ts';
import { problem, problemOf, Refusal } from '../http/errors.ts';
import { jsonText, parseJson, textWith } from '../http/json.ts';
import type { Performer } from '../http/perform.ts';
import { ROUTES } from '../http/routes.ts';
import type { Answer } from '../http/service.ts';
import { CLOSE, SOCKET_BOUNDS } from './bounds.ts';
import { authShape, idOf, OPERATIONS, operationShape, opOf, subscribeShape, type Id, type Operation } from './envelope.ts';
import { LOG_CHANNELS, type EventSink, type EventSource, type Pulse, type StreamEvent, type Subscription } from './events.ts';

/** What a session needs of a `ws` socket. */
export type StreamSocket = Pick<WebSocket, 'on' | 'send' | 'close' | 'terminate' | 'ping' | 'bufferedAmount'>;

export interface SessionPorts {
  readonly gate: Gate;
  readonly performer: Performer;
  readonly events: EventSource;
  readonly pulse: Pulse;
  readonly nowMs: () => number;
  readonly wallNowMs: () => number;
  readonly onDefect: (error: unknown, where: string) => void;
  /** Called once the socket has shown a good token; false when this person has too many sockets. */
  readonly admit: (session: Session, principal: Principal) => boolean;
}

const STREAM_ROUTE = { method: 'GET', route: '/v1/stream' } as const;

export class Session implements EventSink {
  readonly #socket: StreamSocket;
  readonly #ports: SessionPorts;
  readonly #source: string;
  readonly #openedAtMs: number;
  #principal: Principal | null = null;
  /** What came while the token is being checked, in order; null when none is. */
  #early: string[] | null = null;
  #subscription: Subscription | null = null;
  #subscribed = false;
  #summary = false;
  #lastSeq = -1;
  #inFlight = 0;
  #progressAtMs: number;
  #closing = false;
  /** The gateway goes away: what was taken is still answered, and nothing more is taken. */
  #leaving = false;
  /** The end of the present wait, for answers or for the close. */
  #endsAtMs = Infinity;
  #pingedAtMs: number;
  #pings = 0;
  #waiting: (() => void)[] = [];
  closed = false;

  constructor(socket: StreamSocket, source: string, ports: SessionPorts) {
    this.#socket = socket;
    this.#source = source;
    this.#ports = ports;
    this.#openedAtMs = this.#progressAtMs = this.#pingedAtMs = ports.nowMs();
    socket.on('message', (data, isBinary) => { this.#onMessage(data, isBinary); });
    socket.on('pong', () => { this.#pings = 0; });
    socket.on('close', () => { this.#onClose(); });
    // A protocol fault of the peer: `ws` has closed the socket with the code that names it, and 'close' follows.
    socket.on('error', () => { this.#ports.performer.report('INVALID_BODY', this.#principal, this.#where()); });
  }

  get principal(): Principal | null {
    return this.#principal;
  }

  /** The token was good, here or in the header of the upgrade. */
  welcome(principal: Principal): boolean {
    if (!this.#ports.admit(this, principal)) {
      this.close(CLOSE.tooMany, 'too many sockets');
      return false;
    }
    this.#principal = principal;
    return true;
  }

  send({ seq, kind, canonical }: StreamEvent): void {
    this.#lastSeq = seq;
    this.#write(`{"seq":${seq},"kind":${JSON.stringify(kind)},"record":${canonical}}`);
  }

  drained(): Promise<void> {
    if (this.closed || this.#socket.bufferedAmount <= SOCKET_BOUNDS.lowWaterBytes) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Called by the hub several times a second: deadlines of this socket. */
  tick(nowMs: number): void {
    if (nowMs >= this.#endsAtMs) {
      if (this.#closing) this.#socket.terminate();
      else this.#goAway();
    }
    if (this.#closing) return;
    if (this.#socket.bufferedAmount === 0) this.#progressAtMs = nowMs;
    if (this.#principal === null) {
      if (nowMs - this.#openedAtMs >= SOCKET_BOUNDS.firstMessageMs) this.close(CLOSE.notAuthenticated, 'no token in time');
    } else if (this.#ports.wallNowMs() >= this.#principal.expiresAtMs) {
      this.close(CLOSE.tokenEnded, 'token ended');
    } else if (nowMs - this.#progressAtMs >= SOCKET_BOUNDS.stalledMs) {
      this.#dropSlowReader();
    } else if (nowMs - this.#pingedAtMs >= SOCKET_BOUNDS.pingEveryMs) {
      this.#ping(nowMs);
    }
  }

  beat(text: string): void {
    if (this.#subscribed) this.#write(text);
  }
  /** Conflated: a screen that has not read the last one gets no further one. */
  summarise(): void {
    if (this.#summary && this.#principal !== null && this.#socket.bufferedAmount === 0) {
      this.#write(JSON.stringify({ kind: 'summary', summary: this.#ports.pulse.summary(this.#principal) }));
    }
  }

  close(code: number, reason: string): void {
    if (this.#closing || this.closed) return;
    this.#closing = true;
    this.#endsAtMs = this.#ports.nowMs() + (this.#leaving ? SOCKET_BOUNDS.farewellMs : SOCKET_BOUNDS.closingMs);
    this.#stopEvents();
    this.#socket.close(code, reason);
  }

  /** The gateway goes away. An order that was taken is in the log: without its answer its sender would not know. */
  leave(): void {
    this.#leaving = true;
    this.#endsAtMs = this.#ports.nowMs() + SOCKET_BOUNDS.farewellMs;
    this.#stopEvents();
    if (this.#inFlight === 0) this.#goAway();
  }
  #goAway(): void {
    this.close(CLOSE.goingAway, 'the gateway stops');
  }

  #onClose(): void {
    this.closed = true;
    this.#stopEvents();
  }
  #stopEvents(): void {
    this.#subscription?.close();
    this.#subscription = null;
    this.#subscribed = this.#summary = false;
    this.#release();
  }
  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #write(text: string): void {
    if (this.closed || this.#closing) return;
    this.#socket.send(text, () => {
      this.#progressAtMs = this.#ports.nowMs();
      if (this.#socket.bufferedAmount <= SOCKET_BOUNDS.lowWaterBytes) this.#release();
    });
    if (this.#socket.bufferedAmount > SOCKET_BOUNDS.unsentBytes) this.#dropSlowReader();
  }
  #dropSlowReader(): void {
    this.close(CLOSE.slowReader, `slow reader, last seq ${this.#lastSeq}`);
  }
  #ping(nowMs: number): void {
    if (this.#pings >= 2) {
      this.#socket.terminate();
      return;
    }
    this.#pings += 1;
    this.#pingedAtMs = nowMs;
    this.#socket.ping();
  }

  #where() {
    return { ...STREAM_ROUTE, source: this.#source };
  }
  #answer(id: Id | undefined, answer: Answer): void {
    const head = { id, status: answer.status };
    this.#write(answer.body === undefined ? JSON.stringify(head) : textWith(head, 'body', jsonText(answer.body)));
  }
  /** Refusals are answered and counted; a defect is told to the house and answered as one. */
  #fail(id: Id | undefined, error: unknown): void {
    if (error instanceof Refusal) this.#ports.performer.report(error.code, this.#principal, this.#where());
    const answer = problemOf(error);
    if (answer === null) this.#ports.onDefect(error, STREAM_ROUTE.route);
    this.#answer(id, answer ?? problem('INTERNAL', 'The gateway failed. The request may or may not have been done.'));
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#closing) return;
    if (isBinary) {
      this.close(CLOSE.unsupported, 'text only');
      return;
    }
    // `ws` gives one Buffer a message, its text checked to be UTF-8.
    const bytes = data as Buffer;
    if (this.#principal === null && bytes.length > SOCKET_BOUNDS.firstMessageBytes) {
      this.close(CLOSE.notAuthenticated, 'too long before the token is known');
      return;
    }
    // As text: a Buffer of `ws` may hold the whole chunk that it was read in.
    const text = bytes.toString('utf8');
    if (this.#early === null) this.#take(text);
    else if (this.#early.length < SOCKET_BOUNDS.earlyMessages) this.#early.push(text);
    else this.close(CLOSE.tooMany, 'too many messages before the token is known');
  }

  #take(text: string): void {
    let id: Id | undefined;
    try {
      const message = parseJson(text);
      id = idOf(message);
      this.#dispatch(id, opOf(message), message);
    } catch (error) {
      this.#fail(id, error);
      if (this.#principal === null) this.close(CLOSE.notAuthenticated, 'the first message is the token');
    }
  }
  /** All in one turn: no later message overtakes. One of them may close the socket, and the rest is dropped. */
  #takeEarly(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const text of early) if (!this.#closing) this.#take(text);
  }

  #dispatch(id: Id | undefined, op: unknown, message: unknown): void {
    if (this.#leaving) throw new Refusal('NOT_READY', 'The gateway is stopping');
    if (op === 'auth') this.#authenticate(id, message);
    else if (this.#principal === null) throw new Refusal('UNAUTHENTICATED');
    else if (op === 'subscribe') this.#subscribe(id, message, this.#principal);
    else this.#operate(id, message, this.#principal);
  }

  #authenticate(id: Id | undefined, message: unknown): void {
    if (this.#principal !== null) {
      this.close(CLOSE.secondAuth, 'already authenticated');
      return;
    }
    const { token } = authShape.admit(message);
    this.#early = [];
    this.#ports.gate.admit(token, this.#source, false).then((principal) => {
      if (this.closed || this.#closing || !this.welcome(principal)) return;
      this.#answer(id, { status: 200, body: undefined });
      this.#takeEarly();
    }).catch((error: unknown) => {
      this.#fail(id, error);
      this.close(CLOSE.tokenEnded, 'token not good');
    });
  }

  #subscribe(id: Id | undefined, message: unknown, principal: Principal): void {
    const { channels, after } = subscribeShape.admit(message);
    this.#ports.performer.checkRate(null, principal);
    this.#stopEvents();
    this.#subscribed = true;
    this.#summary = channels.includes('summary');
    this.#answer(id, { status: 200, body: undefined });
    const wanted = new Set(LOG_CHANNELS.filter((channel) => channels.includes(channel)));
    if (after !== undefined && after !== null) this.#lastSeq = after;
    if (wanted.size > 0) this.#subscription = this.#ports.events.subscribe(principal, wanted, after ?? null, this);
  }

  #operate(id: Id | undefined, message: unknown, principal: Principal): void {
    const { op, body } = operationShape.admit(message);
    const { route, params, rest } = lift(op, body);
    this.#ports.performer.checkRate(route, principal);
    if (route.urgent !== true && this.#inFlight >= SOCKET_BOUNDS.inFlight) throw new Refusal('OVERLOADED');
    this.#inFlight += 1;
    this.#ports.performer.perform(route, principal, { params, query: queryOf(params), body: rest })
      .then((answer) => { this.#answer(id, answer); }, (error: unknown) => { this.#fail(id, error); })
      .finally(() => {
        this.#inFlight -= 1;
        if (this.#leaving && this.#inFlight === 0) this.#goAway();
      })
      .catch((error: unknown) => { this.#ports.onDefect(error, STREAM_ROUTE.route); });
  }
}

/** Takes the fields that HTTP has in its path and query out of the body. What is not a string stays, and its shape refuses it. */
function lift(op: Operation, body: Readonly<Record<string, unknown>>) {
  const { route: name, lifted } = OPERATIONS[op];
  const isLifted = ([field, value]: readonly [string, unknown]): boolean => lifted.some((word) => word === field) && typeof value === 'string';
  const entries = Object.entries(body);
  const params = Object.fromEntries(entries.filter(isLifted)) as Readonly<Record<string, string>>;
  const rest = Object.fromEntries(entries.filter((entry) => !isLifted(entry)));
  return { route: ROUTES[name], params, rest: ROUTES[name].body === undefined && Object.keys(rest).length === 0 ? undefined : rest };
}
const queryOf = (params: Readonly<Record<string, string>>): string =>
  (params['account'] === undefined ? '' : `account=${encodeURIComponent(params['account'])}`);
