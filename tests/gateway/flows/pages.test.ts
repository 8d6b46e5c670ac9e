/** Accounts and targets of thousands: each record stays within its bound, and together they say what one would have said. */
import t from 'tap';
import { emptyState, fold, subjectOf, type State } from '../../../compliance/fold.ts';
import { EMPTY_HEAD } from '../../../compliance/recover.ts';
import { seal } from '../../../compliance/seal.ts';
import { markAccounts } from '../../../gateway/flows/mark-accounts.ts';
import { withdrawTarget } from '../../../gateway/flows/withdraw.ts';
import type { House } from '../../../gateway/house.ts';
import { accountOf, applyFill, fund, openAccount } from '../../../risk/books.ts';
import { parseDecimal } from '../../../risk/domain/decimal.ts';
import type { Draft, LogRecord } from '../../../risk/domain/record.ts';
import type { AccountMarked, TargetWithdrawn } from '../../../risk/records.ts';
import { fixedMarket } from '../../doubles/market.ts';
import { START, World } from '../../execution/world.ts';
import { sample } from '../../risk/sample.ts';

const MANY = 2_300;
const SYMBOLS = Array.from({ length: MANY }, (_, i) => `NAME-${String(i).padStart(27, '0')}`);
const d = parseDecimal;

/** A house whose journal seals and folds, as the real one does. */
function houseOn(state: State, more: Partial<House> = {}): { readonly house: House; readonly records: LogRecord[] } {
  const records: LogRecord[] = [];
  const append = (drafts: readonly Draft[]) => {
    const unit = seal('feedfacefeedface', { ...EMPTY_HEAD, size: records.length }, START, drafts, subjectOf);
    for (const record of unit.records) fold(state, record, () => null);
    records.push(...unit.records);
    return { records: unit.records, durable: Promise.resolve(unit.lines) };
  };
  const journal = { accepts: () => true, append, now: () => START } as unknown as House['journal'];
  const ways = { clockStepBackMs: () => 0, fail: t.error, unlessUnwritable: (durable: unknown) => durable, venues: new Map() };
  return { house: { state, journal, timers: { now: () => START }, ...ways, ...more } as unknown as House, records };
}

t.test('an account that holds thousands of names is marked', (t) => {
  const state = emptyState();
  const [like] = sample.universe.values();
  state.risk.policy = { ...sample, universe: new Map(SYMBOLS.map((symbol) => [symbol, { ...like!, symbol }])) };
  const account = openAccount(state.risk, 'ACC1', 'USD', START);
  fund(account, d('1000000'));
  for (const symbol of SYMBOLS) {
    applyFill(account, { strategy: 's', symbol, side: 'buy', lastQty: d('1'), lastPx: d('10'), fee: d('0'), at: START, settlesAt: null });
  }
  const px = d('123456789012.123456789012345678');
  const quote = { at: START, bidPx: px, askPx: px, bidQty: d('1'), askQty: d('1') };
  const { house, records } = houseOn(state, { market: fixedMarket(SYMBOLS.map((symbol) => ({ ...quote, symbol }))) });
  markAccounts(house);
  t.equal(records.length, Math.ceil(MANY / 500));
  t.strictSame(records.flatMap(({ body }) => Object.keys((body as AccountMarked).marks)), SYMBOLS);
  t.equal(new Set(records.map(({ body }) => (body as AccountMarked).equity)).size, 1);
  t.ok(SYMBOLS.every((symbol) => accountOf(state.risk, 'ACC1').lines.get(symbol)?.mark === px));
  markAccounts(house);
  t.equal(records.length, Math.ceil(MANY / 500), 'nothing has changed: nothing is said');
  t.end();
});

t.test('a target of thousands of legs is withdrawn', async (t) => {
  const world = new World();
  const ids = world.target('s1', SYMBOLS.map((symbol) => [symbol, 5]));
  const { house, records } = houseOn({ ...emptyState(), execution: world.state, risk: world.risk });
  const withdrawn = await withdrawTarget(house, { actor: { id: 'a', role: 'strategy' }, account: 'ACC1', targetId: 'T0', reason: '"'.repeat(500) });
  t.equal(withdrawn?.receipt?.seq, 0);
  t.strictSame(records.map(({ kind, cause }) => [kind, cause]), [['target.withdrawn', null], ['target.withdrawn', 0], ['target.withdrawn', 0]]);
  t.strictSame(records.flatMap(({ body }) => (body as TargetWithdrawn).parents), ids);
  t.ok(ids.every((id) => world.state.parents.get(id) === undefined));
});
