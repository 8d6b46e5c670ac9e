/**
 * What may be done with a target portfolio. The request is judged as it stands; what breaks a limit that can be clipped to is brought
 * within all limits at once by one projection, rounded to lots, and judged again by the same checks. So a verdict is a pass when the
 * request passed, a clip when only the result does, and else a denial.
 */
import { allPass, factMissing, judge } from './check.ts';
import { LEG_CHECKS, PORTFOLIO_CHECKS } from './checks/index.ts';
import type { PortfolioInput } from './checks/inputs.ts';
import { clipTrades, type Clipped } from './clip.ts';
import type { LegDecision, TargetCommand, TargetDecision } from './decision.ts';
import { toNumber, ZERO, type Decimal } from './domain/decimal.ts';
import type { Attribution } from './domain/order.ts';
import type { Basis } from './domain/target.ts';
import { msBetween } from './domain/time.ts';
import type { CheckCode, Verdict } from './domain/verdict.ts';
import { exposureOf, type Exposure } from './exposure.ts';
import type { Facts } from './facts.ts';
import { planStep } from './floor.ts';
import { gatesOf } from './gates.ts';
import { drawdown, governor } from './governor.ts';
import { registrationOf } from './order-input.ts';
import type { PolicyInForce } from './policy.ts';
import { reduces } from './position.ts';
import { wholeLots } from './rounding.ts';
import type { Account, RiskState } from './state.ts';
import { changesOf, endAfter, inBasis, legInput, readLegs, wishOf, type Circumstances, type Wish } from './target-legs.ts';
import { clipVerdicts, mergeVerdicts, refused } from './merge.ts';

/** Everything that one target is decided on. */
interface Case {
  readonly command: TargetCommand;
  readonly facts: Facts;
  readonly policy: PolicyInForce;
  readonly state: RiskState;
  readonly account: Account | null;
  readonly attribution: Attribution | null;
  readonly at: Circumstances;
  /** The account as it is, at the marks of the decision; null when a fact of it is missing, of `unmarked` symbols. */
  readonly before: Exposure | null;
  readonly unmarked: readonly string[];
  readonly wishes: readonly Wish[];
}

/**
 * Decides a target. The own position that a leg is measured from is qty + open buys − open sells of the strategy's book, as it
 * stands after the flow has withdrawn the unreleased remainder of the strategy's parents in these symbols; in-flight children stay
 * reserved and count. Legs come in the order listed, then the closings of `complete`. RangeError on a symbol listed twice.
 */
export function decideTarget(command: TargetCommand, state: RiskState, facts: Facts): TargetDecision {
  if (state.policy === null) {
    return { decision: 'denied', verdicts: [factMissing(['policy'])], legs: [], equity: null, governor: null, attribution: command.target.attribution };
  }
  const asked = readCase(command, state, facts, state.policy);
  const legVerdicts = asked.wishes.map((wish) => judge(LEG_CHECKS, legInput(wish, wish.trade ?? ZERO, asked.at)));
  const impossible = legVerdicts.map((verdicts) => verdicts.some(refused));
  const trades = asked.wishes.map((wish, i) => (impossible[i] === true ? null : wish.trade));
  const portfolio = judge(PORTFOLIO_CHECKS, portfolioInput(asked, trades));
  const flawless = [portfolio, ...legVerdicts].every(allPass);
  const hopeless = portfolio.some(refused) || (impossible.length > 0 && impossible.every(Boolean));
  if (hopeless || (command.target.mode === 'all_or_none' && !flawless)) return denied(asked, portfolio, legVerdicts);
  const asAsked = flawless ? settled(asked, portfolio, legVerdicts, trades, wished(asked)) : null;
  // Whole lots may break what the wish itself keeps: a sale that was to pay for a purchase, rounded down.
  const breaksInLots = asAsked?.decision === 'denied' && command.target.mode === 'clip';
  return asAsked === null || breaksInLots ? clipped(asked, portfolio, legVerdicts, trades) : asAsked;
}

function readCase(command: TargetCommand, state: RiskState, facts: Facts, policy: PolicyInForce): Case {
  const { target } = command;
  const account = state.accounts.get(target.account) ?? null;
  const attribution = target.attribution ?? registrationOf(policy, target.account, target.strategy)?.attribution ?? null;
  const legs = readLegs(command, policy, state, facts, attribution);
  const seen = account === null ? null : exposureOf(account, policy, facts.now, 'planned', changesOf(legs, () => 0));
  const before = seen !== null && hasWeights(seen) ? seen : null;
  const loss = account === null || before === null ? null : drawdown(before.equity, toNumber(account.peak));
  const at: Circumstances = {
    policy, equity: before?.equity ?? null, drawdown: loss, governor: loss === null ? null : governor(loss, policy.policy.limits.governor),
  };
  const wishes = legs.map((leg) => wishOf(leg, target.basis, at));
  return { command, state, facts, policy, account, attribution, at, before, unmarked: seen?.missingMarks ?? [], wishes };
}

/** Not when something held has no mark, nor when the equity is not positive. */
const hasWeights = ({ missingMarks, equity }: Exposure): boolean => missingMarks.length === 0 && equity > 0 && equity < Infinity;

