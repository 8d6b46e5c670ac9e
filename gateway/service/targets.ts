/** Target portfolios in API form. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { contentHash } from '../../compliance/canonical.ts';
import { shortfallOf, type Shortfall } from '../../execution/shortfall.ts';
import { findParent, findTarget, targetKey, type Parent, type Target } from '../../execution/state.ts';
import { recall } from '../../execution/window.ts';
import { PORTFOLIO_CHECKS } from '../../risk/checks/index.ts';
import { formatDecimal, subtract, type Decimal } from '../../risk/domain/decimal.ts';
import { formatInstant } from '../../risk/domain/time.ts';
import { unpackVerdicts } from '../../risk/verdicts.ts';
import type { LegDecided, TargetDecided } from '../../risk/records.ts';
import { reaches, type Principal } from '../auth/principal.ts';
import { lastMidOf, readFacts, textOf } from '../facts.ts';
import { decidedSeqOf, decisionAt } from '../flows/recall.ts';
import { submitTarget, type TargetAnswer, type TargetSubmission } from '../flows/submit-target.ts';
import { withdrawTarget } from '../flows/withdraw.ts';
import { policyInForce, type House } from '../house.ts';
import { denial, problem } from '../http/errors.ts';
import { toTarget } from '../http/schemas/targets.ts';
import type { AccountHint, Answer, Service, TargetQuery } from '../http/service.ts';
import { accountFor, actorOf, busy, receiptView } from './views.ts';

type Targets = Pick<Service, 'submitTarget' | 'listTargets' | 'getTarget' | 'withdrawTarget'>;

export function targetService(house: House): Targets {
  const turns = new Turns();
  return {
    submitTarget: (principal, body, { dryRun }) => {
      const submission = { actor: actorOf(principal), dryRun, requestHash: contentHash(body), target: toTarget(body) };
      return turns.next().then(() => submit(house, submission));
    },
    listTargets: (principal, query) => Promise.resolve(list(house, principal, query)),
    getTarget: (principal, targetId, hint) => withTarget(house, principal, hint, targetId, (account) => view(house, account, targetId)),
    withdrawTarget: async (principal, targetId, hint) => {
      const ask = (): Promise<Answer> => withTarget(house, principal, hint, targetId, (account) => withdraw(house, principal, account, targetId));
      const answer = await ask();
      return answer.status === 404 ? turns.next().then(ask) : answer; // it may be one of those that wait for their turn
    },
  };
}

/** One target a turn of the event loop: however many have arrived together, a kill is read and done between any two of them. */
class Turns {
  #last: Promise<void> = Promise.resolve();

  next(): Promise<void> {
    this.#last = this.#last.then(() => nextTurn());
    return this.#last;
  }
}

async function submit(house: House, submission: TargetSubmission): Promise<Answer> {
  const answer = await submitTarget(house, submission);
  switch (answer.outcome) {
    case 'busy':
      return busy(house);
    case 'conflict':
      return problem('CONFLICT', 'This targetId stands for another target already');
    case 'decided':
      return decidedAnswer(house, answer, submission.dryRun);
  }
}

async function decidedAnswer(house: House, answer: TargetAnswer & { outcome: 'decided' }, dryRun: boolean): Promise<Answer> {
  const { decided, legs, receipt, repeat } = answer;
  const policy = receipt === null ? policyInForce(house) : await house.policyAt(receipt.seq);
  const verdicts = unpackVerdicts(PORTFOLIO_CHECKS, decided, policy, null);
  const body = {
    targetId: decided.targetId, decision: decided.decision, receipt: receiptView(receipt), policy: decided.policy, verdicts,
    legs: legs.map((leg) => legView(leg, dryRun)),
  };
  if (decided.decision !== 'denied' || dryRun) return { status: dryRun || repeat ? 200 : 201, body };
  return denial([...verdicts, ...legs.flatMap((leg) => leg.verdicts)], { targetId: body.targetId, policy: body.policy, legs: body.legs, receipt: body.receipt });
}

/** A leg carries its clips and denials; a dry run makes no order, so its legs have no ids. */
function legView({ symbol, requested, allowed, deltaQty, clOrdId, verdicts }: LegDecided, dryRun: boolean): unknown {
  return { symbol, requested, allowed, deltaQty, clOrdId: dryRun ? null : clOrdId, verdicts: verdicts.filter(({ outcome }) => outcome !== 'pass') };
}

async function withTarget(house: House, principal: Principal, hint: AccountHint, targetId: string, run: (account: string) => Promise<Answer>): Promise<Answer> {
  const { account, isAmbiguous } = accountFor(house, principal, hint, (each) => recall(house.state.execution.ids, targetKey(each, targetId)) !== undefined);
  if (isAmbiguous) return problem('CONFLICT', 'More than one account has this targetId: say which with ?account=');
  return account === null ? problem('NOT_FOUND', 'There is no such target') : run(account);
}

