/** Rows /v1/orders, /v1/accounts, /v1/limits and /v1/instruments of API.md. */
import t from 'tap';
import { instant, formatInstant, plusMs } from '../../risk/domain/time.ts';
import { ended, heard, names, orderOf, recordIn, startWalk, type Body, type Walk } from './walk.ts';

const ORDER = ['avgPx', 'clOrdId', 'cumQty', 'leavesQty', 'orderQty', 'parent', 'receipt', 'side', 'state', 'symbol', 'type', 'venue', 'verdicts'];
const POSITION = ['avgPx', 'mark', 'notional', 'qty', 'symbol'];
const LIMITS = [
  'NAME_EXPOSURE', 'GROSS_EXPOSURE', 'NET_EXPOSURE', 'SECTOR_EXPOSURE', 'LEVERAGE', 'TURNOVER', 'VOLATILITY_CAP', 'DRAWDOWN_GOVERNOR',
];

/** A price within the collar at which the market does not trade. */
async function farBelow(walk: Walk, symbol: string): Promise<string> {
  const { items } = (await walk.as('alice', 'GET', '/v1/instruments')).body;
  const seen = (await walk.gateway.records('order.decided')).map(({ body }) => body as Body).findLast((body) => body.symbol === symbol)?.arrivalPx;
  const px = Number(seen ?? items.find((item) => item.symbol === symbol)!.referencePx);
  return (Math.floor(px * 97) / 100).toFixed(2);
}

