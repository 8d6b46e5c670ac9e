/** Every route of /v1, total over the service: a method without a route does not compile. Roles stand here and nowhere else. */
import { ID_PATTERNS } from '../../risk/domain/ids.ts';
import { ORDER_STATES } from '../../risk/domain/order.ts';
import type { Role } from '../../risk/domain/record.ts';
import { BOUNDS } from './bounds.ts';
import { flag, integerParam, patternParam, required, wordParam } from './query.ts';
import { route, type Route } from './route.ts';
import { amendShape, orderShape } from './schemas/orders.ts';
import { approvalShape, releaseShape, switchShape } from './schemas/switches.ts';
import { targetShape } from './schemas/targets.ts';
import {
  AccountView, ApprovalAnswerView, ApprovalIdView, ApprovalView, CancelView, ConsistencyView, FlipPreviewView, FlipView, InclusionView, InstrumentView, LimitView,
  listOf, OrderDecidedView, OrdersView, OrderView, PositionView, RecordsView, SwitchView, TargetLineView, TargetProgressView, TargetView, TextView, WithdrawnView,
} from './schemas/views.ts';
import type { Service } from './service.ts';

const TRADER: readonly Role[] = ['strategy'];
const TRADE_READERS: readonly Role[] = ['strategy', 'risk_officer', 'compliance'];
const RISK_READERS: readonly Role[] = ['strategy', 'risk_officer'];
const SWITCHERS: readonly Role[] = ['risk_officer', 'compliance'];
const OFFICER: readonly Role[] = ['risk_officer'];
const AUDITORS: readonly Role[] = ['compliance', 'regulator', 'risk_officer'];

const SEQ_MAX = Number.MAX_SAFE_INTEGER;
const PAGE_DEFAULT = 100;
const PAGE_MAX = 1000;
const account = patternParam(ID_PATTERNS.account);
const seq = required(integerParam(0, SEQ_MAX));
const after = integerParam(-1, SEQ_MAX);

const TARGETS = {
  submitTarget: route({
    method: 'POST', url: '/v1/targets', summary: 'Submit a target portfolio', roles: TRADER, query: { dryRun: flag }, body: targetShape,
    bodyBytes: BOUNDS.targetBodyBytes, answers: { 201: TargetView, 200: TargetView },
    run: (service, principal, { body, query }) => service.submitTarget(principal, body, { dryRun: query.dryRun ?? false }),
  }),
  listTargets: route({
    method: 'GET', url: '/v1/targets', summary: 'Targets', roles: TRADE_READERS, query: { account }, answers: { 200: listOf(TargetLineView) },
    run: (service, principal, { query }) => service.listTargets(principal, query),
  }),
  getTarget: route({
    method: 'GET', url: '/v1/targets/:targetId', summary: 'One target with its progress', roles: TRADE_READERS, params: ['targetId'], query: { account },
    answers: { 200: TargetProgressView }, run: (service, principal, { params, query }) => service.getTarget(principal, params.targetId, query.account),
  }),
  withdrawTarget: route({
    method: 'DELETE', url: '/v1/targets/:targetId', summary: 'Withdraw what is not done', roles: TRADER, urgent: true, params: ['targetId'], query: { account },
    answers: { 202: WithdrawnView }, run: (service, principal, { params, query }) => service.withdrawTarget(principal, params.targetId, query.account),
  }),
};

const ORDERS = {
  submitOrder: route({
    method: 'POST', url: '/v1/orders', summary: 'Submit an order', roles: TRADER, body: orderShape, answers: { 201: OrderDecidedView, 200: OrderDecidedView },
    run: (service, principal, { body }) => service.submitOrder(principal, body),
  }),
  listOrders: route({
    method: 'GET', url: '/v1/orders', summary: 'Orders', roles: TRADE_READERS,
    query: { state: wordParam(ORDER_STATES), symbol: patternParam(ID_PATTERNS.symbol), after, account }, answers: { 200: OrdersView },
    run: (service, principal, { query }) => service.listOrders(principal, query),
  }),
  getOrder: route({
    method: 'GET', url: '/v1/orders/:clOrdId', summary: 'One order', roles: TRADE_READERS, params: ['clOrdId'], query: { account }, answers: { 200: OrderView },
    run: (service, principal, { params, query }) => service.getOrder(principal, params.clOrdId, query.account),
  }),
  amendOrder: route({
    method: 'PATCH', url: '/v1/orders/:clOrdId', summary: 'Amend an order', roles: TRADER, params: ['clOrdId'], query: { account }, body: amendShape,
    answers: { 200: OrderDecidedView }, run: (service, principal, { params, query, body }) => service.amendOrder(principal, params.clOrdId, body, query.account),
  }),
  cancelOrder: route({
    method: 'DELETE', url: '/v1/orders/:clOrdId', summary: 'Cancel an order', roles: TRADER, urgent: true, params: ['clOrdId'], query: { account },
    answers: { 202: CancelView }, run: (service, principal, { params, query }) => service.cancelOrder(principal, params.clOrdId, query.account),
  }),
};

