/** What the faces need of the house. The composition root implements it over the flows; tests implement it as doubles. */
import type { OrderState } from '../../risk/domain/order.ts';
import type { Principal } from '../auth/principal.ts';
import type { EdgeCode } from './errors.ts';
import type { AmendBody, OrderBody } from './schemas/orders.ts';
import type { ApprovalBody, ReleaseBody, SwitchBody } from './schemas/switches.ts';
import type { TargetBody } from './schemas/targets.ts';

/** An answer in API form. Problems are answers too (`problem` in errors.ts); a string is sent as text/plain, a `JsonText` as it stands. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}
export type Answering = Promise<Answer>;

/** The account that `?account=` names; undefined where it stands alone by the token. */
export type AccountHint = string | undefined;

export interface TargetQuery {
  readonly account: AccountHint;
}
export interface OrderQuery extends TargetQuery {
  readonly state: OrderState | undefined;
  readonly symbol: string | undefined;
  /** A seq, exclusive. */
  readonly after: number | undefined;
}
export interface RecordQuery {
  /** Exclusive; −1 from the start. */
  readonly after: number;
  readonly limit: number;
  readonly kind: string | undefined;
  readonly account: string | undefined;
  readonly clOrdId: string | undefined;
}

/** Something that the edge refused: 403 is recorded (`denied`) once the person is known, all others are counted a minute and source. */
export interface RefusalEvent {
  readonly kind: 'denied' | 'counted';
  readonly principal: Principal | null;
  readonly code: EdgeCode;
  readonly method: string;
  /** The route's pattern, never the path that was asked for. */
  readonly route: string;
  /** The peer's address. */
  readonly source: string;
}
export interface Readiness {
  readonly ready: boolean;
  readonly now: string;
  readonly head: number;
  readonly waitingFor?: string;
}

/**
 * Every principal has passed the role and, where the request names an account, the account check; every body its schema and rules.
 * Ambiguous ids, what does not exist and another's are the service's: 409 and 404. A rejected promise is a defect and answers 500.
 */
export interface Service {
  submitTarget(principal: Principal, body: TargetBody, options: { readonly dryRun: boolean }): Answering;
  listTargets(principal: Principal, query: TargetQuery): Answering;
  getTarget(principal: Principal, targetId: string, account: AccountHint): Answering;
  withdrawTarget(principal: Principal, targetId: string, account: AccountHint): Answering;
  submitOrder(principal: Principal, body: OrderBody): Answering;
  listOrders(principal: Principal, query: OrderQuery): Answering;
  getOrder(principal: Principal, clOrdId: string, account: AccountHint): Answering;
  amendOrder(principal: Principal, clOrdId: string, body: AmendBody, account: AccountHint): Answering;
  cancelOrder(principal: Principal, clOrdId: string, account: AccountHint): Answering;
  getAccount(principal: Principal, account: string): Answering;
  getPositions(principal: Principal, account: string, strategy: string | undefined): Answering;
  getLimits(principal: Principal, account: AccountHint): Answering;
  getInstruments(principal: Principal): Answering;
  getSwitches(principal: Principal): Answering;
  flipSwitch(principal: Principal, body: SwitchBody, options: { readonly preview: boolean }): Answering;
  requestRelease(principal: Principal, body: ReleaseBody): Answering;
  listApprovals(principal: Principal): Answering;
  decideApproval(principal: Principal, approvalId: string, body: ApprovalBody): Answering;
  auditRecords(principal: Principal, query: RecordQuery): Answering;
  auditCheckpoint(principal: Principal): Answering;
  auditKey(principal: Principal): Answering;
  /** seq < size, both within the tree; else 400 INVALID_BODY by the service. */
  inclusionProof(principal: Principal, seq: number, size: number): Answering;
  /** from ≤ to, tree sizes. */
  consistencyProof(principal: Principal, from: number, to: number): Answering;
  ready(): Readiness;
  refused(event: RefusalEvent): void;
}
