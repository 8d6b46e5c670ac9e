/** How much of each limit is used, as officers see it. */
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
