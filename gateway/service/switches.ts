/** Switches and approvals in API form. */
import { isWorking } from '../../execution/state.ts';
import { formatInstant, type Ns } from '../../risk/domain/time.ts';
import type { Scope, SwitchFlipped } from '../../risk/records.ts';
import { isLoosening } from '../../risk/switches.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { Approval } from '../../compliance/state.ts';
import type { Principal } from '../auth/principal.ts';
import { seesScope } from '../auth/sight.ts';
import { flipSwitch, previewFlip, type SwitchCommand } from '../flows/flip-switch.ts';
import { answerApproval, requestRelease, type Officer } from '../flows/release-switch.ts';
import { accountOfStrategy, policyInForce, type House } from '../house.ts';
import { problem, Refusal } from '../http/errors.ts';
import type { ApprovalBody, ReleaseBody, SwitchBody } from '../http/schemas/switches.ts';
import type { Answer, Service } from '../http/service.ts';
import { actorOf, receiptView } from './views.ts';

type Switches = Pick<Service, 'getSwitches' | 'flipSwitch' | 'requestRelease' | 'listApprovals' | 'decideApproval'>;

export function switchService(house: House): Switches {
  return {
    getSwitches: (principal) => Promise.resolve({ status: 200, body: { items: switchItems(house).filter(seenBy(house, principal)) } }),
    flipSwitch: async (principal, body, { preview }) => {
      mustReach(house, principal, body.scope);
      return preview ? previewed(house, principal, body) : flipped(house, principal, body);
    },
    requestRelease: async (principal, { scope, reason }: ReleaseBody) => {
      mustReach(house, principal, scope);
      const answer = await requestRelease(house, officer(principal), { scope, to: 'active', reason });
      if (answer.outcome === 'nothing-to-release') return problem('CONFLICT', 'The switch is active: there is nothing to release');
      return { status: 202, body: { approvalId: answer.approvalId, receipt: receiptView(answer.receipt) } };
    },
    listApprovals: (principal) => {
      const approvals = [...house.state.compliance.approvals.values()].filter(seenBy(house, principal));
      return Promise.resolve({ status: 200, body: { items: approvals.map((approval) => approvalView(approval, house.timers.now())) } });
    },
    decideApproval: async (principal, id, body) => {
      const approval = house.state.compliance.approvals.get(id);
      if (approval !== undefined) mustReach(house, principal, approval.scope);
      return decided(house, principal, id, body);
    },
  };
}

const seenBy = (house: House, principal: Principal) => ({ scope }: { readonly scope: Scope }): boolean =>
  seesScope(principal, scope, (strategy) => accountOfStrategy(policyInForce(house), strategy));

/** Throws Refusal FORBIDDEN for a scope of an account that the token does not reach, existing or not. */
function mustReach(house: House, principal: Principal, scope: Scope): void {
  if (!seenBy(house, principal)({ scope })) throw new Refusal('FORBIDDEN', 'The token does not reach the account of this scope');
}

const officer = (principal: Principal): Officer => ({ actor: actorOf(principal), person: principal.person });

function switchItems(house: House): { readonly scope: Scope }[] {
  return [...house.state.risk.switches.values()].map(({ scope, state, since, by, reason }) => ({ scope, state, since: formatInstant(since), by, reason }));
}

const commandOf = (principal: Principal, { requestId, scope, state, cancel, reason }: SwitchBody): SwitchCommand => ({
  actor: actorOf(principal), requestId: requestId ?? null, scope: { id: scope.id, kind: scope.kind }, state, cancel, reason,
});

function previewed(house: House, principal: Principal, body: SwitchBody): Answer {
  const { flipped, cancels } = previewFlip(house, commandOf(principal, body));
  if (isLoosening(flipped.previous, flipped.state)) return loosens();
  return {
    status: 200,
    body: {
      scope: flipped.scope, state: flipped.state, previous: flipped.previous, receipt: null, cancels: { requested: cancels.length, acknowledged: 0 },
      orders: cancels.map((cancel) => cancel.clOrdId),
    },
  };
}

const loosens = (): Answer => problem('CONFLICT', 'This would loosen the switch: ask for a release, which a second person approves');

async function flipped(house: House, principal: Principal, body: SwitchBody): Promise<Answer> {
  const answer = await flipSwitch(house, commandOf(principal, body));
  switch (answer.outcome) {
    case 'loosens':
      return loosens();
    case 'conflict':
      return problem('CONFLICT', 'This requestId stands for another flip already');
    case 'repeat':
      return answer.receipt === null ? onlyInEmergency(body) : repeated(house, answer.flipped, answer.receipt);
    case 'flipped': {
      const { scope, state, previous } = answer.flipped;
      const acknowledged = answer.cancels.filter(({ clOrdId }) => !isWorking(house.state.execution, clOrdId)).length;
      return { status: 201, body: { scope, state, previous, receipt: receiptView(answer.receipt), cancels: { requested: answer.cancels.length, acknowledged } } };
    }
  }
}

/** The flip is done and its record waits for the log: what it cancelled cannot be counted now. */
const onlyInEmergency = ({ scope, state }: SwitchBody): Answer => ({ status: 201, body: { scope, state, receipt: null, cancels: { requested: 0, acknowledged: 0 } } });

/** The answer to a request that was done before, from its record. */
async function repeated(house: House, { scope, state, previous }: SwitchFlipped, receipt: Receipt): Promise<Answer> {
  return { status: 201, body: { scope, state, previous, receipt: receiptView(receipt), cancels: await cancelsOf(house, receipt.seq) } };
}

/** The cancels that stand behind a flip in its unit. */
async function cancelsOf(house: House, seq: number): Promise<{ requested: number; acknowledged: number }> {
  const UNIT_PAGE = 1_000;
  let requested = 0;
  let acknowledged = 0;
  for (let from = seq + 1; ; from += UNIT_PAGE) {
    const page = await house.records(from, from + UNIT_PAGE);
    const unit = page.filter((record) => record.cause === seq && record.kind === 'cancel.requested');
    requested += unit.length;
    acknowledged += unit.filter((record) => !isWorking(house.state.execution, (record.body as { clOrdId: string }).clOrdId)).length;
    if (page.length < UNIT_PAGE || page.at(-1)?.cause !== seq) return { requested, acknowledged };
  }
}

async function decided(house: House, principal: Principal, id: string, body: ApprovalBody): Promise<Answer> {
  const answer = await answerApproval(house, officer(principal), id, body);
  switch (answer.outcome) {
    case 'unknown':
      return problem('NOT_FOUND', 'There is no such approval');
    case 'same-person':
      return problem('SAME_PERSON', 'The person who asked cannot approve: a second person must');
    case 'void':
      return problem('CONFLICT', 'The approval is closed: it was answered before, or the switch was engaged anew');
    case 'killed':
      return problem('CONFLICT', 'The file DATA_DIR/KILL halts the firm: remove it first');
    case 'expired':
      return problem('EXPIRED', 'The request is older than half an hour: ask again');
    case 'given':
    case 'refused':
      return { status: 200, body: { approvalId: id, state: answer.outcome, scope: answer.approval.scope, receipt: receiptView(answer.receipt) } };
  }
}

/** A request that nobody has answered in time is expired: no record says so, for nothing happened. */
function approvalView({ id, action, scope, from, to, engagement, reason, hash, state, requestedBy, expiresAt, expiresAtNs }: Approval, now: Ns): unknown {
  return { id, action, scope, from, to, engagement, reason, hash, state: state === 'pending' && now > expiresAtNs ? 'expired' : state, requestedBy, expiresAt };
}
