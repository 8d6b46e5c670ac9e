/** Reads everything that the checks of one order look at, from the state and the facts; what it is held against where a limit is broken, when that is so. */
import type { OrderCommand } from './decision.ts';
import { negate, subtract, toNumber, ZERO, type Decimal } from './domain/decimal.ts';
import type { OrderTerms } from './domain/order.ts';
import { changeOf, exposureOf, hasPlans, type Exposure, type View } from './exposure.ts';
import type { Facts } from './facts.ts';
import { gatesOf } from './gates.ts';
import { drawdown, governor } from './governor.ts';
import type { Movement, OrderInput, Reach } from './checks/inputs.ts';
import { kellyCap } from './kelly.ts';
import { Step } from './measures.ts';
import type { PolicyInForce, StrategyPolicy } from './policy.ts';
import { before, NOTHING_HELD, reachOf, reduces, tradeOf, type Holding } from './position.ts';
import { positive, quoteSeen, type QuoteSeen } from './quote.ts';
import type { Account, RiskState } from './state.ts';

/** The input of ORDER_CHECKS. */
export function readOrder(command: OrderCommand<OrderTerms>, policy: PolicyInForce, state: RiskState, facts: Facts): OrderInput {
  const { terms } = command;
  const account = state.accounts.get(terms.account) ?? null;
  const instrument = policy.universe.get(terms.symbol) ?? null;
  const symbolFacts = facts.symbols.get(terms.symbol);
  const quote = quoteSeen(symbolFacts, facts.now);
  const registration = registrationOf(policy, terms.account, terms.strategy);
  const attribution = command.attribution ?? registration?.attribution ?? null;
  const isSeen = account !== null && instrument !== null && quote !== null;
  const { equity, exposure, unmarked } = isSeen ? movementOf(account, policy, facts, command, quote, instrument.sector) : NOT_SEEN;
  const held = holdingsOf(account, terms, command.reservedQty);
  const trade = tradeOf(terms.side, terms.orderQty);
  const loss = account === null || equity === null ? null : drawdown(equity, toNumber(account.peak));
  const m = loss === null ? null : governor(loss, policy.policy.limits.governor);
  const cap = kellyCap(toNumber(trade), command.forecast?.mu ?? null, command.forecast?.sigma ?? null, policy.policy.limits.kelly);
  const qty = toNumber(terms.orderQty);
  return {
    policy, terms, instrument, quote, registration, attribution, exposure, unmarked,
    subject: command.subject,
    gates: gatesOf(state, policy.policy, {
      venue: command.venue, account: terms.account, strategy: terms.strategy, trader: attribution?.trader ?? null, symbol: terms.symbol,
    }),
    reduces: reduces(held.line, held.book, trade),
    advQty: positive(symbolFacts?.advQty),
    sigmaAnnual: positive(symbolFacts?.sigmaAnnual),
    tradeQty: qty,
    tradeNotional: notionalOf(terms, qty, quote),
    reach: equity === null || quote === null ? null : orderReach(held, trade, quote.mid, equity),
    kellyCap: m === null ? null : cap === null ? 'unrated' : m * cap,
    drawdown: loss,
    governor: m,
    clockStepBackMs: facts.clockStepBackMs,
  };
}

export function registrationOf(policy: PolicyInForce, account: string, strategy: string): StrategyPolicy | null {
  return policy.policy.strategies.find((entry) => entry.id === strategy && entry.account === account) ?? null;
}

/** Both null together. */
interface Moved {
  readonly equity: number | null;
  readonly exposure: Movement | null;
  readonly unmarked: readonly string[];
}
const NOT_SEEN: Moved = { equity: null, exposure: null, unmarked: [] };

/**
 * Before = the books without this order's own reservation; after = with the whole order. What is sent must fit whatever fills first; what
 * was not planned, as a slice was, must leave room for the plans too.
 */
function movementOf(
  account: Account, policy: PolicyInForce, facts: Facts, { terms: { orderQty, side, symbol }, reservedQty, subject }: OrderCommand<OrderTerms>,
  quote: QuoteSeen, sector: string,
): Moved {
  const isSlice = subject === null;
  const planned = isSlice ? -toNumber(reservedQty) : 0;
  const exposureWith = (qty: Decimal, view: View): Exposure =>
    exposureOf(account, policy, facts.now, view, new Map([[symbol, changeOf(side, quote.mid, toNumber(qty), planned)]]));
  const stepOf = (view: View): Step => new Step(exposureWith(subtract(orderQty, reservedQty), view), () => exposureWith(negate(reservedQty), view));
  const released = stepOf('released');
  const { equity, missingMarks } = released.after;
  if (missingMarks.length > 0 || !Number.isFinite(equity)) return { equity: null, exposure: null, unmarked: missingMarks };
  const steps: Movement['steps'] = !isSlice && hasPlans(account, policy) ? [released, stepOf('planned')] : [released];
  return { equity, exposure: { steps, sector }, unmarked: missingMarks };
}

interface Held {
  readonly line: Holding;
  readonly book: Holding;
}

function holdingsOf(account: Account | null, { symbol, strategy, side }: OrderTerms, reservedQty: Decimal): Held {
  const line = account?.lines.get(symbol);
  const book = line?.books.get(strategy);
  return { line: before(line ?? NOTHING_HELD, side, reservedQty), book: before(book ?? NOTHING_HELD, side, reservedQty) };
}

function orderReach({ line, book }: Held, trade: Decimal, mid: number, equity: number): Reach {
  const side = trade >= 0n ? 'up' : 'down';
  return {
    nameBefore: reachOf(line, ZERO, side) * mid, nameAfter: reachOf(line, trade, side) * mid,
    ownBefore: reachOf(book, ZERO, side) * mid, ownAfter: reachOf(book, trade, side) * mid, equity,
  };
}

/** At the limit price if there is one, else at the far touch. */
function notionalOf({ side, limitPx }: OrderTerms, qty: number, quote: QuoteSeen | null): number | null {
  if (quote === null) return null;
  return qty * toNumber(limitPx ?? (side === 'buy' ? quote.askPx : quote.bidPx));
}
