/** An account as officers see it: how much of each limit is used, and at what price it was bought. */
import t from 'tap';
import type { Principal } from '../../gateway/auth/principal.ts';
import { accountService } from '../../gateway/service/accounts.ts';
import { applyFill, setMark } from '../../risk/books.ts';
import { parseDecimal } from '../../risk/domain/decimal.ts';
import { plusMs } from '../../risk/domain/time.ts';
import { houseFor } from './flows/asks.ts';

const olga: Principal = { sub: 'olga', role: 'risk_officer', accounts: new Set(['ACC1']), expiresAtMs: Infinity, person: 'dev olga' };

t.test('leverage on more unsettled proceeds than equity is unbounded, as its check says, and no headroom', async (t) => {
  const { house, time } = await houseFor(t, { tampers: true });
  const account = house.state.risk.accounts.get('ACC1')!;
  applyFill(account, {
    strategy: 'alpha-1', symbol: 'IBM', side: 'buy', lastQty: parseDecimal('100'), lastPx: parseDecimal('100'), fee: parseDecimal('0'), at: time.now(), settlesAt: null,
  });
  setMark(account, 'IBM', parseDecimal('100'));
  account.unsettled.push({ settlesAt: plusMs(time.now(), 86_400_000), amount: parseDecimal('99000000') });
  account.unsettledSum = parseDecimal('99000000');
  const { body } = await accountService(house).getLimits(olga, 'ACC1');
  const { items } = body as { items: readonly { code: string }[] };
  t.match(items.find(({ code }) => code === 'LEVERAGE'), { observed: 'unbounded', headroom: '0', utilisation: 'unbounded' });
});

t.test('books on both sides of zero have no average price together, and each has its own', async (t) => {
  const { house, time } = await houseFor(t, { tampers: true });
  const fill = { symbol: 'IBM', fee: parseDecimal('0'), at: time.now(), settlesAt: null } as const;
  applyFill(house.state.risk.accounts.get('ACC1')!, { ...fill, strategy: 'alpha-1', side: 'buy', lastQty: parseDecimal('1001'), lastPx: parseDecimal('14') });
  const avgPx = async (strategy?: string): Promise<unknown> =>
    ((await accountService(house).getPositions(olga, 'ACC1', strategy)).body as { items: readonly { avgPx: unknown }[] }).items.map((item) => item.avgPx);
  t.strictSame(await avgPx(), ['14']);
  applyFill(house.state.risk.accounts.get('ACC1')!, { ...fill, strategy: 'alpha-2', side: 'sell', lastQty: parseDecimal('1000'), lastPx: parseDecimal('13.99') });
  t.strictSame([await avgPx(), await avgPx('alpha-1'), await avgPx('alpha-2')], [[null], ['14'], ['13.99']]);
});
