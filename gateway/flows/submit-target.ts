import { draft } from '../../compliance/records.ts';
import { horizonEnd, planSchedule } from '../../execution/schedule.ts';
import type { Parent } from '../../execution/state.ts';
import { asIfWithdrawn, supersededParents, symbolsOf } from '../../execution/supersede.ts';
import { packVerdicts } from '../../risk/verdicts.ts';
import { LEG_CHECKS, PORTFOLIO_CHECKS } from '../../risk/checks/index.ts';
import { decideTarget } from '../../risk/decide-target.ts';
import { absolute, formatDecimal, toNumber, ZERO } from '../../risk/domain/decimal.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Actor, Draft, LogRecord } from '../../risk/domain/record.ts';
import type { TargetPortfolio } from '../../risk/domain/target.ts';
import { formatInstant } from '../../risk/domain/time.ts';
import type { LegDecision, TargetDecision } from '../../risk/decision.ts';
import type { Facts } from '../../risk/facts.ts';
import type { LegDecided, TargetDecided } from '../../risk/records.ts';
import { factsJson, midOf, readFacts, textOf } from '../facts.ts';
import { idOf, policyInForce, type House } from '../house.ts';
import { cancelDrafts, cancelsOf, sendCancels } from './cancel.ts';
import { recall } from './recall.ts';
import { schedule } from './schedule.ts';
import { venueFor } from './submit-order.ts';

export interface TargetSubmission {
  readonly actor: Actor;
  readonly target: TargetPortfolio;
  readonly requestHash: string;
  readonly dryRun: boolean;
}
export type TargetAnswer =
  | { readonly outcome: 'decided'; readonly decided: TargetDecided; readonly legs: readonly LegDecided[]; readonly receipt: Receipt | null; readonly repeat: boolean }
  | { readonly outcome: 'conflict' | 'busy' };

/** A dry run is asked about no id: it is answered as if it were the first, and leaves the id as it is. */
const NEW = { kind: 'new' } as const;

/** A target portfolio: one decision on the whole set, one unit of records, and parents that are worked over its horizon. */
export async function submitTarget(house: House, submission: TargetSubmission): Promise<TargetAnswer> {
  // read
  const { actor, target } = submission;
  const known = submission.dryRun ? NEW : await recall<TargetDecided>(house, 'target', target.account, target.targetId, submission.requestHash);
  if (known.kind === 'conflict') return { outcome: 'conflict' };
  if (known.kind === 'repeat') return repeatedTarget(house, known.decided, known.receipt);
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
  const legs = decision.legs.map((leg, i) => legDecided(house, { submission, decision, leg, facts, old, id: idOf(house.journal.log, seq + 1 + i) }));
  if (submission.dryRun) return { outcome: 'decided', decided, legs, receipt: null, repeat: false };
  const drafts: Draft[] = [draft('target.decided', actor, null, decided), ...legs.map((leg) => draft('leg.decided', actor, 'first', leg))];
  const cancels = decision.decision === 'denied' ? [] : cancelsOf(old, 'a newer target');
  drafts.push(...cancelDrafts(cancels, 'first'));
  const [receipt] = await house.journal.append(drafts, facts.now).durable;

  // act
  sendCancels(house, cancels);
  for (const leg of legs) if (leg.clOrdId !== null) schedule(house, leg.clOrdId);
  return { outcome: 'decided', decided, legs, receipt: receipt as Receipt, repeat: false };
}

async function repeatedTarget(house: House, decided: LogRecord<string, TargetDecided>, receipt: Receipt): Promise<TargetAnswer> {
  const legs = await house.records(decided.seq + 1, decided.seq + 1 + decided.body.legs);
  return { outcome: 'decided', decided: decided.body, legs: legs.map((record) => record.body as LegDecided), receipt, repeat: true };
}

function targetDecided(house: House, { target, requestHash }: TargetSubmission, decision: TargetDecision, facts: Facts): TargetDecided {
  const inForce = policyInForce(house);
  const { policy, hash } = inForce;
  const account = house.state.risk.accounts.get(target.account);
  return {
    account: target.account, asOf: formatInstant(target.asOf), attribution: decision.attribution, basis: target.basis, decision: decision.decision,
    equity: decision.equity === null ? null : String(decision.equity), governor: decision.governor, horizonSeconds: target.horizonSeconds,
    legs: decision.legs.length, mode: target.mode, ...packVerdicts(PORTFOLIO_CHECKS, decision.verdicts, inForce, null),
    peak: account === undefined ? null : formatDecimal(account.peak),
    policy: { hash, id: policy.id, version: policy.version }, requestHash, scope: target.scope, source: facts.source, strategy: target.strategy,
    targetId: target.targetId,
  };
}

interface LegContext {
  readonly submission: TargetSubmission;
  readonly decision: TargetDecision;
  readonly leg: LegDecision;
  readonly facts: Facts;
  readonly old: readonly Parent[];
  readonly id: string;
}

function legDecided(house: House, { submission: { target }, decision, leg, facts, old, id }: LegContext): LegDecided {
  const symbolFacts = facts.symbols.get(leg.symbol);
  const asked = target.legs.find((each) => each.symbol === leg.symbol);
  const denied = decision.decision === 'denied';
  const deltaQty = denied ? ZERO : leg.deltaQty;
  const works = deltaQty !== 0n;
  const expireAt = horizonEnd(facts.now, target.horizonSeconds);
  return {
    account: target.account, allowed: formatDecimal(leg.allowed), arrivalPx: textOf(midOf(symbolFacts)), clOrdId: works ? id : null,
    decision: leg.outcome, deltaQty: formatDecimal(deltaQty), expireAt: works ? formatInstant(expireAt) : null, facts: factsJson(symbolFacts),
    forecastDays: asked?.forecastDays ?? null, mu: asked?.mu ?? null, ...packVerdicts(LEG_CHECKS, leg.verdicts, policyInForce(house), leg.symbol),
    requested: textOf(leg.requested),
    schedule: works ? scheduleOf(house, target, leg, facts) : [], sigma: asked?.sigma ?? null, strategy: target.strategy, symbol: leg.symbol,
    targetId: target.targetId, withdraws: denied ? [] : old.filter((parent) => parent.symbol === leg.symbol).map((parent) => parent.id),
  };
}

function scheduleOf(house: House, target: TargetPortfolio, leg: LegDecision, facts: Facts): LegDecided['schedule'] {
  const { policy, universe } = policyInForce(house);
  const instrument = universe.get(leg.symbol);
  const mid = midOf(facts.symbols.get(leg.symbol));
  if (instrument === undefined || mid === null) throw new Error(`a leg in ${leg.symbol} passed without its facts`);
  const { lotSize, assetClass, sigmaAnnual, advQty, spreadBps } = instrument;
  const steps = planSchedule({
    ...policy.execution, advQty, assetClass, horizonSeconds: target.horizonSeconds, lotSize, orderQty: absolute(leg.deltaQty), px: toNumber(mid), sigmaAnnual,
    spreadBps, start: facts.now,
  });
  return steps.map(({ at, cumQty }) => ({ at: formatInstant(at), cumQty: formatDecimal(cumQty) }));
}
