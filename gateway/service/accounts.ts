/** Accounts, positions, limits and instruments in API form. */
import { decimalText, ratio } from '../../risk/check.ts';
import { drawdown, governor } from '../../risk/governor.ts';
import { add, divide, formatDecimal, multiply, toNumber, ZERO, type Decimal } from '../../risk/domain/decimal.ts';
import type { Instrument } from '../../risk/domain/instrument.ts';
import { formatInstant } from '../../risk/domain/time.ts';
import type { Verdict } from '../../risk/domain/verdict.ts';
import { equityOf } from '../../risk/books.ts';
import { exposureOf, type Exposure, type View } from '../../risk/exposure.ts';
import type { Limits } from '../../risk/policy.ts';
import type { Account, Book, Line } from '../../risk/state.ts';
import { freshMidOf, readFacts, textOf } from '../facts.ts';
import { policyInForce, type House } from '../house.ts';
import { problem } from '../http/errors.ts';
import { reaches, type Principal } from '../auth/principal.ts';
import type { Answer, Service } from '../http/service.ts';

type Accounts = Pick<Service, 'getAccount' | 'getPositions' | 'getLimits' | 'getInstruments'>;

export function accountService(house: House): Accounts {
  return {
    getAccount: (_, id) => Promise.resolve(withAccount(house, id, (account) => accountView(house, account))),
    getPositions: (_, id, strategy) => Promise.resolve(withAccount(house, id, (account) => ({ items: positions(house, account, strategy) }))),
    getLimits: (principal, id) => Promise.resolve({ status: 200, body: { items: accountsOf(house, principal, id).flatMap((account) => limitsView(house, account)) } }),
    getInstruments: () => Promise.resolve({ status: 200, body: { items: [...policyInForce(house).universe.values()].map(instrumentView) } }),
  };
}

function withAccount(house: House, id: string, view: (account: Account) => unknown): Answer {
  const account = house.state.risk.accounts.get(id);
  return account === undefined ? problem('NOT_FOUND', 'There is no such account') : { status: 200, body: view(account) };
}

function accountsOf(house: House, principal: Principal, id: string | undefined): Account[] {
  return [...house.state.risk.accounts.values()].filter((account) => (id === undefined ? reaches(principal, account.id) : account.id === id));
}

/** Mids of now, by symbol: null where no quote is one that a decision would go by, and then the recorded mark stands. */
function marksNow(house: House, account: Account): (symbol: string) => Decimal | null {
  const inForce = policyInForce(house);
  const held = [...account.lines.values()].filter((line) => line.qty !== 0n).map((line) => line.symbol);
  const facts = readFacts(house, held);
  return (symbol) => freshMidOf(facts, symbol, inForce);
}

export function accountView(house: House, account: Account): unknown {
  const equity = equityOf(account, marksNow(house, account));
  const { governor: limits } = policyInForce(house).policy.limits;
  const fall = equity === null ? null : drawdown(toNumber(equity), toNumber(account.peak));
  return {
    account: account.id, currency: account.currency, equity: textOf(equity), cash: formatDecimal(account.cash), peak: formatDecimal(account.peak),
    unsettledCash: formatDecimal(account.unsettledSum), drawdown: fall === null ? null : decimalText(fall),
    governor: fall === null ? null : decimalText(governor(fall, limits)),
    markedAt: formatInstant(account.markedAt),
  };
}

function positions(house: House, account: Account, strategy: string | undefined): unknown[] {
  const markOf = marksNow(house, account);
  return [...account.lines.values()].flatMap((line) => {
    const books = strategy === undefined ? [...line.books.values()] : [line.books.get(strategy)].filter((book) => book !== undefined);
    return positionView(line, books, markOf(line.symbol) ?? line.mark);
  });
}

