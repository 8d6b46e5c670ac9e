/** Random histories of one account: what a property applies to the books, and what a naive recount reads. */
import fc from 'fast-check';
import { applyFill, emptyRiskState, fund, openAccount, plan, reserve, setMark, settle, type Fill } from '../../risk/books.ts';
import { parseDecimal, ZERO, type Decimal } from '../../risk/domain/decimal.ts';
import type { Side } from '../../risk/domain/order.ts';
import { instant, NS_PER_SECOND, type Ns } from '../../risk/domain/time.ts';
import type { Account, Line, RiskState } from '../../risk/state.ts';

export type Step =
  | { readonly do: 'fill'; readonly fill: Fill }
  | { readonly do: 'reserve'; readonly strategy: string; readonly symbol: string; readonly side: Side; readonly delta: Decimal; readonly isPlanned: boolean }
  | { readonly do: 'mark'; readonly symbol: string; readonly mark: Decimal }
  | { readonly do: 'fund'; readonly amount: Decimal }
  | { readonly do: 'settle'; readonly at: Ns };

export const START = instant('2026-11-20T09:30:00Z');
const scaled = (min: number, max: number, step: string): fc.Arbitrary<Decimal> =>
  fc.integer({ min, max }).map((n) => (BigInt(n) * parseDecimal(step)) as Decimal);

const strategy = fc.constantFrom('alpha-1', 'alpha-2');
const symbol = fc.constantFrom('SPY', 'BAC', 'BTC-USD');
const side = fc.constantFrom<Side>('buy', 'sell');

const shape = fc.oneof(
  { weight: 5, arbitrary: fc.record({
    do: fc.constant('fill' as const), strategy, symbol, side, lastQty: scaled(1, 40, '0.5'), lastPx: scaled(1, 50_000, '0.01'), fee: scaled(-50, 500, '0.001'),
    settlesIn: fc.option(fc.integer({ min: 0, max: 200_000 })),
  }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('reserve' as const), strategy, symbol, side, delta: scaled(-40, 60, '0.5'), isPlanned: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mark' as const), symbol, mark: scaled(1, 50_000, '0.005') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fund' as const), amount: scaled(-1000, 5000, '0.01') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
);

/** Steps in time order, up to half an hour apart, so that a long history passes a day. */
export const history: fc.Arbitrary<readonly Step[]> = fc
  .array(fc.tuple(shape, fc.integer({ min: 0, max: 1800 })), { maxLength: 150 })
  .map((entries) => {
    let at = START;
    return entries.map(([entry, seconds]): Step => {
      at = (at + BigInt(seconds) * NS_PER_SECOND + 1n) as Ns;
      if (entry.do === 'settle') return { do: 'settle', at };
      if (entry.do !== 'fill') return entry;
      const { settlesIn, strategy, symbol, side, lastQty, lastPx, fee } = entry;
      const settlesAt = settlesIn === null ? null : ((at + BigInt(settlesIn) * NS_PER_SECOND) as Ns);
      return { do: 'fill', fill: { strategy, symbol, side, lastQty, lastPx, fee, at, settlesAt } };
    });
  });

/** An account after the steps; a reservation that the books refuse is left out, and counted. */
export function applied(steps: readonly Step[]): { readonly state: RiskState; readonly account: Account; readonly refused: number; readonly at: Ns } {
  const state = emptyRiskState();
  const account = openAccount(state, 'ACC1', 'USD', START);
  let at = START;
  let refused = 0;
  for (const step of steps) {
    if (step.do === 'fill') applyFill(account, step.fill);
    else if (step.do === 'mark') setMark(account, step.symbol, step.mark);
    else if (step.do === 'fund') fund(account, step.amount);
    else if (step.do === 'settle') settle(account, step.at);
    else if (!tryReserve(account, step)) refused++;
    at = step.do === 'fill' ? step.fill.at : step.do === 'settle' ? step.at : at;
  }
  return { state, account, refused, at };
}

function tryReserve(account: Account, { strategy, symbol, side, delta, isPlanned }: Step & { do: 'reserve' }): boolean {
  const open = account.lines.get(symbol)?.books.get(strategy)?.[side === 'buy' ? 'buyOpen' : 'sellOpen'] ?? ZERO;
  if (open + delta < 0n) return false;
  reserve(account, strategy, symbol, side, delta);
  const line = account.lines.get(symbol) as Line;
  const [left, planned] = side === 'buy' ? [line.buyOpen, line.buyPlanned] : [line.sellOpen, line.sellPlanned];
  if (isPlanned && delta > 0n) plan(account, symbol, side, delta);
  else if (planned > left) plan(account, symbol, side, (left - planned) as Decimal); // never more than is open
  return true;
}

export const fillsOf = (steps: readonly Step[]): readonly Fill[] => steps.flatMap((step) => (step.do === 'fill' ? [step.fill] : []));
