import { draft, SYSTEM } from '../../compliance/records.ts';
import { add, formatDecimal, maximum, multiply, type Decimal } from '../../risk/domain/decimal.ts';
import type { Draft } from '../../risk/domain/record.ts';
import type { Account } from '../../risk/state.ts';
import { midOf, readFacts } from '../facts.ts';
import type { House } from '../house.ts';

/**
 * Marks every account that holds something: its positions at the mids of now, its equity, its high-water mark. What did not change is
 * not repeated, and an account that did not change at all has no record. A position without a quote keeps its last mark.
 */
export function markAccounts(house: House): void {
  if (!house.journal.accepts('strategy')) return;
  const drafts: Draft[] = [];
  for (const account of house.state.risk.accounts.values()) drafts.push(...marksOf(house, account));
  if (drafts.length > 0) house.journal.append(drafts).durable.catch(house.fail);
}

/** Marks in one record: however long symbols and prices are, it fits into 65,535 bytes. */
const MARKS_A_RECORD = 1_000;

function marksOf(house: House, account: Account): Draft[] {
  const held = [...account.lines.values()].filter((line) => line.qty !== 0n);
  const facts = readFacts(house, held.map((line) => line.symbol));
  const changed: [symbol: string, mark: string][] = [];
  let equity: Decimal = account.cash;
  for (const line of held) {
    const mark = midOf(facts.symbols.get(line.symbol)) ?? line.mark;
    if (mark === null) return [];
    equity = add(equity, multiply(line.qty, mark));
    if (mark !== line.mark) changed.push([line.symbol, formatDecimal(mark)]);
  }
  if (equity === account.equity && changed.length === 0) return [];
  const peak = maximum(account.peak, equity);
  const drafts: Draft[] = [];
  for (let i = 0; i === 0 || i < changed.length; i += MARKS_A_RECORD) {
    const marks = Object.fromEntries(changed.slice(i, i + MARKS_A_RECORD));
    drafts.push(draft('account.marked', SYSTEM, null, { account: account.id, equity: formatDecimal(equity), marks, peak: formatDecimal(peak) }));
  }
  return drafts;
}
