/** Reads the legs of a target: the listed ones, then the closings that `complete` adds; their facts, holdings and switches. */
import type { TargetCommand } from './decision.ts';
import { add, fromNumber, subtract, toNumber, ZERO, type Decimal } from './domain/decimal.ts';
import type { Instrument } from './domain/instrument.ts';
import type { Attribution } from './domain/order.ts';
import type { Basis, Leg } from './domain/target.ts';
import { changeOf, highIn, lowIn, type Change } from './exposure.ts';
import type { Facts } from './facts.ts';
import { gatesOf, type Gates } from './gates.ts';
import { kellyCap } from './kelly.ts';
import type { LegInput } from './checks/inputs.ts';
import type { PolicyInForce } from './policy.ts';
import { NOTHING_HELD, presentOf, reachOf, reduces, type Holding } from './position.ts';
import { isFresh, positive, quoteSeen, type QuoteSeen } from './quote.ts';
import { quantityOf } from './rounding.ts';
import type { Account, RiskState } from './state.ts';

export interface LegRead {
  readonly symbol: string;
  /** Null for a closing that `complete` added. */
  readonly leg: Leg | null;
  readonly instrument: Instrument | null;
  readonly quote: QuoteSeen | null;
  /** The fresh mid, else the recorded mark; null without either. */
  readonly mark: number | null;
  readonly advQty: number | null;
  readonly sigmaAnnual: number | null;
  readonly line: Holding;
  readonly book: Holding;
  /** The line's position once all plans are done, units: the middle between the highest and the lowest that other orders may make it, and the distance to each. */
  readonly middle: number;
  readonly either: number;
  /** Own position with what is open: what a leg that is left alone ends at. */
  readonly present: Decimal;
  readonly gates: Gates;
}

/** RangeError on a symbol listed twice: the edge refuses that before. */
export function readLegs(command: TargetCommand, policy: PolicyInForce, state: RiskState, facts: Facts, attribution: Attribution | null): LegRead[] {
  const { target, venue } = command;
  const trader = attribution?.trader ?? null;
  const account = state.accounts.get(target.account);
  const listed = new Map(target.legs.map((leg) => [leg.symbol, leg]));
  if (listed.size !== target.legs.length) throw new RangeError('a symbol is listed twice');
  const closings = target.scope === 'complete' && account !== undefined ? held(account, target.strategy).filter((symbol) => !listed.has(symbol)) : [];
  return [...listed.keys(), ...closings].map((symbol) => {
    const line = account?.lines.get(symbol);
    const book = line?.books.get(target.strategy) ?? NOTHING_HELD;
    const symbolFacts = facts.symbols.get(symbol);
    const quote = quoteSeen(symbolFacts, facts.now);
    const recorded = line === undefined || line.mark === null ? null : line.markN;
    return {
      symbol, quote, book,
      leg: listed.get(symbol) ?? null,
      instrument: policy.universe.get(symbol) ?? null,
      mark: quote !== null && isFresh(quote, policy.policy) ? quote.mid : recorded,
      advQty: positive(symbolFacts?.advQty),
      sigmaAnnual: positive(symbolFacts?.sigmaAnnual),
      line: line ?? NOTHING_HELD,
      middle: line === undefined ? 0 : (highIn(line, 'planned') + lowIn(line, 'planned')) / 2,
      either: line === undefined ? 0 : (highIn(line, 'planned') - lowIn(line, 'planned')) / 2,
      present: presentOf(book),
      gates: gatesOf(state, policy.policy, { venue, account: target.account, strategy: target.strategy, trader, symbol }),
    };
  });
}

/** Symbols in which the strategy has a position or anything open, in the order of the lines. */
function held(account: Account, strategy: string): string[] {
  const symbols: string[] = [];
  for (const line of account.lines.values()) {
    const book = line.books.get(strategy);
    if (book !== undefined && (book.qty !== 0n || book.buyOpen !== 0n || book.sellOpen !== 0n)) symbols.push(line.symbol);
  }
  return symbols;
}

/** What the circumstances of the account are, once its equity is known. */
export interface Circumstances {
  readonly policy: PolicyInForce;
  /** Null when it is missing or not positive: nothing has a weight then. */
  readonly equity: number | null;
  readonly drawdown: number | null;
  readonly governor: number | null;
}

