/** Rows /v1/targets of API.md, and the bodies it shows. */
import t from 'tap';
import { ended, names, orderOf, startWalk, targetOf, type Body } from './walk.ts';

const ANSWER = ['decision', 'legs', 'policy', 'receipt', 'targetId', 'verdicts'];
const LEG = ['allowed', 'clOrdId', 'deltaQty', 'requested', 'symbol', 'verdicts'];
const VERDICT = ['code', 'limit', 'observed', 'outcome', 'unit'];
const PARTS = ['delay', 'fees', 'impact', 'opportunity', 'spread', 'total'];

t.test('targets', async (t) => {
  const walk = await startWalk(t);
  const { as, gateway } = walk;
  const clip = targetOf({ targetId: 'T-0001', asOf: await walk.now(), legs: [{ symbol: 'SPY', target: '0.40' }, { symbol: 'XYZ', target: '0.10' }] });
  const events = await walk.hears('alice', 'orders');

  await t.test('a dry run decides and leaves no trace', async (t) => {
    const { status, body } = await as('alice', 'POST', '/v1/targets?dryRun=true', clip);
    t.match({ status, body }, { status: 200, body: { decision: 'clipped', receipt: null } });
    t.same(body.legs.map(({ clOrdId }) => clOrdId), [null, null]);
    t.same(await gateway.records('target.decided'), []);
    t.equal((await as('alice', 'GET', '/v1/targets/T-0001')).status, 404, 'the id is free');
  });

  await t.test('one leg is clipped, one is denied', async (t) => {
    const { status, body } = await as('alice', 'POST', '/v1/targets', clip);
    t.equal(status, 201);
    t.same([names(body), names(body.receipt), names(body.policy), names(body.verdicts[0]!)], [ANSWER, ['hash', 'log', 'seq'], ['hash', 'id', 'version'], VERDICT]);
    t.match(body, { targetId: 'T-0001', decision: 'clipped', policy: { id: 'default', version: 1 } });
    t.ok(body.verdicts.every(({ outcome }) => outcome === 'pass'), 'the portfolio carries every verdict');
    const [spy, xyz] = body.legs as [Body, Body];
    t.same([names(spy), names(xyz)], [LEG, LEG]);
    t.match(spy, { symbol: 'SPY', requested: '0.4', allowed: '0.25', deltaQty: /^[1-9]\d+$/, clOrdId: /^[A-Z0-9]+$/ });
    const clipped = { outcome: 'clip', observed: '0.4', limit: '0.25', unit: 'xEquity' };
    t.same(spy.verdicts, [{ code: 'NAME_EXPOSURE', ...clipped }, { code: 'KELLY_CAP', ...clipped }], 'a leg carries its clips');
    t.match(xyz, { symbol: 'XYZ', requested: '0.1', allowed: '0', deltaQty: '0', clOrdId: null });
    t.match(xyz.verdicts[0], { code: 'UNKNOWN_INSTRUMENT', outcome: 'deny' }, 'and its denials');
    t.notOk(xyz.verdicts.some(({ outcome }) => outcome === 'pass'));

    const again = await as('alice', 'POST', '/v1/targets', clip);
    t.same([again.status, again.body], [200, body], 'a repeat gives the same answer');
    const other = await as('alice', 'POST', '/v1/targets', { ...clip, horizonSeconds: 6 });
    t.match(other, { status: 409, body: { code: 'CONFLICT' } }, 'the same id with another body does not');
    t.match(await as('alice', 'POST', '/v1/targets?dryRun=true', clip), { status: 200, body: { receipt: null } }, 'a dry run is asked about no id');
    t.equal((await gateway.records('target.decided')).length, 1);
  });

  await t.test('its progress', async (t) => {
    const before = (await as('alice', 'GET', '/v1/targets/T-0001')).body;
    t.match(before, { targetId: 'T-0001', account: 'ACC1', strategy: 'alpha-1', decision: 'clipped', parents: [{ symbol: 'SPY', side: 'buy' }] });
    await ended(events, before.parents[0]!.clOrdId);
    const { body } = await as('olga', 'GET', '/v1/targets/T-0001');
    t.same(names(body.parents[0]!.shortfall).filter((name) => name !== 'bps'), PARTS);
    t.equal((await as('carla', 'GET', '/v1/targets/T-0001')).status, 200);
    t.match(await as('bob', 'GET', '/v1/targets/T-0001'), { status: 404, body: { code: 'NOT_FOUND' } }, 'another account’s is not there');
    t.same((await as('bob', 'GET', '/v1/targets')).body, { items: [] });
    t.match((await as('alice', 'GET', '/v1/targets?account=ACC1')).body.items, [{ targetId: 'T-0001', decision: 'clipped' }]);
  });

  await t.test('a denial is a problem, and stays the same', async (t) => {
    const denied = targetOf({ targetId: 'T-0002', asOf: await walk.now(), legs: [{ symbol: 'XYZ', target: '0.10' }] });
    const first = await as('alice', 'POST', '/v1/targets', denied);
    t.match(first, { status: 422, body: { type: String, title: String, status: 422, detail: String, code: 'DENIED', targetId: 'T-0002', receipt: { seq: Number } } });
    t.match(first.headers.get('content-type'), /^application\/problem\+json/);
    t.same((await as('alice', 'POST', '/v1/targets', denied)).body, first.body);
    t.equal((await as('alice', 'GET', '/v1/targets/T-0002')).body.decision, 'denied');
    t.match(await as('alice', 'POST', '/v1/targets?dryRun=true', { ...denied, targetId: 'T-0003' }), { status: 200, body: { decision: 'denied', receipt: null } });
    const whole = targetOf({ targetId: 'T-0004', asOf: await walk.now(), mode: 'all_or_none', legs: [{ symbol: 'IBM', target: '0.40' }] });
    t.match(await as('alice', 'POST', '/v1/targets', whole), { status: 422, body: { code: 'DENIED' } }, 'all or none: what would be clipped is denied');
    const finger = targetOf({ targetId: 'T-0005', asOf: await walk.now(), legs: [{ symbol: 'IBM', target: '3' }] });
    t.ok((await as('alice', 'POST', '/v1/targets', finger)).body.verdicts.some(({ code, outcome }) => code === 'FAT_FINGER' && outcome === 'deny'));
  });

  await t.test('books are a strategy’s own', async (t) => {
    const ask = async (targetId: string, members: object): Promise<Body> =>
      (await as('alice', 'POST', '/v1/targets', targetOf({ targetId, asOf: await walk.now(), strategy: 'alpha-2', horizonSeconds: 1, ...members }))).body;
    const bought = await ask('T-0006', { basis: 'quantity', legs: [{ symbol: 'BAC', target: '100' }] });
    t.match(bought, { decision: 'accepted', legs: [{ symbol: 'BAC', requested: '100', allowed: '100', deltaQty: '100' }] });
    await ended(events, bought.legs[0]!.clOrdId);
    const held = async (strategy: string): Promise<readonly Body[]> => (await as('alice', 'GET', `/v1/accounts/ACC1/positions?strategy=${strategy}`)).body.items;
    const [spy] = (await held('alpha-1')) as [Body];
    t.match([await held('alpha-1'), await held('alpha-2')], [[{ symbol: 'SPY' }], [{ symbol: 'BAC', qty: '100' }]]);

    const closed = await ask('T-0007', { scope: 'complete', legs: [] });
    t.match(closed, { decision: 'accepted', legs: [{ symbol: 'BAC', requested: null, allowed: '0', deltaQty: '-100' }] }, 'complete closes this book');
    await ended(events, closed.legs[0]!.clOrdId);
    t.same([(await held('alpha-1')).map(({ qty }) => qty), await held('alpha-2')], [[spy.qty], []], 'and no other');
    const notional = await ask('T-0008', { basis: 'notional', legs: [{ symbol: 'SPY', target: '-1000' }] });
    t.match(notional.legs[0], { requested: '-1000', deltaQty: /^-\d$/ });
  });

  await t.test('a newer target takes over, a withdrawal ends', async (t) => {
    const slow = (targetId: string, asOf: string, target: string): object => targetOf({ targetId, asOf, horizonSeconds: 600, legs: [{ symbol: 'AIG', target }] });
    t.equal((await as('alice', 'POST', '/v1/targets', slow('T-0010', await walk.now(), '0.10'))).status, 201);
    t.equal((await as('alice', 'POST', '/v1/targets', slow('T-0011', await walk.now(), '0.12'))).status, 201);
    t.match((await as('alice', 'GET', '/v1/targets/T-0010')).body, { done: true, parents: [{ state: 'superseded' }] });
    t.match(await as('bob', 'DELETE', '/v1/targets/T-0011'), { status: 404 });
    t.match(await as('olga', 'DELETE', '/v1/targets/T-0011'), { status: 403 });
    t.match(await as('alice', 'DELETE', '/v1/targets/T-0011'), { status: 202, body: { targetId: 'T-0011', receipt: { seq: Number } } });
    t.match((await as('alice', 'GET', '/v1/targets/T-0011')).body, { done: true, parents: [{ state: 'withdrawn' }] });
    t.match(await as('alice', 'DELETE', '/v1/targets/T-0011'), { status: 202, body: { receipt: null } }, 'once');
  });

  await t.test('an id in two accounts is ambiguous for a token of both', async (t) => {
    const asOf = await walk.now();
    for (const [account, strategy] of [['ACC1', 'alpha-1'], ['ACC2', 'beta-1']] as const) {
      t.equal((await as('both', 'POST', '/v1/targets', targetOf({ targetId: 'TWICE', account, strategy, asOf, legs: [{ symbol: 'BAC', target: '0.01' }] }))).status, 201);
      t.equal((await as('both', 'POST', '/v1/orders', orderOf({ clOrdId: 'TWICE', account, strategy, symbol: 'ETH-USD', orderQty: '0.01' }))).status, 201);
    }
    for (const path of ['/v1/targets/TWICE', '/v1/orders/TWICE']) {
      t.match(await as('both', 'GET', path), { status: 409, body: { code: 'CONFLICT' } }, path);
      t.match(await as('both', 'GET', `${path}?account=ACC2`), { status: 200, body: { account: 'ACC2' } });
      t.match(await as('alice', 'GET', path), { status: 200, body: { account: 'ACC1' } }, 'and of one account it is not');
    }
  });

  await t.test("an id of ours in one account does not stand before the caller's own in another", async (t) => {
    const small = { symbol: 'ETH-USD', orderQty: '0.01' };
    const { parent } = (await as('both', 'POST', '/v1/orders', orderOf({ clOrdId: 'THEIRS', account: 'ACC2', strategy: 'beta-1', ...small }))).body;
    t.equal((await as('both', 'POST', '/v1/orders', orderOf({ clOrdId: parent, account: 'ACC1', ...small }))).status, 201);
    t.match(await as('both', 'GET', `/v1/orders/${parent}`), { status: 409 });
    t.match(await as('both', 'GET', `/v1/orders/${parent}?account=ACC1`), { status: 200, body: { account: 'ACC1', clOrdId: parent } });
    t.match(await as('both', 'GET', `/v1/orders/${parent}?account=ACC2`), { status: 200, body: { account: 'ACC2', clOrdId: 'THEIRS' } });
    t.match(await as('both', 'DELETE', `/v1/orders/${parent}?account=ACC1`), { status: 202 }, 'a cancel passes');
  });
});
