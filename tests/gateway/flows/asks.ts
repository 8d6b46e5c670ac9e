/** What a strategy and an officer ask of a house in these tests: a test shows only what differs. */
import type { Test } from 'tap';
import { canonicalize } from '../../../compliance/canonical.ts';
import { dumpCompliance } from '../../../compliance/dump.ts';
import { emptyState, parseRecord, type State } from '../../../compliance/fold.ts';
import { EMPTY_HEAD, foldStored } from '../../../compliance/recover.ts';
import { Replayer } from '../../../compliance/replay.ts';
import { dumpExecution } from '../../../execution/dump.ts';
import { amendOrder, cancelOrder, type AmendAnswer, type CancelAnswer } from '../../../gateway/flows/amend-order.ts';
import { flipSwitch, type SwitchAnswer, type SwitchCommand } from '../../../gateway/flows/flip-switch.ts';
import { submitOrder, type OrderAnswer, type OrderSubmission } from '../../../gateway/flows/submit-order.ts';
import { submitTarget, type TargetAnswer, type TargetSubmission } from '../../../gateway/flows/submit-target.ts';
import type { House } from '../../../gateway/house.ts';
import { dumpRisk } from '../../../risk/dump.ts';
import { formatDecimal, parseDecimal, type Decimal } from '../../../risk/domain/decimal.ts';
import type { OrderTerms, Side } from '../../../risk/domain/order.ts';
import type { Leg, TargetPortfolio } from '../../../risk/domain/target.ts';
import type { PolicyActivated } from '../../../risk/records.ts';
import type { Book } from '../../../risk/state.ts';
import type { Blobs } from '../../../risk/reducer.ts';
import type { MemoryStore } from '../../doubles/store.ts';
import { ALICE, OFFICER, testHouse, type TestHouse, type TestHouseOptions } from '../../doubles/house.ts';

export const d = parseDecimal;

/**
 * A house that must not have failed at the test's end. Its books must then be what its orders still hold, and its memory what the stored
 * log folds to. `tampers`: the test changes memory by hand.
 */
export async function houseFor(t: Test, { tampers = false, ...options }: TestHouseOptions & { readonly tampers?: boolean } = {}): Promise<TestHouse> {
  const made = await testHouse(options);
  t.teardown(async () => {
    if (made.failures.length > 0) throw made.failures[0];
    if (!tampers) await audit(made);
  });
  return made;
}

async function audit({ house, store }: TestHouse): Promise<void> {
  for (const account of house.state.risk.accounts.values()) {
    for (const { symbol, buyOpen, sellOpen, buyPlanned, sellPlanned } of account.lines.values()) {
      const parents = [...house.state.execution.parents.values()].filter((parent) => parent.account === account.id && parent.symbol === symbol);
      const held = (side: Side, what: 'reserved' | 'planned'): bigint => parents.reduce((sum, parent) => (parent.side === side ? sum + parent[what] : sum), 0n);
      if (held('buy', 'reserved') !== buyOpen || held('sell', 'reserved') !== sellOpen) throw new Error(`the books of ${symbol} hold what no order does`);
      if (held('buy', 'planned') !== buyPlanned || held('sell', 'planned') !== sellPlanned) throw new Error(`the books of ${symbol} plan what no target does`);
      if (parents.some(({ planned, reserved }) => planned < 0n || planned > reserved)) throw new Error(`more of ${symbol} is planned than is reserved`);
    }
  }
  if (store.lines.length !== house.journal.nextSeq) return; // the log stands still, or another house goes on with it: nothing to compare with
  const again = emptyState();
  await foldStored(store, again, EMPTY_HEAD);
  if (textOf(again) !== textOf(house.state)) throw new Error('memory is not what the log folds to');
  await replayed(store);
}

/** The same decisions must come out of their records. */
async function replayed(store: MemoryStore): Promise<void> {
  const replayer = new Replayer(await blobsOf(store));
  for (const { canonical } of store.lines) {
    const [first] = replayer.add(parseRecord(canonical));
    if (first !== undefined) throw new Error(`replay disagrees: ${JSON.stringify(first)}`);
  }
}