t.test('orders', async (t) => {
  const walk = await startWalk(t);
  const { as } = walk;
  const events = await walk.hears('alice', 'decisions', 'orders');
  const post = async (clOrdId: string, members: object = {}): Promise<Body> => {
    const { status, body } = await as('alice', 'POST', '/v1/orders', orderOf({ clOrdId, ...members }));
    t.equal(status, 201, clOrdId);
    return body;
  };
  const get = async (clOrdId: string): Promise<Body> => (await as('alice', 'GET', `/v1/orders/${clOrdId}`)).body;

  await t.test('a market order, from its acceptance to its fill', async (t) => {
    const accepted = await post('M1');
    t.same(ORDER.filter((name) => !Object.hasOwn(accepted, name)), [], 'every name of API.md');
    t.match(accepted, { clOrdId: 'M1', symbol: 'IBM', side: 'buy', orderQty: '10', cumQty: '0', leavesQty: '10', avgPx: null, state: 'pending', type: 'market' });
    t.match(accepted, { receipt: { log: String, seq: Number, hash: /^[0-9a-f]{64}$/ } });
    await ended(events, accepted.parent);
    const filled = await get('M1');
    t.same(ORDER.filter((name) => !Object.hasOwn(filled, name)), []);
    t.match(filled, { clOrdId: 'M1', parent: accepted.parent, cumQty: '10', leavesQty: '0', avgPx: /^1\d\d(\.\d+)?$/, state: 'filled', venue: 'PAPER', receipt: accepted.receipt });
    t.same(filled.verdicts, accepted.verdicts);
    const again = await as('alice', 'POST', '/v1/orders', orderOf({ clOrdId: 'M1' }));
    t.same([again.status, again.body], [200, accepted], 'a repeat gets the same answer, though the order went on');
    t.match(await as('alice', 'POST', '/v1/orders', orderOf({ clOrdId: 'M1', orderQty: '11' })), { status: 409, body: { code: 'CONFLICT' } });
  });

  await t.test('each type and time in force does what it says', async (t) => {
    const limitPx = await farBelow(walk, 'IBM');
    const soon = formatInstant(plusMs(instant(await walk.now()), 700));
    const rows: readonly (readonly [string, object, string, string])[] = [
      ['LIM', { type: 'limit', limitPx }, 'order.acknowledged', 'new'],
      ['GTC', { type: 'limit', limitPx, tif: 'gtc' }, 'order.acknowledged', 'new'],
      ['PEG', { type: 'pegged', orderQty: '1000', symbol: 'BAC' }, 'order.acknowledged', 'new'],
      ['POV', { type: 'pov', participation: '0.001', orderQty: '5000', symbol: 'BAC' }, 'order.acknowledged', 'new'],
      ['IOC', { type: 'limit', limitPx, tif: 'ioc' }, 'order.canceled', 'canceled'],
      ['FOKNONE', { type: 'limit', limitPx, tif: 'fok' }, 'order.canceled', 'canceled'],
      ['FOKALL', { type: 'market', tif: 'fok', orderQty: '1' }, 'order.filled', 'filled'],
      ['GTD', { type: 'limit', limitPx, tif: 'gtd', expireAt: soon }, 'order.expired', 'expired'],
    ];
    for (const [clOrdId, members, kind, state] of rows) {
      const { parent } = await post(clOrdId, members);
      await heard(events, kind, parent);
      const found = await get(clOrdId);
      // A pegged or pov order may have filled already: the market does not wait for the test.
      if (['PEG', 'POV'].includes(clOrdId)) t.match(found.state, /^(new|partially_filled|filled)$/, clOrdId);
      else t.equal(found.state, state, clOrdId);
    }
    const refused: readonly (readonly [object, string])[] = [
      [{ type: 'limit' }, 'a limit needs its price'], [{ type: 'market', limitPx }, 'a market order has none'], [{ tif: 'gtd' }, 'gtd needs its end'],
      [{ expireAt: soon }, 'and only gtd has one'], [{ type: 'pov' }, 'pov needs a share'], [{ participation: '0.1' }, 'and only pov has one'],
      [{ orderQty: '0' }, 'something'], [{ orderQty: 10 }, 'as a string'], [{ tif: 'gtd', expireAt: '2020-01-01T00:00:00Z' }, 'an end to come'],
    ];
    for (const [members, message] of refused) {
      t.match(await as('alice', 'POST', '/v1/orders', orderOf({ clOrdId: 'BAD', ...members })), { status: 400, body: { code: 'INVALID_BODY' } }, message);
    }
  });

  await t.test('a denial', async (t) => {
    const denied = await as('alice', 'POST', '/v1/orders', orderOf({ clOrdId: 'D1', symbol: 'XYZ' }));
    t.match(denied, { status: 422, body: { code: 'DENIED', receipt: { seq: Number } } });
    t.ok(denied.body.verdicts.some(({ code, outcome }) => code === 'UNKNOWN_INSTRUMENT' && outcome === 'deny'));
    t.same((await as('alice', 'POST', '/v1/orders', orderOf({ clOrdId: 'D1', symbol: 'XYZ' }))).body, denied.body);
    t.match(await get('D1'), { clOrdId: 'D1', state: 'denied', cumQty: '0' });
    const tick = await as('alice', 'POST', '/v1/orders', orderOf({ clOrdId: 'D2', type: 'limit', limitPx: '181.005' }));
    t.ok(tick.body.verdicts.some(({ code, outcome }) => code === 'TICK_SIZE' && outcome === 'deny'));
  });

  await t.test('an amendment is judged on the order it would become', async (t) => {
    const { parent } = await get('LIM');
    const amended = await as('alice', 'PATCH', '/v1/orders/LIM', { orderQty: '20' });
    t.match(amended, { status: 200, body: { clOrdId: 'LIM', parent, orderQty: '20', cumQty: '0', leavesQty: '20', receipt: { seq: Number } } });
    await heard(events, 'order.replaced', parent);
    t.match(await get('LIM'), { orderQty: '20', leavesQty: '20', state: 'new' });
    t.match(await as('alice', 'PATCH', '/v1/orders/LIM', { orderQty: '2000000' }), { status: 422, body: { code: 'DENIED' } });
    t.match(await get('LIM'), { orderQty: '20', state: 'new' }, 'what is denied changes nothing');
    t.match(await as('alice', 'PATCH', '/v1/orders/LIM', {}), { status: 400 });
    t.match(await as('alice', 'PATCH', '/v1/orders/LIM', { side: 'sell' }), { status: 400 });
    t.match(await as('alice', 'PATCH', '/v1/orders/M1', { limitPx: '181.00' }), { status: 400, body: { code: 'INVALID_BODY' } }, 'what POST refuses');
    t.match(await as('alice', 'PATCH', '/v1/orders/M1', { orderQty: '20' }), { status: 409 }, 'done is done');
    t.match(await as('alice', 'PATCH', '/v1/orders/NOPE', { orderQty: '20' }), { status: 404 });
    t.match(await as('bob', 'PATCH', '/v1/orders/LIM', { orderQty: '20' }), { status: 404 });
  });

  await t.test('a cancel always passes', async (t) => {
    for (const clOrdId of ['LIM', 'GTC']) {
      t.match(await as('bob', 'DELETE', `/v1/orders/${clOrdId}`), { status: 404 }, 'not another’s');
      const { parent } = await get(clOrdId);
      t.match(await as('alice', 'DELETE', `/v1/orders/${clOrdId}`), { status: 202, body: { clOrdId, receipt: { seq: Number } } });
      await heard(events, 'order.canceled', parent);
      t.match(await get(clOrdId), { state: 'canceled', leavesQty: '0' });
    }
    t.match(await as('alice', 'DELETE', '/v1/orders/GTC'), { status: 202, body: { receipt: null } }, 'of what is done, too');
    t.match(await as('alice', 'DELETE', '/v1/orders/NOPE'), { status: 404, body: { code: 'NOT_FOUND' } });
  });

  await t.test('lists', async (t) => {
    const list = async (query: string): Promise<readonly Body[]> => (await as('alice', 'GET', `/v1/orders${query}`)).body.items;
    const all = await list('');
    t.ok(all.length >= 9);
    for (const item of all) {
      t.same(ORDER.filter((name) => !Object.hasOwn(item, name)), []);
      t.equal((await get(item.clOrdId)).clOrdId, item.clOrdId, 'what is listed can be asked for');
    }
    t.same((await list('?state=expired')).map(({ clOrdId }) => clOrdId), ['GTD']);
    t.ok((await list('?symbol=BAC')).every(({ symbol }) => symbol === 'BAC'));
    const [, , third] = all as [Body, Body, Body];
    t.same((await list(`?after=${String(third.seq)}`)).map(({ clOrdId }) => clOrdId), all.slice(3).map(({ clOrdId }) => clOrdId), 'after is exclusive');
    t.same((await as('bob', 'GET', '/v1/orders')).body.items, []);
    t.equal((await as('carla', 'GET', '/v1/orders')).body.items.length, all.length);
    for (const query of ['?state=gone', '?after=x', '?state=new&state=new', '?limit=5']) t.equal((await as('alice', 'GET', `/v1/orders${query}`)).status, 400, query);
  });

  await t.test('account, books, limits, universe', async (t) => {
    t.match((await as('olga', 'GET', '/v1/accounts/ACC1')).body, { account: 'ACC1', currency: 'USD', equity: String, cash: String, drawdown: String, governor: '1' });
    const { items } = (await as('alice', 'GET', '/v1/accounts/ACC1/positions')).body;
    t.ok(items.length > 0);
    for (const item of items) t.same(names(item), POSITION);
    t.match(await as('olga', 'GET', '/v1/accounts/ACC9'), { status: 404 });
    t.match(await as('alice', 'GET', '/v1/accounts/ACC9'), { status: 403 }, 'outside the token, existing or not');
    t.match(await as('alice', 'GET', '/v1/accounts/ACC2/positions'), { status: 403 });
    const limits = (await as('alice', 'GET', '/v1/limits')).body.items;
    t.same(limits.map(({ code }) => code), LIMITS);
    for (const { code, observed, limit, headroom, utilisation } of limits) {
      t.ok(Math.abs(Number(headroom) - (Number(limit) - Number(observed))) < 1e-5, `${code}: ${headroom} left`);
      t.ok(Math.abs(Number(utilisation) - Number(observed) / Number(limit)) < 1e-5, `${code}: ${utilisation} used`);
    }
    t.ok(Number(limits[0]!.observed) > 0, 'the largest name');
    const universe = (await as('alice', 'GET', '/v1/instruments')).body.items;
    t.equal(universe.length, 506);
    t.match(universe[0], { symbol: 'SPY', sector: 'Index', lotSize: '1', tickSize: '0.01' });
    const seen = recordIn(await events.next(({ kind }) => kind === 'order.decided'));
    t.equal(seen.body.account, 'ACC1');
  });
});