function portfolioInput(asked: Case, trades: readonly (Decimal | null)[]): PortfolioInput {
  const { command: { target, subject, venue }, state, facts, policy, account, attribution, at, before, unmarked, wishes } = asked;
  const weights = wishes.map(({ weight }) => Math.abs(weight ?? 0));
  return {
    policy, attribution, subject, unmarked, instrument: null,
    gates: gatesOf(state, policy.policy, { venue, account: target.account, strategy: target.strategy, trader: attribution?.trader ?? null, symbol: null }),
    reduces: wishes.every(({ line, book }, i) => reduces(line, book, trades[i] ?? ZERO)),
    registration: registrationOf(policy, target.account, target.strategy),
    drawdown: at.drawdown, governor: at.governor,
    exposure: account === null || before === null ? null
      : { steps: [planStep(account, policy, facts.now, before, wishes, (i) => toNumber(trades[i] ?? ZERO))], sector: null },
    clockStepBackMs: facts.clockStepBackMs,
    asOfAgeMs: msBetween(facts.now, target.asOf),
    requestedGross: weights.reduce((sum, weight) => sum + weight, 0),
    requestedMax: weights.reduce((largest, weight) => Math.max(largest, weight), 0),
  };
}

/** Every trade as it was asked for, in whole lots. */
const wished = ({ wishes }: Case): readonly Clipped[] =>
  wishes.map(({ trade, instrument }) =>
    trade === null || instrument === null ? { trade: ZERO, lots: ZERO, by: [] } : { trade, lots: wholeLots(trade, instrument.lotSize), by: [] });

function clipped(asked: Case, portfolio: readonly Verdict[], legVerdicts: readonly Verdict[][], trades: readonly (Decimal | null)[]): TargetDecision {
  const { account, before, at, facts, wishes } = asked;
  if (account === null || before === null || at.equity === null) throw new RangeError('a target without its account is denied before it is clipped');
  const clip = clipTrades({ account, now: facts.now, at: { ...at, equity: at.equity }, before, wishes, trades });
  if (clip.status === 'clipped') return settled(asked, portfolio, legVerdicts, trades, clip.legs);
  const codes: readonly CheckCode[] = clip.codes;
  return denied(asked, portfolio.map((verdict) => (codes.includes(verdict.code) ? { ...verdict, outcome: 'deny' } : verdict)), legVerdicts);
}

/** Judges what is left and puts the verdicts together; if the result breaks anything after all, the target is denied. */
function settled(
  asked: Case, portfolio: readonly Verdict[], legVerdicts: readonly Verdict[][], trades: readonly (Decimal | null)[], ends: readonly Clipped[],
): TargetDecision {
  const { at, attribution, wishes, command: { target: { basis } } } = asked;
  const lots = ends.map((end, i) => (trades[i] === null ? null : end.lots));
  const whole = mergeVerdicts(portfolio, judge(PORTFOLIO_CHECKS, portfolioInput(asked, lots)));
  const perLeg = wishes.map((wish, i) => {
    const request = legVerdicts[i] as Verdict[];
    if (lots[i] === null) return request;
    return [...mergeVerdicts(request, judge(LEG_CHECKS, legInput(wish, lots[i] as Decimal, at))), ...cutVerdicts(asked, wish, ends[i] as Clipped)];
  });
  if (![whole, ...perLeg.filter((_, i) => lots[i] !== null)].every(allPass)) return denied(asked, whole, perLeg);
  const legs = wishes.map((wish, i) => {
    const verdicts = perLeg[i] as Verdict[];
    return lots[i] === null ? deniedLeg(asked, wish, verdicts) : legOf(wish, ends[i] as Clipped, verdicts, basis, at.equity);
  });
  const untouched = legs.every(({ outcome }) => outcome === 'accepted') && whole.every(({ outcome }) => outcome === 'pass');
  return { decision: untouched ? 'accepted' : 'clipped', verdicts: whole, legs, equity: at.equity, governor: at.governor, attribution };
}

/** The limits of the whole account that cut this leg: from what was asked to what is left, as weights of the strategy's book. */
function cutVerdicts({ at }: Case, wish: Wish, { by, trade }: Clipped): Verdict[] {
  if (wish.mark === null || at.equity === null) return [];
  const left = (toNumber(endAfter(wish, trade)) * wish.mark) / at.equity;
  return clipVerdicts(by, wish.weight ?? 0, left);
}

function legOf(wish: Wish, { trade, lots }: Clipped, verdicts: Verdict[], basis: Basis, equity: number | null): LegDecision {
  const outcome = verdicts.some((verdict) => verdict.outcome === 'clip') ? 'clipped' : 'accepted';
  const requested = wish.leg?.target ?? null;
  const allowed = outcome === 'accepted' ? (requested ?? ZERO) : inBasis(endAfter(wish, trade), basis, wish.mark, equity);
  return { symbol: wish.symbol, requested, allowed, deltaQty: lots, verdicts, outcome };
}

/** A denied leg ends where it is. */
function deniedLeg({ command: { target: { basis } }, at }: Case, wish: Wish, verdicts: Verdict[]): LegDecision {
  const allowed = inBasis(wish.present, basis, wish.mark, at.equity);
  return { symbol: wish.symbol, requested: wish.leg?.target ?? null, allowed, deltaQty: ZERO, verdicts, outcome: 'denied' };
}

function denied(asked: Case, portfolio: readonly Verdict[], legVerdicts: readonly Verdict[][]): TargetDecision {
  const { at, attribution, wishes } = asked;
  const legs = wishes.map((wish, i) => deniedLeg(asked, wish, legVerdicts[i] as Verdict[]));
  return { decision: 'denied', verdicts: portfolio, legs, equity: at.equity, governor: at.governor, attribution };
}