async function blobsOf(store: MemoryStore): Promise<Blobs> {
  const policies = store.lines.map(({ canonical }) => parseRecord(canonical)).filter(({ kind }) => kind === 'policy.activated');
  const hashes = policies.flatMap(({ body }) => [(body as PolicyActivated).hash, (body as PolicyActivated).universeHash]);
  const texts = new Map(await Promise.all(hashes.map(async (hash) => [hash, await store.getBlob(hash)] as const)));
  return (hash) => texts.get(hash) ?? null;
}

const textOf = ({ risk, execution, compliance }: State): string =>
  canonicalize([dumpRisk(risk), dumpExecution(execution), dumpCompliance(compliance)]);

/** A market order would do as well; a limit says at which price a scripted venue fills. */
export function order(clOrdId: string, terms: Partial<OrderTerms> = {}, more: Partial<OrderSubmission> = {}): OrderSubmission {
  return {
    actor: ALICE, attribution: null, clOrdId, requestHash: `of ${clOrdId}`,
    terms: {
      account: 'ACC1', strategy: 'alpha-1', symbol: 'IBM', side: 'buy', orderQty: d('100'), type: 'limit', limitPx: d('100'), tif: 'day', expireAt: null,
      participation: null, ...terms,
    },
    ...more,
  };
}

export async function submit(house: House, submission: OrderSubmission): Promise<Extract<OrderAnswer, { outcome: 'decided' }>> {
  const answer = await submitOrder(house, submission);
  if (answer.outcome !== 'decided') throw new Error(`the order was not decided: ${answer.outcome}`);
  return answer;
}

/** Legs as `{IBM: '1000'}`: end positions in units. */
export function target(house: House, targetId: string, legs: Readonly<Record<string, string>>, more: Partial<TargetPortfolio> = {}): TargetSubmission {
  const list = Object.entries(legs).map(([symbol, units]): Leg => ({ symbol, target: d(units), mu: null, sigma: null, forecastDays: null }));
  return {
    actor: ALICE, dryRun: false, requestHash: `of ${targetId}`,
    target: {
      targetId, account: 'ACC1', strategy: 'alpha-1', asOf: house.timers.now(), basis: 'quantity', mode: 'clip', scope: 'listed', horizonSeconds: 60,
      attribution: null, legs: list, ...more,
    },
  };
}

export async function aim(house: House, submission: TargetSubmission): Promise<Extract<TargetAnswer, { outcome: 'decided' }>> {
  const answer = await submitTarget(house, submission);
  if (answer.outcome !== 'decided') throw new Error(`the target was not decided: ${answer.outcome}`);
  return answer;
}

export const amend = (house: House, clOrdId: string, change: { readonly orderQty?: string; readonly limitPx?: string }): Promise<AmendAnswer> =>
  amendOrder(house, {
    account: 'ACC1', actor: ALICE, clOrdId, limitPx: change.limitPx === undefined ? null : d(change.limitPx),
    orderQty: change.orderQty === undefined ? null : d(change.orderQty), requestHash: JSON.stringify(change),
  });

export const cancel = (house: House, clOrdId: string): Promise<CancelAnswer> => cancelOrder(house, { account: 'ACC1', actor: ALICE, clOrdId });

export const flip = (house: House, command: Partial<SwitchCommand> = {}): Promise<SwitchAnswer> =>
  flipSwitch(house, { actor: OFFICER, cancel: 'working', reason: 'test', requestId: null, scope: { id: '*', kind: 'firm' }, state: 'halted', ...command });

/** A strategy's book in one symbol as text: `qty 100 buy 40 sell 0`. */
export function book(house: House, symbol = 'IBM', strategy = 'alpha-1'): string {
  const found: Pick<Book, 'qty' | 'buyOpen' | 'sellOpen'> | undefined = house.state.risk.accounts.get('ACC1')?.lines.get(symbol)?.books.get(strategy);
  const text = (value: Decimal | undefined): string => formatDecimal(value ?? d('0'));
  return `qty ${text(found?.qty)} buy ${text(found?.buyOpen)} sell ${text(found?.sellOpen)}`;
}

/** What an order's child is in now; the last of them. */
export const stateOf = (house: House, clOrdId: string): string | undefined => house.state.execution.children.get(clOrdId)?.state;