async function view(house: House, account: string, targetId: string): Promise<Answer> {
  const seq = await decidedSeqOf(house, 'target', account, targetId);
  if (seq === null) return problem('NOT_FOUND', 'There is no such target');
  const { decided, receipt } = await decisionAt<TargetDecided>(house, seq);
  const { body } = decided;
  const legs = (await house.records(seq + 1, seq + 1 + body.legs)).map((record) => record.body as LegDecided);
  const target = findTarget(house.state.execution, account, targetId);
  return {
    status: 200,
    body: {
      targetId, account, strategy: body.strategy, asOf: body.asOf, decidedAt: formatInstant(decided.at), horizonSeconds: body.horizonSeconds, decision: body.decision,
      policy: body.policy, receipt: receiptView(receipt),
      verdicts: unpackVerdicts(PORTFOLIO_CHECKS, body, await house.policyAt(seq), null), legs: legs.map((leg) => legView(leg, false)),
      parents: parentsOf(house, target).map((parent) => parentView(house, parent)),
      done: target === null || parentsOf(house, target).every((parent) => parent.end !== null),
    },
  };
}

const parentsOf = (house: House, target: Target | null): Parent[] => (target?.parents ?? []).flatMap((id) => findParent(house.state.execution, id) ?? []);

/**
 * A parent with its progress, and its shortfall so far: against the last mid while it lives, that of its end afterwards; unknown where
 * there is none, for the end would say so too: then what was not done has no cost yet, nor has the whole. A remainder that was withdrawn
 * is no longer wished, so there is no opportunity in it.
 */
function parentView(house: House, parent: Parent): unknown {
  const endPx = parent.end === null ? lastMidOf(readFacts(house, [parent.symbol]), parent.symbol) : parent.end.px;
  const { arrivalPx, halfSpread } = parent;
  const isWithdrawn = parent.end?.reason === 'withdrawn' || parent.end?.reason === 'superseded';
  const wished = isWithdrawn ? parent.cumQty : parent.orderQty;
  const costOf = (orderQty: Decimal): Shortfall | null =>
    (arrivalPx === null || halfSpread === null ? null : shortfallOf({ ...parent, orderQty, arrivalPx, halfSpread }, endPx));
  const whole = costOf(wished);
  const part = whole ?? (parent.cumQty > 0n ? costOf(parent.cumQty) : null);
  return {
    clOrdId: parent.id, symbol: parent.symbol, side: parent.side, orderQty: formatDecimal(parent.orderQty), cumQty: formatDecimal(parent.cumQty),
    leavesQty: formatDecimal(subtract(parent.orderQty, parent.cumQty)), arrivalPx: textOf(arrivalPx), state: parent.end === null ? 'working' : parent.end.reason,
    children: parent.children.length,
    shortfall: part === null ? null : {
      delay: formatDecimal(part.delay), spread: formatDecimal(part.spread), impact: formatDecimal(part.impact), fees: formatDecimal(part.fees),
      opportunity: textOf(whole?.opportunity ?? null), total: textOf(whole?.total ?? null), bps: whole === null ? null : Number(whole.bps.toFixed(4)),
    },
  };
}

async function withdraw(house: House, principal: Principal, account: string, targetId: string): Promise<Answer> {
  const withdrawal = { actor: actorOf(principal), account, targetId, reason: 'withdrawn by the strategy' };
  const atOnce = await withdrawTarget(house, withdrawal);
  const known = atOnce !== null || (await decidedSeqOf(house, 'target', account, targetId)) !== null;
  const withdrawn = atOnce ?? (await withdrawTarget(house, withdrawal)); // it may have been decided meanwhile
  if (withdrawn !== null) return { status: 202, body: { targetId, state: 'withdrawn', receipt: receiptView(withdrawn.receipt) } };
  return known ? { status: 202, body: { targetId, state: 'done', receipt: null } } : problem('NOT_FOUND', 'There is no such target');
}

function list(house: House, principal: Principal, { account }: TargetQuery): Answer {
  const { targets, finishedTargets } = house.state.execution;
  const items = [...finishedTargets.old.values(), ...finishedTargets.young.values(), ...targets.values()]
    .filter((target) => reaches(principal, target.account) && (account === undefined || target.account === account))
    .map((target) => ({
      targetId: target.targetId, account: target.account, strategy: target.strategy, decision: target.decision, seq: target.seq,
      parents: target.parents.length, open: target.open,
    }));
  return { status: 200, body: { items } };
}