/** A leg with what it asks for. */
export interface Wish extends LegRead {
  /** Of equity, of the strategy's own book; null where no mark gives one. */
  readonly weight: number | null;
  /** What would be traded to get there; null where no mark gives one. */
  readonly trade: Decimal | null;
  /** Governor × cap, a weight; `unrated` where a forecast is required. */
  readonly kellyCap: number | 'unrated' | null;
}

export function wishOf(read: LegRead, basis: Basis, { policy, equity, governor }: Circumstances): Wish {
  const target = read.leg?.target ?? ZERO;
  const asked = toNumber(target);
  const end = endOf(target, basis, read.mark, equity);
  const cap = kellyCap(asked, read.leg?.mu ?? null, read.leg?.sigma ?? null, policy.policy.limits.kelly);
  const { symbol, leg, instrument, quote, mark, advQty, sigmaAnnual, line, book, middle, either, present, gates } = read;
  return {
    symbol, leg, instrument, quote, mark, advQty, sigmaAnnual, line, book, middle, either, present, gates, // key by key: a spread of 500 of them is a millisecond
    weight: weightOf(asked, basis, read.mark, equity),
    trade: end === null ? null : subtract(end, read.present),
    kellyCap: cap === null ? 'unrated' : governor === null ? null : governor * cap,
  };
}

function weightOf(asked: number, basis: Basis, mark: number | null, equity: number | null): number | null {
  if (basis === 'weight') return asked;
  const notional = basis === 'notional' ? asked : mark === null ? null : asked * mark;
  return notional === null || equity === null ? null : notional / equity;
}

/** The quantity that a target means. */
function endOf(target: Decimal, basis: Basis, mark: number | null, equity: number | null): Decimal | null {
  if (basis === 'quantity' || target === 0n) return target;
  if (mark === null || equity === null) return null;
  return quantityOf((toNumber(target) * (basis === 'weight' ? equity : 1)) / mark);
}

/** A quantity in the portfolio's basis; weights with nine decimals, notionals with six. */
export function inBasis(qty: Decimal, basis: Basis, mark: number | null, equity: number | null): Decimal {
  if (basis === 'quantity' || qty === 0n) return qty;
  if (mark === null || equity === null) return ZERO;
  const notional = toNumber(qty) * mark;
  return basis === 'notional' ? fromNumber(notional, 6) : fromNumber(notional / equity, 9);
}

/** No check of a leg needs an exposure. */
const NONE: readonly string[] = [];

/** The input of LEG_CHECKS for a trade: the one wished for, or the one that is left of it. */
export function legInput(wish: Wish, trade: Decimal, { policy, equity, drawdown, governor }: Circumstances): LegInput {
  const { quote, line, book } = wish;
  const side = trade > 0n ? 'up' : 'down';
  const mid = quote?.mid ?? 0;
  const size = Math.abs(toNumber(trade));
  return {
    policy, drawdown, governor, quote, unmarked: NONE,
    instrument: wish.instrument, gates: wish.gates, advQty: wish.advQty, sigmaAnnual: wish.sigmaAnnual, kellyCap: wish.kellyCap,
    reduces: reduces(line, book, trade),
    tradeQty: size,
    tradeNotional: quote === null ? null : size * mid,
    reach: quote === null || equity === null ? null : {
      nameBefore: reachOf(line, ZERO, side) * mid, nameAfter: reachOf(line, trade, side) * mid,
      ownBefore: reachOf(book, ZERO, side) * mid, ownAfter: reachOf(book, trade, side) * mid, equity,
    },
  };
}

/** The what-if of `exposureOf`: each leg with a mark of its own, and its trade, in units, as a plan. */
export function changesOf(legs: readonly LegRead[], tradeOf: (index: number) => number): ReadonlyMap<string, Change> {
  const changes = new Map<string, Change>();
  for (const [i, { symbol, mark }] of legs.entries()) {
    if (mark === null) continue;
    const trade = tradeOf(i);
    changes.set(symbol, trade < 0 ? changeOf('sell', mark, -trade, -trade) : changeOf('buy', mark, trade, trade));
  }
  return changes;
}

/** Own position at the end of a trade. */
export const endAfter = (wish: Wish, trade: Decimal): Decimal => add(wish.present, trade);
