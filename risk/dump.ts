/**
 * The risk state as JSON and back, for snapshots. Maps are lists, because their order is part of the state: sums run in it. What is
 * derived (sums over books, double mirrors) is not written; loading makes it again.
 */
import { add, formatDecimal, parseDecimal, toNumber, ZERO, type Decimal } from './domain/decimal.ts';
import type { Json } from './domain/record.ts';
import { formatInstant, instant } from './domain/time.ts';
import { policyFromJson, policyJson } from './policy-file.ts';
import type { PolicyInForce } from './policy.ts';
import type { Scope, SwitchState } from './records.ts';
import type { Account, Book, Line, RiskState, Switch } from './state.ts';
import { switchKey } from './switches.ts';
import { universeFromJson, universeJson } from './universe.ts';

interface BookDump {
  readonly strategy: string;
  readonly qty: string;
  readonly cost: string;
  readonly realised: string;
  readonly fees: string;
  readonly buyOpen: string;
  readonly sellOpen: string;
}
interface LineDump {
  readonly symbol: string;
  readonly mark: string | null;
  readonly buyPlanned: string;
  readonly sellPlanned: string;
  readonly books: readonly BookDump[];
}
interface AccountDump {
  readonly id: string;
  readonly currency: string;
  readonly cash: string;
  readonly equity: string;
  readonly peak: string;
  readonly markedAt: string;
  readonly unsettled: readonly { readonly settlesAt: string; readonly amount: string }[];
  readonly traded: readonly { readonly minute: number; readonly notional: string }[];
  readonly lines: readonly LineDump[];
}
interface SwitchDump {
  readonly scope: Scope;
  readonly state: SwitchState;
  readonly since: string;
  readonly by: string;
  readonly reason: string;
  readonly engagement: number;
}
interface RiskDump {
  readonly policy: { readonly hash: string; readonly policy: Json; readonly universeHash: string; readonly universe: Json } | null;
  readonly accounts: readonly AccountDump[];
  readonly switches: readonly SwitchDump[];
}

/** The whole state as plain JSON. Equal states in equal order give equal JSON. */
export function dumpRisk(state: RiskState): Json {
  const dump: RiskDump = {
    policy: state.policy === null ? null : dumpPolicy(state.policy),
    accounts: [...state.accounts.values()].map(dumpAccount),
    switches: [...state.switches.values()].map(({ scope, since, ...rest }) => ({ ...rest, scope: { ...scope }, since: formatInstant(since) })),
  };
  return dump as unknown as Json;
}

/**
 * The state that `dumpRisk` wrote. The snapshot's hash is checked before this is called, so the shape is taken as given; decimals,
 * instants and the policy are parsed, and throw RangeError or `PolicyError` when they are not what they should be.
 */
export function loadRisk(json: Json): RiskState {
  const dump = json as unknown as RiskDump;
  return {
    policy: dump.policy === null ? null : loadPolicy(dump.policy),
    accounts: new Map(dump.accounts.map((entry) => [entry.id, loadAccount(entry)])),
    switches: new Map(dump.switches.map((entry): [string, Switch] => [switchKey(entry.scope), { ...entry, since: instant(entry.since) }])),
  };
}

function dumpPolicy({ policy, hash, universe, universeHash }: PolicyInForce): NonNullable<RiskDump['policy']> {
  return { hash, policy: policyJson(policy), universeHash, universe: universeJson(universe) };
}
function loadPolicy({ policy, hash, universe, universeHash }: NonNullable<RiskDump['policy']>): PolicyInForce {
  return { policy: policyFromJson(policy), hash, universe: universeFromJson(universe), universeHash };
}

function dumpAccount(account: Account): AccountDump {
  return {
    id: account.id,
    currency: account.currency,
    cash: formatDecimal(account.cash),
    equity: formatDecimal(account.equity),
    peak: formatDecimal(account.peak),
    markedAt: formatInstant(account.markedAt),
    unsettled: account.unsettled.map(({ settlesAt, amount }) => ({ settlesAt: formatInstant(settlesAt), amount: formatDecimal(amount) })),
    traded: [...account.traded].map(([minute, notional]) => ({ minute, notional: formatDecimal(notional) })),
    lines: [...account.lines.values()].map(dumpLine),
  };
}
function loadAccount(dump: AccountDump): Account {
  const unsettled = dump.unsettled.map(({ settlesAt, amount }) => ({ settlesAt: instant(settlesAt), amount: parseDecimal(amount) }));
  const traded = new Map(dump.traded.map(({ minute, notional }) => [minute, parseDecimal(notional)]));
  return {
    id: dump.id,
    currency: dump.currency,
    cash: parseDecimal(dump.cash),
    equity: parseDecimal(dump.equity),
    peak: parseDecimal(dump.peak),
    markedAt: instant(dump.markedAt),
    unsettled,
    unsettledSum: sum(unsettled.map(({ amount }) => amount)),
    traded,
    tradedSum: sum([...traded.values()]),
    lines: new Map(dump.lines.map((line) => [line.symbol, loadLine(line)])),
  };
}

function dumpLine(line: Line): LineDump {
  return {
    symbol: line.symbol,
    mark: line.mark === null ? null : formatDecimal(line.mark),
    buyPlanned: formatDecimal(line.buyPlanned),
    sellPlanned: formatDecimal(line.sellPlanned),
    books: [...line.books].map(([strategy, book]) => ({
      strategy,
      qty: formatDecimal(book.qty),
      cost: formatDecimal(book.cost),
      realised: formatDecimal(book.realised),
      fees: formatDecimal(book.fees),
      buyOpen: formatDecimal(book.buyOpen),
      sellOpen: formatDecimal(book.sellOpen),
    })),
  };
}
function loadLine(dump: LineDump): Line {
  const books = new Map(dump.books.map((book) => [book.strategy, loadBook(book)]));
  const mark = dump.mark === null ? null : parseDecimal(dump.mark);
  const all = [...books.values()];
  const qty = sum(all.map((book) => book.qty));
  const buyOpen = sum(all.map((book) => book.buyOpen));
  const sellOpen = sum(all.map((book) => book.sellOpen));
  const buyPlanned = parseDecimal(dump.buyPlanned);
  const sellPlanned = parseDecimal(dump.sellPlanned);
  return {
    symbol: dump.symbol, books, mark, qty, buyOpen, sellOpen, buyPlanned, sellPlanned,
    qtyN: toNumber(qty), buyOpenN: toNumber(buyOpen), sellOpenN: toNumber(sellOpen),
    buyPlannedN: toNumber(buyPlanned), sellPlannedN: toNumber(sellPlanned), markN: mark === null ? 0 : toNumber(mark),
  };
}

function loadBook({ qty, cost, realised, fees, buyOpen, sellOpen }: BookDump): Book {
  return {
    qty: parseDecimal(qty), cost: parseDecimal(cost), realised: parseDecimal(realised), fees: parseDecimal(fees),
    buyOpen: parseDecimal(buyOpen), sellOpen: parseDecimal(sellOpen),
  };
}

const sum = (values: readonly Decimal[]): Decimal => values.reduce<Decimal>(add, ZERO);