const ACCOUNTS = {
  getAccount: route({
    method: 'GET', url: '/v1/accounts/:account', summary: 'Equity, cash, drawdown, governor', roles: RISK_READERS, params: ['account'],
    answers: { 200: AccountView }, run: (service, principal, { params }) => service.getAccount(principal, params.account),
  }),
  getPositions: route({
    method: 'GET', url: '/v1/accounts/:account/positions', summary: 'Books', roles: RISK_READERS, params: ['account'],
    query: { strategy: patternParam(ID_PATTERNS.strategy) }, answers: { 200: listOf(PositionView) },
    run: (service, principal, { params, query }) => service.getPositions(principal, params.account, query.strategy),
  }),
  getLimits: route({
    method: 'GET', url: '/v1/limits', summary: 'Headroom and utilisation by limit', roles: RISK_READERS, query: { account }, answers: { 200: listOf(LimitView) },
    run: (service, principal, { query }) => service.getLimits(principal, query.account),
  }),
  getInstruments: route({
    method: 'GET', url: '/v1/instruments', summary: 'The universe', roles: RISK_READERS, answers: { 200: listOf(InstrumentView) },
    run: (service, principal) => service.getInstruments(principal),
  }),
};

const SWITCHES = {
  getSwitches: route({
    method: 'GET', url: '/v1/switches', summary: 'Kill switches', roles: SWITCHERS, answers: { 200: listOf(SwitchView) },
    run: (service, principal) => service.getSwitches(principal),
  }),
  flipSwitch: route({
    method: 'POST', url: '/v1/switches', summary: 'Halt or reduce a scope', roles: SWITCHERS, urgent: true, first: true, query: { preview: flag },
    body: switchShape,
    answers: { 201: FlipView, 200: FlipPreviewView },
    run: (service, principal, { body, query }) => service.flipSwitch(principal, body, { preview: query.preview ?? false }),
  }),
  requestRelease: route({
    method: 'POST', url: '/v1/switches/release', summary: 'Ask for a release', roles: OFFICER, body: releaseShape, answers: { 202: ApprovalIdView },
    run: (service, principal, { body }) => service.requestRelease(principal, body),
  }),
  listApprovals: route({
    method: 'GET', url: '/v1/approvals', summary: 'Approvals, and what became of each', roles: OFFICER, answers: { 200: listOf(ApprovalView) },
    run: (service, principal) => service.listApprovals(principal),
  }),
  decideApproval: route({
    method: 'POST', url: '/v1/approvals/:approvalId', summary: 'Approve or refuse', roles: OFFICER, params: ['approvalId'], body: approvalShape,
    answers: { 200: ApprovalAnswerView }, run: (service, principal, { params, body }) => service.decideApproval(principal, params.approvalId, body),
  }),
};

const AUDIT = {
  auditRecords: route({
    method: 'GET', url: '/v1/audit/records', summary: 'Records as stored', roles: AUDITORS,
    query: { after, limit: integerParam(1, PAGE_MAX), kind: patternParam('^[a-z]+\\.[a-z-]{1,32}$'), account, clOrdId: patternParam('^[A-Z0-9]{1,64}$') },
    answers: { 200: RecordsView },
    run: (service, principal, { query }) => service.auditRecords(principal, { ...query, after: query.after ?? -1, limit: query.limit ?? PAGE_DEFAULT }),
  }),
  auditCheckpoint: route({
    method: 'GET', url: '/v1/audit/checkpoint', summary: 'The newest signed checkpoint', roles: AUDITORS, answers: { 200: TextView },
    run: (service, principal) => service.auditCheckpoint(principal),
  }),
  auditKey: route({
    method: 'GET', url: '/v1/audit/key', summary: 'The verifier key of the log', roles: AUDITORS, answers: { 200: TextView },
    run: (service, principal) => service.auditKey(principal),
  }),
  inclusionProof: route({
    method: 'GET', url: '/v1/audit/proof/inclusion', summary: 'RFC 6962 inclusion proof', roles: AUDITORS, query: { seq, size: seq },
    answers: { 200: InclusionView }, run: (service, principal, { query }) => service.inclusionProof(principal, query.seq, query.size),
  }),
  consistencyProof: route({
    method: 'GET', url: '/v1/audit/proof/consistency', summary: 'RFC 6962 consistency proof', roles: AUDITORS, query: { from: seq, to: seq },
    answers: { 200: ConsistencyView }, run: (service, principal, { query }) => service.consistencyProof(principal, query.from, query.to),
  }),
};

export type RouteName = Exclude<keyof Service, 'ready' | 'refused'>;

export const ROUTES: Record<RouteName, Route> = { ...TARGETS, ...ORDERS, ...ACCOUNTS, ...SWITCHES, ...AUDIT };
