import { draft, SYSTEM } from '../../compliance/records.ts';
import { add, formatDecimal, maximum, multiply, type Decimal } from '../../risk/domain/decimal.ts';
import type { Draft } from '../../risk/domain/record.ts';
import type { Account } from '../../risk/state.ts';
import { freshMidOf, readFacts } from '../facts.ts';
import { policyInForce, type House } from '../house.ts';
import { pagesOf } from './pages.ts';

/**
 * Marks every account that holds something: its positions at the mids of now, its equity, its high-water mark. What did not change is
 * not repeated, and an account that did not change at all has no record. A position without a quote that a decision would go by keeps its last mark.
 */
export function markAccounts(house: House): void {
  if (!house.journal.accepts('strategy')) return;
  const drafts: Draft[] = [];
  for (const account of house.state.risk.accounts.values()) {
    drafts.push(...markOf(house, account));
  }
  if (drafts.length > 0) house.journal.append(drafts).durable.catch(house.fail);
}

/** Marks in one record: an account may hold thousands of symbols, and a record at most 65,535 bytes. */
export const MARKS_A_RECORD = 500;

function markOf(house: House, account: Account): Draft[] {
  const held = [...account.lines.values()].filter((line) => line.qty !== 0n);
  const facts = readFacts(house, held.map((line) => line.symbol));
  const inForce = policyInForce(house);
  const marks: (readonly [symbol: string, mark: string])[] = [];
  let equity: Decimal = account.cash;
  for (const line of held) {
    const mark = freshMidOf(facts, line.symbol, inForce) ?? line.mark;
    if (mark === null) return [];
    equity = add(equity, multiply(line.qty, mark));
    if (mark !== line.mark) marks.push([line.symbol, formatDecimal(mark)]);
  }
  if (equity === account.equity && marks.length === 0) return [];
  const body = { account: account.id, equity: formatDecimal(equity), peak: formatDecimal(maximum(account.peak, equity)) };
  const pages = marks.length === 0 ? [[]] : pagesOf(marks, MARKS_A_RECORD);
  return pages.map((page) => draft('account.marked', SYSTEM, null, { ...body, marks: Object.fromEntries(page) }));
}
