/** What strategies and officers do, by chance: every flow, with ids that repeat, at the limits and beyond. */
import { contentHash } from '../../compliance/canonical.ts';
import { amendOrder, cancelOrder } from '../../gateway/flows/amend-order.ts';
import { flipSwitch, type SwitchCommand } from '../../gateway/flows/flip-switch.ts';
import { answerApproval, requestRelease, type Officer } from '../../gateway/flows/release-switch.ts';
import { submitOrder } from '../../gateway/flows/submit-order.ts';
import { submitTarget } from '../../gateway/flows/submit-target.ts';
import { withdrawTarget } from '../../gateway/flows/withdraw.ts';
import type { House } from '../../gateway/house.ts';
import { formatDecimal, fromNumber, parseDecimal, toNumber, truncateTo, type Decimal } from '../../risk/domain/decimal.ts';
import type { OrderTerms } from '../../risk/domain/order.ts';
import type { Actor } from '../../risk/domain/record.ts';
import type { TargetPortfolio } from '../../risk/domain/target.ts';
import { plusMs } from '../../risk/domain/time.ts';
import type { Scope } from '../../risk/records.ts';
import type { Random } from './random.ts';
import { SETTING, STRATEGIES, SYMBOLS } from './setting.ts';

type Answer = { readonly outcome: string; readonly receipt?: { readonly seq: number } | null };

/** What was asked, so that it can be asked again, changed and taken back. */
export class Callers {
  readonly #random: Random;
  readonly #targets: TargetPortfolio[] = [];
  readonly #orders: { readonly clOrdId: string; readonly terms: OrderTerms; readonly subject: string }[] = [];
  readonly #halts: Scope[] = [];
  #approvals: string[] = [];
  #lastFlip: SwitchCommand | null = null;
  #count = 0;

