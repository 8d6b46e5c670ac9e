/** A bounded load over HTTP that remembers what it asked and what it was told. */
import { syntheticMarket } from '../../execution/markets/synthetic.ts';
import type { Market } from '../../execution/market.ts';
import { wallClock } from '../../execution/timers/wall.ts';
import { readPolicy } from '../../gateway/policy.ts';
import { formatDecimal, fromNumber, toNumber } from '../../risk/domain/decimal.ts';
import { formatInstant } from '../../risk/domain/time.ts';
import type { Random } from './random.ts';
import { ROOT, type Answer, type Site } from './site.ts';

const { universe } = readPolicy(`${ROOT}policies/default.yaml`, `${ROOT}policies/universe.yaml`);
const SYMBOLS = [...universe.keys()].filter((symbol) => /^S0[0-4]\d$/.test(symbol));
const TARGETED = [...universe.keys()].filter((symbol) => /^S05\d$/.test(symbol));
const clock = wallClock();

/** Prices as the gateway sees them: a pure function of seed, symbol and time. Nothing is armed: nobody follows it. */
const market: Market = syntheticMarket({ seed: '1', universe: [...universe.values()], timers: { now: () => clock.now(), at: () => ({ cancel: () => undefined }) } });

export type Noun = 'order' | 'target' | 'switch' | 'amend' | 'cancel' | 'release' | 'approval';

/** One request. Without an answer it was in flight when the gateway died. */
export interface Asked {
  readonly noun: Noun;
  /** Of the caller: clOrdId, targetId, requestId. */
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly sub: string;
  answer: Answer | null;
}

export const OFFICERS = ['ann', 'bob'] as const;

/** Rests two percent away, joins the touch, or takes what is shown and no more. */
export type How = 'rest' | 'join' | 'take';

export function orderOf(random: Random, clOrdId: string, how: How): Record<string, string> {
  const symbol = random.pick(SYMBOLS);
  const quote = market.quote(symbol)!;
  const side = random.pick(['buy', 'sell'] as const);
  const sign = side === 'buy' ? 1 : -1;
  const [near, far] = (side === 'buy' ? [quote.bidPx, quote.askPx] : [quote.askPx, quote.bidPx]).map(toNumber) as [number, number];
  const px = { rest: near * (1 - 0.02 * sign), join: near, take: far * (1 + 0.003 * sign) }[how];
  const tif = how === 'take' ? 'ioc' : random.pick(['day', 'gtc']);
  const limitPx = formatDecimal(fromNumber(px, 2));
  return { clOrdId, account: 'ACC1', strategy: 'alpha-1', symbol, side, orderQty: String(random.between(1, 2)), type: 'limit', limitPx, tif };
}

export class Load {
  readonly asked: Asked[] = [];
  readonly #site: Site;
  readonly #random: Random;
  readonly #round: string;
  #isOver = false;
  #count = 0;

  /** `round` begins every id, so that rounds never share one. */
  constructor(site: Site, random: Random, round: string) {
    this.#site = site;
    this.#random = random;
    this.#round = round;
  }

