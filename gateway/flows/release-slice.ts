import { draft, SYSTEM } from '../../compliance/records.ts';
import { committedQty } from '../../execution/parents.ts';
import type { SliceWithheld } from '../../execution/records.ts';
import type { Choice } from '../../execution/route.ts';
import type { ScheduleStep } from '../../execution/schedule.ts';
import type { Parent } from '../../execution/state.ts';
import { packVerdicts } from '../../risk/verdicts.ts';
import { isPositionLimit, ORDER_CHECKS } from '../../risk/checks/index.ts';
import { decideOrder } from '../../risk/decide.ts';
import type { OrderDecision } from '../../risk/decision.ts';
import { formatDecimal, subtract, toNumber, type Decimal } from '../../risk/domain/decimal.ts';
import type { ChildOrder } from '../../risk/domain/order.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import { formatInstant } from '../../risk/domain/time.ts';
import type { Facts, SymbolFactsJson } from '../../risk/facts.ts';
import { factsJson, readFacts, textOf } from '../facts.ts';
import { idOf, policyInForce, venueFor, type House } from '../house.ts';
import { sendOrWithhold, sliceReleased } from './send.ts';

/**
 * One slice of a parent, when its time has come and new work is taken: fresh facts, the same decision on the child, the record, a last
 * look, the send. Returns whether some of it waits for room under a limit of position: what others fill may make it. Asked `again` for that,
 * a slice that is still denied, for whatever reason, waits on, and is no news.
 */
export async function releaseSlice(house: House, id: string, step: ScheduleStep, again: boolean): Promise<boolean> {
  // read
  const parent = house.state.execution.parents.get(id);
  if (parent === undefined || parent.end !== null) return false;
  // what the schedule wants out by now, less what was filled and what is still at work
  const wantedQty = subtract(step.cumQty, committedQty(parent));
  if (wantedQty <= 0n) return false;
  const facts = readFacts(house, [parent.symbol]);

  // decide
  const slice = sliceThatFits(house, parent, wantedQty, facts);
  const { child, choice, decision } = slice;
  const { observed, verdicts } = packVerdicts(ORDER_CHECKS, decision.verdicts, policyInForce(house), parent.symbol);
  const due = formatInstant(step.at);

  // record
  const { account, strategy, symbol } = parent;
  const seen = factsJson(facts.symbols.get(symbol));
  if (decision.decision === 'denied' || choice === null) {
    if (again) return true;
    const withheld = draft('slice.withheld', SYSTEM, parent.decidedSeq, {
      account, clOrdId: null, decision: 'denied', due, judged: judged(child, seen), observed, orderQty: formatDecimal(wantedQty), parent: id, strategy, symbol,
      verdicts, why: 'denied',
    });
    await house.journal.append([withheld], facts.now).durable;
    return isTooMuch(slice);
  }
  const { arm, arms } = choice;
  const how = { arm, arms, due, facts: seen, observed, verdicts, wantedQty: formatDecimal(wantedQty) };
  const released = draft('slice.released', SYSTEM, parent.decidedSeq, sliceReleased(child, how));
  const [receipt] = await house.journal.append([released], facts.now).durable;

  // act
  sendOrWithhold(house, decision.approved, receipt as Receipt);
  return child.orderQty < wantedQty;
}

interface Slice {
  readonly child: ChildOrder;
  readonly choice: Choice | null;
  readonly decision: OrderDecision<ChildOrder>;
}

/** Denied for nothing but how much is held then, or what it costs: the leg was judged at its mid, and its slices pay the touch of their time. */
const isTooMuch = ({ decision: { decision, verdicts } }: Slice): boolean =>
  decision === 'denied' && verdicts.every(({ code, outcome }) => outcome !== 'deny' || isPositionLimit(code) || code === 'MAX_ORDER_NOTIONAL');
const isReleasable = ({ choice, decision }: Slice): boolean => choice !== null && decision.decision !== 'denied';

/**
 * The slice that is wanted; or, where a limit of position or its price denies it, the largest part of it in whole lots that every check lets pass. A target
 * is clipped to the very limit, and prices move after it: a cent must not stop the whole of it. What does not fit is wanted again.
 */
function sliceThatFits(house: House, parent: Parent, wantedQty: Decimal, facts: Facts): Slice {
  const whole = sliceOf(house, parent, wantedQty, wantedQty, facts);
  const lot = policyInForce(house).universe.get(parent.symbol)?.lotSize;
  if (isReleasable(whole) || !isTooMuch(whole) || lot === undefined || wantedQty <= lot) return whole;
  let best = sliceOf(house, parent, lot, wantedQty, facts);
  if (!isReleasable(best)) return whole;
  let [fits, fails] = [1n, (wantedQty + lot - 1n) / lot]; // in lots
  while (fails - fits > 1n) {
    const lots = (fits + fails) / 2n;
    const part = sliceOf(house, parent, (lots * lot) as Decimal, wantedQty, facts);
    if (isReleasable(part)) [fits, best] = [lots, part];
    else fails = lots;
  }
  return best;
}

/** The books hold all that is wanted, so what of it is left out counts as not there. */
function sliceOf(house: House, parent: Parent, orderQty: Decimal, wantedQty: Decimal, facts: Facts): Slice {
  const { account, attribution, forecast, strategy, symbol, side, id } = parent;
  const venue = venueFor(house);
  const choice = chooseRoute(house, parent, orderQty, facts);
  const child: ChildOrder = {
    account, strategy, symbol, side, orderQty, ...(choice?.order ?? UNROUTED), expireAt: null,
    clOrdId: idOf(house.journal.log, house.journal.nextSeq), origClOrdId: null, parent: id, venue,
  };
  const decision = decideOrder({ terms: child, subject: null, attribution, forecast, venue, reservedQty: wantedQty }, house.state.risk, facts);
  return { child, choice, decision };
}

/** What was denied, as its record keeps it. */
function judged({ account, limitPx, orderQty, participation, side, strategy, symbol, tif, type, venue }: ChildOrder, facts: SymbolFactsJson): SliceWithheld['judged'] {
  return {
    account, expireAt: null, facts, limitPx: textOf(limitPx), orderQty: formatDecimal(orderQty), participation, side, strategy, symbol, tif, type, venue,
  };
}

/** Without a quote there is no choice: the checks see a market order without facts, and deny it for that. */
const UNROUTED = { type: 'market', limitPx: null, tif: 'ioc', participation: null } as const;

function chooseRoute(house: House, parent: Parent, orderQty: Decimal, facts: Facts): Choice | null {
  const { policy, universe } = policyInForce(house);
  const instrument = universe.get(parent.symbol);
  const { bidPx, askPx } = facts.symbols.get(parent.symbol) ?? { bidPx: null, askPx: null };
  const [venue] = policy.venues;
  if (instrument === undefined || bidPx === null || askPx === null || venue === undefined) return null;
  const { assetClass, sigmaAnnual, advQty, tickSize } = instrument;
  const spreadBps = (2e4 * (toNumber(askPx) - toNumber(bidPx))) / (toNumber(askPx) + toNumber(bidPx));
  return house.router.choose({
    askPx, bidPx, collarBps: policy.limits.collarBps, crossBps: policy.execution.crossBps, side: parent.side, tickSize,
    cost: {
      advQty, assetClass, makerFeeBps: venue.makerFeeBps, qty: toNumber(orderQty), seconds: policy.execution.sliceSecondsMin, sigmaAnnual, spreadBps,
      takerFeeBps: venue.takerFeeBps,
    },
  });
}