  constructor(random: Random) { this.#random = random; }

  /** One command; what became of it. */
  async act(house: House): Promise<Answer> {
    this.#count++;
    const kind = this.#random.weighted({
      target: 22, order: 30, amend: 10, cancel: 10, withdraw: 4, flip: 4, release: this.#halts.length * 3, answer: this.#approvals.length * 6, repeat: 6,
    });
    switch (kind) {
      case 'target': return this.#submitTarget(house, this.#target(house));
      case 'order': return this.#submitOrder(house);
      case 'amend': return this.#amend(house);
      case 'cancel': return this.#cancel(house);
      case 'withdraw': return this.#withdraw(house);
      case 'flip': return this.#flip(house);
      case 'release': return this.#release(house);
      case 'answer': return this.#answer(house);
      case 'repeat': return this.#repeat(house);
    }
  }

  /** Everything is released, withdrawn and cancelled. */
  async settle(house: House): Promise<void> {
    for (const { targetId, account } of this.#targets) {
      await withdrawTarget(house, { actor: strategy('s-1'), account, targetId, reason: 'the end' });
    }
    for (const { clOrdId, terms: { account } } of this.#orders) await cancelOrder(house, { actor: strategy('s-1'), account, clOrdId });
    for (const { order: { clOrdId, symbol, venue } } of house.state.execution.children.values()) house.venues.get(venue)?.cancel({ clOrdId, symbol });
  }

  async #submitTarget(house: House, target: TargetPortfolio): Promise<Answer> {
    const dryRun = this.#random.chance(0.05);
    if (!dryRun) this.#targets.push(target);
    return submitTarget(house, { actor: strategy(subjectOf(target.strategy)), target, dryRun, requestHash: hashOf(target) });
  }

  #target(house: House): TargetPortfolio {
    const random = this.#random;
    const [account, strategyId] = random.pick(STRATEGIES);
    const symbols = shuffled(random, random.chance(0.03) ? [...SYMBOLS, 'NOWHERE'] : SYMBOLS).slice(0, random.int(1, 4));
    const basis = random.weighted({ weight: 6, quantity: 2, notional: 1 });
    return {
      targetId: `T-${String(this.#count)}`, account, strategy: strategyId, basis, horizonSeconds: random.pick([1, 3, 10, 30]),
      asOf: plusMs(house.timers.now(), -random.int(0, random.chance(0.03) ? 90_000 : 1_000)),
      mode: random.chance(0.8) ? 'clip' : 'all_or_none', scope: random.chance(0.8) ? 'listed' : 'complete', attribution: null,
      legs: symbols.map((symbol) => {
        const isRated = random.chance(0.3);
        return {
          symbol, target: this.#wish(basis, symbol), mu: isRated ? random.unit() * 0.3 - 0.1 : null,
          sigma: isRated ? 0.1 + random.unit() * 0.3 : null, forecastDays: null,
        };
      }),
    };
  }

  #wish(basis: TargetPortfolio['basis'], symbol: string): Decimal {
    const weight = this.#random.chance(0.1) ? 0 : (this.#random.unit() - 0.45) * 0.5;
    if (basis === 'weight') return fromNumber(weight, 4);
    if (basis === 'notional') return fromNumber(weight * 800_000, 2);
    return truncateTo(fromNumber((weight * 800_000) / pxOf(symbol), 4), lotOf(symbol));
  }

  async #submitOrder(house: House): Promise<Answer> {
    const [, strategyId] = this.#random.pick(STRATEGIES);
    const order = { clOrdId: `O${String(this.#count)}`, subject: subjectOf(strategyId), terms: this.#terms(house) };
    this.#orders.push(order);
    return this.#sendOrder(house, order);
  }

  #sendOrder(house: House, { clOrdId, terms, subject }: { readonly clOrdId: string; readonly terms: OrderTerms; readonly subject: string }): Promise<Answer> {
    return submitOrder(house, { actor: strategy(subject), clOrdId, terms, attribution: null, requestHash: hashOf(terms) });
  }

  #terms(house: House): OrderTerms {
    const random = this.#random;
    const [account, strategyId] = random.pick(STRATEGIES);
    const symbol = random.pick(SYMBOLS);
    const type = random.weighted({ limit: 10, market: 3, pegged: 2, pov: 1 });
    const tif = type === 'limit' || type === 'market' ? random.weighted({ day: 4, gtc: 3, ioc: 3, fok: 1, gtd: 2 }) : random.pick(['day', 'gtc'] as const);
    const side = random.pick(['buy', 'sell'] as const);
    const notional = random.chance(0.05) ? 900_000 : random.wait(40_000);
    const orderQty = truncateTo(fromNumber(notional / pxOf(symbol), 4), lotOf(symbol));
    return {
      account, strategy: strategyId, symbol, side, type, tif, orderQty: orderQty > 0n ? orderQty : lotOf(symbol),
      limitPx: type === 'limit' ? this.#limitPx(house, symbol) : null,
      expireAt: tif === 'gtd' ? plusMs(house.timers.now(), random.int(100, 20_000)) : null, participation: type === 'pov' ? 0.1 : null,
    };
  }

  #limitPx(house: House, symbol: string): Decimal {
    const quote = house.market.quote(symbol);
    const tick = SETTING.universe.get(symbol)?.tickSize ?? parseDecimal('0.01');
    const px = quote === null ? pxOf(symbol) : toNumber(this.#random.chance(0.5) ? quote.bidPx : quote.askPx);
    return truncateTo(fromNumber(px * (1 + (this.#random.unit() - 0.5) * 0.002), 6), tick);
  }

  async #amend(house: House): Promise<Answer> {
    const order = this.#recentOrder(house);
    if (order === null) return this.#submitOrder(house);
    const { clOrdId, account, symbol, orderQty } = order;
    const newQty = this.#random.chance(0.7) ? truncateTo(fromNumber(toNumber(orderQty) * (0.3 + this.#random.unit() * 1.2), 4), lotOf(symbol)) : null;
    const limitPx = this.#random.chance(0.4) ? this.#limitPx(house, symbol) : null;
    return amendOrder(house, { actor: strategy('s-1'), account, clOrdId, limitPx, orderQty: newQty, requestHash: contentHash({ clOrdId, n: this.#count }) });
  }

  async #cancel(house: House): Promise<Answer> {
    const order = this.#orderOfTarget(house) ?? this.#recentOrder(house);
    if (order === null) return this.#submitOrder(house);
    return cancelOrder(house, { actor: strategy('s-1'), account: order.account, clOrdId: order.clOrdId });
  }

  /** Now and then a target's leg, or one of its slices, by our id. */
  #orderOfTarget(house: House): { readonly clOrdId: string; readonly account: string } | null {
    const legs = [...house.state.execution.parents.values()].filter(({ targetId }) => targetId !== null);
    if (legs.length === 0 || this.#random.chance(0.7)) return null;
    const { id, account, children } = this.#random.pick(legs);
    return { account, clOrdId: children.length > 0 && this.#random.chance(0.5) ? this.#random.pick(children).order.clOrdId : id };
  }

  /** Mostly one that works; sometimes any. */
  #recentOrder(house: House): { readonly clOrdId: string; readonly account: string; readonly symbol: string; readonly orderQty: Decimal } | null {
    const working = [...house.state.execution.parents.values()].flatMap((parent) => (parent.clOrdId === null ? [] : [{ ...parent, clOrdId: parent.clOrdId }]));
    if (working.length > 0 && this.#random.chance(0.9)) return this.#random.pick(working);
    if (this.#orders.length === 0) return null;
    const { clOrdId, terms } = this.#random.pick(this.#orders.slice(-20));
    return { clOrdId, account: terms.account, symbol: terms.symbol, orderQty: terms.orderQty };
  }

  async #withdraw(house: House): Promise<Answer> {
    if (this.#targets.length === 0) return this.#submitTarget(house, this.#target(house));
    const { account, targetId } = this.#random.pick(this.#targets.slice(-8));
    const withdrawn = await withdrawTarget(house, { actor: strategy('s-1'), account, targetId, reason: 'taken back' });
    return withdrawn === null ? { outcome: 'nothing' } : { outcome: 'withdrawn', ...withdrawn };
  }

  async #flip(house: House): Promise<Answer> {
    const random = this.#random;
    const kind = random.weighted({ firm: 1, venue: 1, account: 3, strategy: 4, trader: 2, instrument: 5 });
    const ids = { firm: ['*'], venue: ['PAPER'], account: ['ACC1', 'ACC2'], strategy: STRATEGIES.map(([, id]) => id), trader: ['TRADER1', 'TRADER2'], instrument: SYMBOLS };
    const scope: Scope = { kind, id: random.pick<string>(ids[kind]) };
    this.#halts.push(scope);
    const command: SwitchCommand = random.chance(0.2) && this.#lastFlip !== null ? this.#lastFlip : {
      actor: officer('r-1').actor, requestId: random.chance(0.5) ? `R${String(this.#count)}` : null, scope, state: random.chance(0.7) ? 'halted' : 'reducing',
      cancel: random.chance(0.7) ? 'working' : 'none', reason: `by chance ${String(this.#count)}`,
    };
    this.#lastFlip = command;
    return flipSwitch(house, command);
  }

  async #release(house: House): Promise<Answer> {
    const [scope] = this.#halts.splice(this.#random.int(0, this.#halts.length - 1), 1);
    if (scope === undefined) return { outcome: 'nothing' };
    const to = this.#random.chance(0.85) ? 'active' : 'reducing';
    if (to === 'reducing') this.#halts.push(scope);
    const answer = await requestRelease(house, officer('r-1'), { scope, to, reason: 'over' });
    if (answer.outcome === 'requested') this.#approvals.push(answer.approvalId);
    return answer;
  }

  async #answer(house: House): Promise<Answer> {
    const id = this.#random.pick(this.#approvals);
    const isSame = this.#random.chance(0.1);
    if (!isSame) this.#approvals = this.#approvals.filter((each) => each !== id);
    const answer = await answerApproval(house, officer(isSame ? 'r-1' : 'r-2'), id, { approve: this.#random.chance(0.9), reason: 'seen' });
    const scope = house.state.compliance.approvals.get(id)?.scope;
    if (answer.outcome !== 'given' && !isSame && scope !== undefined) this.#halts.push(scope);
    return answer;
  }

  /** The same id again: with the same content, or with another. */
  async #repeat(house: House): Promise<Answer> {
    const isChanged = this.#random.chance(0.3);
    if (this.#random.chance(0.5) && this.#targets.length > 0) {
      const target = this.#random.pick(this.#targets.slice(-12));
      return this.#submitTarget(house, isChanged ? { ...target, horizonSeconds: target.horizonSeconds + 1 } : target);
    }
    if (this.#orders.length === 0) return this.#submitOrder(house);
    const order = this.#random.pick(this.#orders.slice(-12));
    return this.#sendOrder(house, isChanged ? { ...order, terms: { ...order.terms, side: order.terms.side === 'buy' ? 'sell' : 'buy' } } : order);
  }
}

const strategy = (id: string): Actor => ({ id, role: 'strategy' });
const officer = (id: string): Officer => ({ actor: { id, role: 'risk_officer' }, person: `sim ${id}` });
const subjectOf = (strategyId: string): string => (strategyId === 'beta-1' ? 's-beta' : 's-1');
const lotOf = (symbol: string): Decimal => SETTING.universe.get(symbol)?.lotSize ?? parseDecimal('1');
const pxOf = (symbol: string): number => toNumber(SETTING.universe.get(symbol)?.referencePx ?? parseDecimal('100'));

function hashOf(value: TargetPortfolio | OrderTerms): string {
  return contentHash(JSON.parse(JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? formatDecimal(part as Decimal) : part))) as never);
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  return items.map((item) => ({ item, at: random.unit() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}
