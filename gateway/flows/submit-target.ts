import { draft } from '../../compliance/records.ts';
import { horizonEnd, planSchedule } from '../../execution/schedule.ts';
import type { Parent } from '../../execution/state.ts';
import { asIfWithdrawn, supersededParents, symbolsOf } from '../../execution/supersede.ts';
import { packVerdicts } from '../../risk/verdicts.ts';
import { LEG_CHECKS, PORTFOLIO_CHECKS } from '../../risk/checks/index.ts';
import { decideTarget } from '../../risk/decide-target.ts';
import { absolute, formatDecimal, toNumber, ZERO } from '../../risk/domain/decimal.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor, Draft } from '../../risk/domain/record.ts';
import type { Leg, TargetPortfolio } from '../../risk/domain/target.ts';
import { formatInstant } from '../../risk/domain/time.ts';
import type { LegDecision, TargetDecision } from '../../risk/decision.ts';
import type { Facts } from '../../risk/facts.ts';
import type { LegDecided, TargetDecided } from '../../risk/records.ts';
import { cancelInAnyCase } from '../emergency.ts';
import { factsJson, midOf, readFacts, textOf } from '../facts.ts';
import { idOf, policyInForce, venueFor, type House } from '../house.ts';
import { cancelDrafts, cancelsOf } from './cancel.ts';
import { decisionAt, knownAs, lookUpForgotten } from './recall.ts';
import { schedule } from './schedule.ts';
import { withdrawnDrafts } from './withdraw.ts';

export interface TargetSubmission {
  readonly actor: Actor;
  readonly target: TargetPortfolio;
  readonly requestHash: string;
  readonly dryRun: boolean;
}
export type TargetAnswer =
  | { readonly outcome: 'decided'; readonly decided: TargetDecided; readonly legs: readonly LegDecided[]; readonly receipt: Receipt | null; readonly repeat: boolean }
  | { readonly outcome: 'conflict' | 'busy' };

/** A target portfolio: one decision on the whole set, one unit of records, and parents that are worked over its horizon. */
export async function submitTarget(house: House, submission: TargetSubmission): Promise<TargetAnswer> {
  // read
  const { actor, target } = submission;
  const earlier = await lookUpForgotten(house, 'target', target.account, target.targetId);
  // a dry run is answered as if it were the first, and leaves the id as it is
  const known = submission.dryRun ? null : knownAs(house, 'target', target.account, target.targetId, earlier);
  if (known !== null) return repeatedTarget(house, known, submission.requestHash);
  if (!house.admits()) return { outcome: 'busy' };
  const symbols = symbolsOf(house.state.risk, target);
  const old = supersededParents(house.state.execution, target, symbols);
  const facts = readFacts(house, symbols);

  // decide
  const command = { target, subject: actor.id, venue: venueFor(house) };
  const decision = asIfWithdrawn(house.state.risk, old, () => decideTarget(command, house.state.risk, facts));

  // record
  const seq = submission.dryRun ? 0 : house.journal.nextSeq;
  const decided = targetDecided(house, submission, decision, facts);
  const expireAt = formatInstant(horizonEnd(facts.now, target.horizonSeconds));
  const context = { target, decision, facts, expireAt, asked: new Map(target.legs.map((leg) => [leg.symbol, leg])), old: bySymbol(old) };
  const legs = decision.legs.map((leg, i) => legDecided(house, context, leg, idOf(house.journal.log, seq + 1 + i)));
  if (submission.dryRun) return { outcome: 'decided', decided, legs, receipt: null, repeat: false };
  const drafts: Draft[] = [draft('target.decided', actor, null, decided), ...legs.map((leg) => draft('leg.decided', actor, 'first', leg))];
  const taken = decision.decision === 'denied' ? [] : old;
  const cancels = cancelsOf(taken, SUPERSEDED);
  drafts.push(...withdrawnDrafts(withoutLeg(taken, legs), { actor, reason: SUPERSEDED, cause: 'first' }), ...cancelDrafts(cancels, 'first'));
  const { durable } = house.journal.append(drafts, facts.now);

  // act: cancels do not wait for a log that cannot be written
  await cancelInAnyCase(house, cancels, durable);
  const [receipt] = await durable;
  for (const leg of legs) if (leg.clOrdId !== null) schedule(house, leg.clOrdId);
  return { outcome: 'decided', decided, legs, receipt: receipt as Receipt, repeat: false };
}

const SUPERSEDED = 'a newer target';

