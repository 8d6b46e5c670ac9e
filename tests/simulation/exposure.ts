/** The auditor's own count of an account's exposure, and whether what was let through kept the limits. */
import { toNumber, type Decimal } from '../../risk/domain/decimal.ts';
import type { Ledger } from './ledger.ts';
import { SETTING } from './setting.ts';

export interface Exposure {
  readonly equity: number;
  readonly gross: number;
  readonly long: number;
  readonly short: number;
  readonly names: ReadonlyMap<string, number>;
  readonly sectors: ReadonlyMap<string, number>;
}

const number = (value: bigint): number => toNumber(value as Decimal);

export type Counted = Pick<Ledger, 'books' | 'cash' | 'marks'>;

/**
 * Worst case: with every buy at work filled, or every sell, whichever is larger. What is planned is done, or is not there. `marks` stand
 * before the recorded ones.
 */
export function exposureOf(ledger: Counted, account: string, marks: ReadonlyMap<string, bigint>, plans: 'done' | 'away'): Exposure {
  const lines = new Map<string, { qty: bigint; buyOpen: bigint; sellOpen: bigint }>();
  for (const [key, { qty, buyOpen, sellOpen, buyPlanned, sellPlanned }] of ledger.books) {
    const [owner, , symbol = ''] = key.split('|');
    if (owner !== account) continue;
    const line = lines.get(symbol) ?? { qty: 0n, buyOpen: 0n, sellOpen: 0n };
    const done = plans === 'done' ? buyPlanned - sellPlanned : 0n;
    lines.set(symbol, { qty: line.qty + qty + done, buyOpen: line.buyOpen + buyOpen - buyPlanned, sellOpen: line.sellOpen + sellOpen - sellPlanned });
  }
  const markOf = (symbol: string): number => number(marks.get(symbol) ?? ledger.marks.get(`${account}|${symbol}`) ?? 0n);
  let equity = number(ledger.cash.get(account) ?? 0n);
  for (const [key, { qty }] of ledger.books) {
    const [owner, , symbol = ''] = key.split('|');
    if (owner === account) equity += number(qty) * markOf(symbol);
  }
  const names = new Map<string, number>();
  const sectors = new Map<string, number>();
  let [gross, long, short] = [0, 0, 0];
  for (const [symbol, { qty, buyOpen, sellOpen }] of lines) {
    const mark = markOf(symbol);
    const [high, low] = [number(qty + buyOpen) * mark, number(qty - sellOpen) * mark];
    const worst = Math.max(Math.abs(high), Math.abs(low));
    const sector = SETTING.universe.get(symbol)?.sector ?? '';
    gross += worst;
    long += high;
    short += low;
    names.set(symbol, worst);
    sectors.set(sector, (sectors.get(sector) ?? 0) + worst);
  }
  return { equity, gross, long, short, names, sectors };
}

/** What of `after` is beyond its limit and worse than `before`; in words. */
export function breaches(before: Exposure, after: Exposure): string[] {
  const { grossXEquity, netXEquity, sectorXEquity, nameXEquity } = SETTING.policy.limits;
  const rows: [string, number, number, number][] = [
    ['gross', before.gross, after.gross, grossXEquity], ['long', before.long, after.long, netXEquity], ['short', -before.short, -after.short, netXEquity],
    ...[...after.names].map(([name, value]): [string, number, number, number] => [name, before.names.get(name) ?? 0, value, nameXEquity]),
    ...[...after.sectors].map(([sector, value]): [string, number, number, number] => [sector, before.sectors.get(sector) ?? 0, value, sectorXEquity]),
  ];
  return rows.filter(([, was, is, limit]) => is > Math.max(was, limit * after.equity) * (1 + 1e-6) + 1e-6)
    .map(([what, was, is, limit]) => `${what} ${is.toFixed(2)} of ${(limit * after.equity).toFixed(2)}, before ${was.toFixed(2)}`);
}