function positionView(line: Line, books: readonly Book[], mark: Decimal | null): unknown[] {
  const qty = books.reduce((sum, book) => add(sum, book.qty), ZERO);
  if (qty === 0n) return [];
  const cost = books.reduce((sum, book) => add(sum, book.cost), ZERO);
  // of books on both sides of zero the sum has no price at which it was bought
  const isOneSided = books.every((book) => book.qty === 0n || book.qty < 0n === qty < 0n);
  return [{
    symbol: line.symbol, qty: formatDecimal(qty), avgPx: isOneSided ? formatDecimal(divide(cost, qty)) : null, mark: textOf(mark),
    notional: mark === null ? null : formatDecimal(multiply(qty, mark)),
  }];
}

/** How much of each limit is used: observed, limit, headroom and utilisation, by the plans or by what is released, where that is more. */
function limitsView(house: House, account: Account): unknown[] {
  const inForce = policyInForce(house);
  const usesIn = (view: View): Use[] => {
    const exposure = exposureOf(account, inForce, house.timers.now(), view);
    return exposure.equity > 0 ? usesOf(account, exposure, inForce.policy.limits) : [];
  };
  const released = usesIn('released');
  const uses = usesIn('planned').map((use, i) => ({ ...use, observed: Math.max(use.observed, (released[i] as Use).observed) }));
  return uses.map(({ code, observed, limit, unit }) => ({
    account: account.id, code, observed: decimalText(observed), limit: decimalText(limit), headroom: decimalText(Math.max(0, limit - observed)),
    utilisation: limit > 0 ? decimalText(observed / limit) : null, unit,
  }));
}

interface Use extends Pick<Verdict, 'code' | 'unit'> {
  readonly observed: number;
  readonly limit: number;
}

/** Of the limits a name and a sector the most used one. Without equity nothing has a weight. */
function usesOf(account: Account, exposure: Exposure, limits: Limits): Use[] {
  const { equity, gross, net, unsettled, turnoverUsed, variance, sectorGross } = exposure;
  const largest = Math.max(0, ...[...account.lines.values()].map(worstOf));
  return [
    { code: 'NAME_EXPOSURE', observed: largest / equity, limit: limits.nameXEquity, unit: 'xEquity' },
    { code: 'GROSS_EXPOSURE', observed: gross / equity, limit: limits.grossXEquity, unit: 'xEquity' },
    { code: 'NET_EXPOSURE', observed: Math.abs(net) / equity, limit: limits.netXEquity, unit: 'xEquity' },
    { code: 'SECTOR_EXPOSURE', observed: Math.max(0, ...sectorGross.values()) / equity, limit: limits.sectorXEquity, unit: 'xEquity' },
    { code: 'LEVERAGE', observed: ratio(gross, equity - unsettled), limit: limits.leverageX, unit: 'xEquity' },
    { code: 'TURNOVER', observed: turnoverUsed / equity, limit: limits.turnoverXEquityPerDay, unit: 'xEquity' },
    { code: 'VOLATILITY_CAP', observed: Math.sqrt(variance) / equity, limit: limits.volatilityAnnual, unit: 'fraction' },
    { code: 'DRAWDOWN_GOVERNOR', observed: Math.max(0, 1 - equity / toNumber(account.peak)), limit: limits.governor.hardStop, unit: 'fraction' },
  ];
}

/** The larger end that a name's open orders may bring it to, in money: of one name all that is open counts, planned or not. */
const worstOf = ({ qtyN, buyOpenN, sellOpenN, markN }: Line): number => Math.max(Math.abs(qtyN + buyOpenN), Math.abs(qtyN - sellOpenN)) * markN;

function instrumentView(instrument: Instrument): unknown {
  const { symbol, name, sector, assetClass, currency, settlementDays, advQty, sigmaAnnual, beta, spreadBps } = instrument;
  return {
    symbol, name, sector, assetClass, currency, lotSize: formatDecimal(instrument.lotSize), tickSize: formatDecimal(instrument.tickSize), settlementDays,
    referencePx: formatDecimal(instrument.referencePx), advQty, sigmaAnnual, beta, spreadBps,
  };
}