/** Of what `complete` takes over: parents in symbols where nothing is held or works, so that there is no leg to close them by. */
function withoutLeg(parents: readonly Parent[], legs: readonly LegDecided[]): readonly Parent[] {
  const withdrawn = new Set(legs.flatMap(({ withdraws }) => withdraws));
  return parents.filter(({ id }) => !withdrawn.has(id));
}

async function repeatedTarget(house: House, seq: number, requestHash: string): Promise<TargetAnswer> {
  const { decided, receipt } = await decisionAt<TargetDecided>(house, seq);
  if (decided.body.requestHash !== requestHash) return { outcome: 'conflict' };
  const legs = await house.records(decided.seq + 1, decided.seq + 1 + decided.body.legs);
  return { outcome: 'decided', decided: decided.body, legs: legs.map((record) => record.body as LegDecided), receipt, repeat: true };
}

function targetDecided(house: House, { target, requestHash }: TargetSubmission, decision: TargetDecision, facts: Facts): TargetDecided {
  const inForce = policyInForce(house);
  const { policy, hash } = inForce;
  const account = house.state.risk.accounts.get(target.account);
  const { observed, verdicts } = packVerdicts(PORTFOLIO_CHECKS, decision.verdicts, inForce, null);
  return {
    account: target.account, asOf: formatInstant(target.asOf), attribution: decision.attribution, basis: target.basis, decision: decision.decision,
    equity: decision.equity === null ? null : String(decision.equity), governor: decision.governor, horizonSeconds: target.horizonSeconds,
    legs: decision.legs.length, mode: target.mode, observed, peak: account === undefined ? null : formatDecimal(account.peak),
    policy: { hash, id: policy.id, version: policy.version }, requestHash, scope: target.scope, source: facts.source, strategy: target.strategy,
    targetId: target.targetId, verdicts,
  };
}

interface LegContext {
  readonly target: TargetPortfolio;
  readonly decision: TargetDecision;
  readonly facts: Facts;
  readonly expireAt: string;
  /** By symbol: what was asked for, and the parents that the target takes over from. */
  readonly asked: ReadonlyMap<string, Leg>;
  readonly old: ReadonlyMap<string, readonly Parent[]>;
}

function bySymbol(parents: readonly Parent[]): ReadonlyMap<string, readonly Parent[]> {
  const groups = new Map<string, Parent[]>();
  for (const parent of parents) groups.set(parent.symbol, [...(groups.get(parent.symbol) ?? []), parent]);
  return groups;
}

function legDecided(house: House, { target, decision, facts, expireAt, asked, old }: LegContext, leg: LegDecision, id: string): LegDecided {
  const symbolFacts = facts.symbols.get(leg.symbol);
  const { forecastDays = null, mu = null, sigma = null } = asked.get(leg.symbol) ?? {};
  const denied = decision.decision === 'denied';
  const deltaQty = denied ? ZERO : leg.deltaQty;
  const works = deltaQty !== 0n;
  const { observed, verdicts } = packVerdicts(LEG_CHECKS, leg.verdicts, policyInForce(house), leg.symbol);
  return {
    account: target.account, allowed: formatDecimal(leg.allowed), arrivalPx: textOf(midOf(symbolFacts)), clOrdId: works ? id : null,
    decision: leg.outcome, deltaQty: formatDecimal(deltaQty), expireAt: works ? expireAt : null, facts: factsJson(symbolFacts),
    forecastDays, mu, observed, requested: textOf(leg.requested), schedule: works ? scheduleOf(house, target, leg, facts) : [], sigma,
    strategy: target.strategy, symbol: leg.symbol, targetId: target.targetId, verdicts, withdraws: denied ? [] : (old.get(leg.symbol) ?? []).map((parent) => parent.id),
  };
}

function scheduleOf(house: House, target: TargetPortfolio, leg: LegDecision, facts: Facts): LegDecided['schedule'] {
  const { policy, universe } = policyInForce(house);
  const instrument = universe.get(leg.symbol);
  const mid = midOf(facts.symbols.get(leg.symbol));
  if (instrument === undefined || mid === null) throw new Error(`a leg in ${leg.symbol} passed without its facts`);
  const { lotSize, assetClass, sigmaAnnual, advQty } = instrument;
  const { slicesMax, sliceSecondsMin, riskAversion } = policy.execution;
  const cumQtys = planSchedule({
    orderQty: absolute(leg.deltaQty), lotSize, assetClass, horizonSeconds: target.horizonSeconds, slicesMax, sliceSecondsMin, riskAversion, sigmaAnnual, advQty,
    px: toNumber(mid),
  });
  return cumQtys.map(formatDecimal);
}
