/**
 * Records as they were once written, a file a kind and version. They are never edited: the fold must read them for as long as logs
 * are kept. A new version of a kind gets a file beside the old one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { EXECUTION_KINDS, foldExecution } from '../../execution/reducer.ts';
import { emptyExecutionState } from '../../execution/state.ts';
import type { Parent } from '../../execution/state.ts';
import { formatDecimal } from '../../risk/domain/decimal.ts';
import type { LogRecord } from '../../risk/domain/record.ts';
import { instant } from '../../risk/domain/time.ts';
import { fundedRisk } from './world.ts';

// Tests run from dist/tests/execution; the files stay where they were written.
const folder = fileURLToPath(new URL('../../../tests/execution/golden/', import.meta.url));
const read = (name: string): unknown => JSON.parse(readFileSync(folder + name, 'utf8'));

const summary = (parent: Parent): unknown => ({
  parent: parent.id, order: parent.clOrdId, target: parent.targetId, orderQty: formatDecimal(parent.orderQty), cumQty: formatDecimal(parent.cumQty),
  cost: formatDecimal(parent.cost), releaseCost: formatDecimal(parent.releaseCost), fees: formatDecimal(parent.fees), reserved: formatDecimal(parent.reserved),
  end: parent.end?.reason ?? null, children: parent.children.map(({ order, state, arm }) => `${order.clOrdId} ${state} ${arm}`),
});

t.test('every kind, as ever written, folds to what it once did', (t) => {
  const files = readdirSync(folder).filter((name) => name !== 'after.json');
  t.same(new Set(files.map((name) => name.replace(/\.v\d+\.json$/, ''))), new Set(EXECUTION_KINDS));
  const records = files.flatMap((name) => read(name) as readonly (LogRecord & { readonly at: unknown })[]).sort((a, b) => a.seq - b.seq);
  const state = emptyExecutionState();
  const risk = fundedRisk();
  for (const record of records) foldExecution(state, risk, { ...record, at: instant(record.at as unknown as string) });
  const account = risk.accounts.get('ACC1')!;
  t.same({
    live: [...state.parents.values()].map(summary), finished: [...state.finishedParents.young.values()].map(summary),
    targets: [...state.targets.keys()], finishedTargets: [...state.finishedTargets.young.keys()], ids: [...state.ids.young.keys()], venues: [...state.venues],
    cash: formatDecimal(account.cash),
    books: [...account.lines.values()].flatMap((line) => [...line.books].map(([strategy, book]) =>
      `${strategy} ${line.symbol} ${[book.qty, book.buyOpen, book.sellOpen].map(formatDecimal).join(' ')}`)),
  }, read('after.json'));
  t.end();
});