  /** Asks over `connections` at once until `stop`, or until the gateway does not answer any more. */
  async run(connections: number): Promise<void> {
    await Promise.all(Array.from({ length: connections }, () => this.#connection()));
  }

  stop(): void {
    this.#isOver = true;
  }

  get acknowledged(): readonly (Asked & { readonly answer: Answer })[] {
    return this.asked.filter((asked): asked is Asked & { answer: Answer } => asked.answer !== null);
  }
  get inFlight(): readonly Asked[] {
    return this.asked.filter(({ answer }) => answer === null);
  }

  async #connection(): Promise<void> {
    const own: string[] = [];
    const ways = [
      { share: 30, run: () => this.#order(own, 'rest') }, { share: 12, run: () => this.#order(own, 'join') }, { share: 26, run: () => this.#order(own, 'take') },
      { share: 14, run: () => this.#cancel(own) }, { share: 10, run: () => this.#amend(own) }, { share: 6, run: () => this.#target() }, { share: 2, run: () => this.#haltAndRelease() },
    ];
    const total = ways.reduce((sum, { share }) => sum + share, 0);
    while (!this.#isOver) {
      let draw = this.#random.next() * total;
      const way = ways.find(({ share }) => (draw -= share) < 0) ?? ways[0]!;
      if (!(await way.run())) return;
    }
  }

  /** Remembered before it is sent; null when no answer came. */
  async ask(noun: Noun, id: string, method: string, path: string, body?: unknown, sub = 'load'): Promise<Answer | null> {
    const asked: Asked = { noun, id, method, path, body, sub, answer: null };
    this.asked.push(asked);
    try {
      asked.answer = await send(this.#site, asked);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // fetch: the connection ended
    }
    return asked.answer;
  }

  #id(): string {
    this.#count += 1;
    return `${this.#round}N${String(this.#count)}`;
  }

  async #order(own: string[], how: How): Promise<boolean> {
    const clOrdId = this.#id();
    const answer = await this.ask('order', clOrdId, 'POST', '/v1/orders', orderOf(this.#random, clOrdId, how));
    if (answer?.status === 201 && how !== 'take') own.push(clOrdId);
    return answer !== null;
  }

  async #cancel(own: string[]): Promise<boolean> {
    const [id] = own.splice(this.#random.between(0, own.length), 1);
    return id === undefined || (await this.ask('cancel', id, 'DELETE', `/v1/orders/${id}`)) !== null;
  }

  async #amend(own: readonly string[]): Promise<boolean> {
    if (own.length === 0) return true;
    const id = this.#random.pick(own);
    return (await this.ask('amend', id, 'PATCH', `/v1/orders/${id}`, { orderQty: String(this.#random.between(2, 4)) })) !== null;
  }

  async #target(): Promise<boolean> {
    const targetId = this.#id();
    const first = this.#random.between(0, TARGETED.length - 1);
    const legs = [first, (first + 1) % TARGETED.length].map((i) => ({ symbol: TARGETED[i], target: String(this.#random.between(-5, 5)) }));
    const body = {
      targetId, account: 'ACC1', strategy: 'alpha-2', asOf: formatInstant(clock.now()), basis: 'quantity', mode: 'clip', scope: 'listed',
      horizonSeconds: this.#random.between(1, 12), legs,
    };
    return (await this.ask('target', targetId, 'POST', '/v1/targets', body)) !== null;
  }

  /** One officer halts a name, one asks for the release, the other approves. */
  async #haltAndRelease(): Promise<boolean> {
    const [one, other] = this.#random.pick([OFFICERS, [...OFFICERS].reverse()]) as [string, string];
    const scope = { kind: 'instrument', id: this.#random.pick(SYMBOLS) };
    const requestId = this.#id();
    const halted = await this.ask('switch', requestId, 'POST', '/v1/switches', { requestId, scope, state: 'halted', cancel: 'working', reason: 'a test' }, one);
    if (halted === null) return false;
    const asked = await this.ask('release', requestId, 'POST', '/v1/switches/release', { scope, reason: 'a test' }, one);
    if (asked?.status !== 202) return asked !== null;
    const path = `/v1/approvals/${String(asked.body['approvalId'])}`;
    return (await this.ask('approval', requestId, 'POST', path, { approve: true, reason: 'a test' }, other)) !== null;
  }
}

const OF_OFFICERS: ReadonlySet<Noun> = new Set(['switch', 'release', 'approval']);

/** Sends a request, the first time or again. Rejects when no answer came. */
export function send(site: Site, { noun, method, path, body, sub }: Asked): Promise<Answer> {
  return site.ask(method, path, body, OF_OFFICERS.has(noun) ? 'risk_officer' : 'strategy', sub);
}
