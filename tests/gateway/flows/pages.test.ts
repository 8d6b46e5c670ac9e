/** Accounts and targets of thousands: each record stays within its bound, and together they say what one would have said. */
import t from 'tap';
import { markAccounts, MARKS_A_RECORD } from '../../../gateway/flows/mark-accounts.ts';
import { PARENTS_A_RECORD, withdrawTarget } from '../../../gateway/flows/withdraw.ts';
import { accountOf, applyFill } from '../../../risk/books.ts';
import { parseDecimal } from '../../../risk/domain/decimal.ts';
import { ALICE, START, testHouse } from '../../doubles/house.ts';
import { fixedMarket } from '../../doubles/market.ts';
import { World } from '../../execution/world.ts';
import { sample } from '../../risk/sample.ts';

const MANY = 2_300;
const SYMBOLS = Array.from({ length: MANY }, (_, i) => `NAME-${String(i).padStart(27, '0')}`);
const d = parseDecimal;

t.test('an account that holds thousands of names is marked', async (t) => {
  const px = d('123456789012.123456789012345678');
  const quote = { at: START, bidPx: px, askPx: px, bidQty: d('1'), askQty: d('1') };
  const { house, all } = await testHouse({ market: fixedMarket(SYMBOLS.map((symbol) => ({ ...quote, symbol }))) });
  const { risk } = house.state;
  const [like] = sample.universe.values();
  risk.policy = { ...sample, universe: new Map(SYMBOLS.map((symbol) => [symbol, { ...like!, symbol }])) };
  const account = accountOf(risk, 'ACC1');
  for (const symbol of SYMBOLS) {
    applyFill(account, { strategy: 's', symbol, side: 'buy', lastQty: d('1'), lastPx: d('10'), fee: d('0'), at: START, settlesAt: null });
  }
  markAccounts(house);
  const marked = all('account.marked');
  t.equal(marked.length, Math.ceil(MANY / MARKS_A_RECORD));
  t.strictSame(marked.flatMap(({ marks }) => Object.keys(marks)), SYMBOLS);
  t.equal(new Set(marked.map(({ equity, peak }) => `${equity} ${peak}`)).size, 1);
  t.ok(SYMBOLS.every((symbol) => account.lines.get(symbol)?.mark === px));
  markAccounts(house);
  t.equal(all('account.marked').length, marked.length, 'nothing has changed: nothing is said');
});

t.test('a target of thousands of legs is withdrawn', async (t) => {
  const world = new World();
  const ids = world.target('s1', SYMBOLS.map((symbol) => [symbol, 5]));
  const { house, log, all } = await testHouse();
  await house.journal.append(world.records.map(({ kind, v, actor, body }) => ({ kind, v, actor, body, cause: null }))).durable;
  const first = log.length;
  const answer = await withdrawTarget(house, { actor: ALICE, account: 'ACC1', targetId: 'T0', reason: '"'.repeat(500) });
  t.equal(answer?.receipt?.seq, first);
  t.strictSame(log.slice(first).map(({ kind, cause }) => [kind, cause]), [['target.withdrawn', null], ['target.withdrawn', first], ['target.withdrawn', first]]);
  t.equal(all('target.withdrawn').length, Math.ceil(MANY / PARENTS_A_RECORD));
  t.strictSame(all('target.withdrawn').flatMap(({ parents }) => parents), ids);
  t.equal(house.state.execution.parents.size, 0);
});
