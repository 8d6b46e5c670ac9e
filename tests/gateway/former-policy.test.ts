/** What was decided is told with the policy and the universe that it was decided under. */
import t from 'tap';
import { emptyState, fold } from '../../compliance/fold.ts';
import { canonicalize, contentHash } from '../../compliance/canonical.ts';
import { EMPTY_HEAD, foldStored } from '../../compliance/recover.ts';
import { fixedRule } from '../../execution/route.ts';
import { assemble, bringUp } from '../../gateway/assemble.ts';
import { storePolicy } from '../../gateway/policy.ts';
import { orderService } from '../../gateway/service/orders.ts';
import type { Principal } from '../../gateway/auth/principal.ts';
import { policyJson } from '../../risk/policy-file.ts';
import { universeJson } from '../../risk/universe.ts';
import type { PolicyInForce } from '../../risk/policy.ts';
import { policyOf, START } from '../doubles/house.ts';
import { fixedMarket } from '../doubles/market.ts';
import { memoryStore, type MemoryStore } from '../doubles/store.ts';
import { manualTimers } from '../doubles/timers.ts';
import { scriptedVenue } from '../doubles/venue.ts';
import { sample } from '../risk/sample.ts';
import { jsonText } from '../../gateway/http/json.ts';
import { d } from './flows/asks.ts';

const alice: Principal = { sub: 'alice', role: 'strategy', accounts: new Set(['ACC1']), expiresAtMs: Infinity, person: 'dev alice' };
const NODE = { forkOf: null, arch: 'x64', clock: 'test', commit: null, lockfileHash: '', node: '20', policyHash: '', resumedAt: 0, v8: '', version: '0' } as const;

async function start(store: MemoryStore, wanted: PolicyInForce, kill: string | null = null) {
  const time = manualTimers(START);
  await storePolicy(store, wanted);
  const state = emptyState();
  const head = await foldStored(store, state, EMPTY_HEAD);
  const blobs = new Map([[wanted.hash, canonicalize(policyJson(wanted.policy))], [wanted.universeHash, canonicalize(universeJson(wanted.universe))]]);
  const market = fixedMarket(['IBM'].map((symbol) => ({ symbol, bidPx: d('99.99'), bidQty: d('1000'), askPx: d('100.01'), askQty: d('1000'), at: time.now() })));
  const emergency = { entries: () => [], append: () => [], archive: () => undefined, close: () => undefined };
  const { house, desk, started, sequencer } = assemble({
    log: 'testlog1', head, state, store, fold: (record) => { fold(state, record, (hash) => blobs.get(hash) ?? null); }, timers: time, wall: time, market,
    router: fixedRule, emergency, killed: () => kill, onDurable: () => undefined, say: () => undefined, fatal: (error) => { throw error; }, defer: queueMicrotask,
  });
  const venue = scriptedVenue('PAPER', time, state.execution.venues.get('PAPER') ?? 0);
  const said: string[] = [];
  const openVenue = () => Promise.resolve({ venue, stop: () => Promise.resolve() });
  await bringUp(house, desk, { node: NODE, wanted, emergency, openVenue, say: (line) => { said.push(line); } });
  started();
  return { house, sequencer, time, venue, said };
}

t.test('the answer to a repeat is that of its records, also after a start with another universe', async (t) => {
  const store = memoryStore();
  const body = { clOrdId: 'A', account: 'ACC1', strategy: 'alpha-1', symbol: 'IBM', side: 'buy', orderQty: '100', type: 'limit', limitPx: '100', tif: 'day' } as never;
  const one = await start(store, sample);
  const first = jsonText((await orderService(one.house).submitOrder(alice, body)).body);
  await one.time.settle();
  await one.sequencer.close();
  const universe = new Map(sample.universe);
  const ibm = universe.get('IBM');
  if (ibm === undefined) throw new Error('IBM');
  universe.set('IBM', { ...ibm, lotSize: d('50'), tickSize: d('0.5') });
  const changed: PolicyInForce = { ...sample, universe, universeHash: contentHash(universeJson(universe)) };
  const two = await start(store, changed);
  const again = await orderService(two.house).submitOrder(alice, body);
  t.equal(again.status, 200);
  type Told = { verdicts: { code: string; limit: string }[] };
  const limits = (text: string): unknown => (JSON.parse(text) as Told).verdicts.filter(({ code }) => code === 'LOT_SIZE' || code === 'TICK_SIZE').map(({ code, limit }) => `${code} ${limit}`);
  t.strictSame(limits(jsonText(again.body)), limits(first));
});

t.test('other content under the version in force, or an older version, is told to the operator, once, and starts', async (t) => {
  const store = memoryStore();
  const said = async (wanted: PolicyInForce): Promise<readonly string[]> => {
    const one = await start(store, wanted);
    t.equal(one.house.state.risk.policy?.hash, wanted.hash);
    await one.time.settle();
    await one.sequencer.close();
    return one.said;
  };
  const changed = policyOf({}, { breakGlass: true });
  const { id, version } = sample.policy;
  t.strictSame(await said(sample), [], 'the first');
  t.strictSame(await said(sample), [], 'the same');
  t.strictSame(await said(changed), [
    `the policy in force until now has the same version and other content: ${id} version ${version}; raise \`version\` in the policy file with every change`,
  ]);
  t.strictSame(await said(changed), [], 'in force now');
  t.strictSame(await said(policyOf({}, { version: version + 1 })), [], 'as it should be');
  t.strictSame(await said(sample), [
    `the policy in force until now is newer, version ${version + 1}, than ${id} version ${version}; raise \`version\` in the policy file with every change`,
  ]);
  t.strictSame(await said(policyOf({}, { id: 'other', version: version + 1, breakGlass: true })), [], 'another policy has versions of its own');
});

const WORKING = { clOrdId: 'A', account: 'ACC1', strategy: 'alpha-1', symbol: 'IBM', side: 'buy', orderQty: '100', type: 'limit', limitPx: '100', tif: 'day' } as never;

/** A log that was closed while an order works. */
async function leftWorking(): Promise<MemoryStore> {
  const store = memoryStore();
  const { house, time, sequencer } = await start(store, sample);
  await orderService(house).submitOrder(alice, WORKING);
  await time.settle();
  await sequencer.close();
  return store;
}

t.test('a start with the kill file there is halted before anything moves', async (t) => {
  const two = await start(await leftWorking(), sample, 'DATA_DIR/KILL exists');
  t.match(two.house.state.risk.switches.get('firm:*'), { state: 'halted', reason: 'DATA_DIR/KILL exists' });
  await two.time.settle();
  t.equal(new Set(two.venue.cancels).size, 1, 'and what worked is cancelled');
  t.match(await orderService(two.house).submitOrder(alice, { ...(WORKING as object), clOrdId: 'B' } as never), { status: 422 });
});

t.test('a start is refused while orders work at a venue or in a name that its files no longer name, and leaves no record', async (t) => {
  const store = await leftWorking();
  const before = store.lines.length;
  const [venue] = sample.policy.venues;
  if (venue === undefined) throw new Error('the sample names a venue');
  await t.rejects(start(store, policyOf({}, { venues: [{ ...venue, id: 'OTHER' }] })), { message: 'orders still work at PAPER, which the policy file does not name: name it until they have ended' });
  const universe = new Map([...sample.universe].filter(([symbol]) => symbol !== 'IBM'));
  const smaller = { ...sample, universe, universeHash: contentHash(universeJson(universe)) };
  await t.rejects(start(store, smaller), { message: 'orders still work in IBM, which the universe file does not name: name it until they have ended' });
  t.equal(store.lines.length, before);
});
