/** Kill switches: every scope, once, at once, also when nothing can be written. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { emergencyPath, openEmergency, readEmergency, type EmergencyLog } from '../../../compliance/emergency.ts';
import { startBackground } from '../../../gateway/background.ts';
import { readKillFile } from '../../../gateway/kill-file.ts';
import type { Behind } from '../../../gateway/behind.ts';
import type { Principal } from '../../../gateway/auth/principal.ts';
import type { House } from '../../../gateway/house.ts';
import { switchService } from '../../../gateway/service/switches.ts';
import { emergencyAct } from '../../../gateway/emergency.ts';
import { previewFlip } from '../../../gateway/flows/flip-switch.ts';
import { withdrawTarget } from '../../../gateway/flows/withdraw.ts';
import { adoptEmergency, resumeParents } from '../../../gateway/recovery.ts';
import type { Transparency } from '../../../gateway/transparency.ts';
import type { Scope } from '../../../risk/records.ts';
import type { testHouse} from '../../doubles/house.ts';
import { ALICE, OFFICER, type TestHouse } from '../../doubles/house.ts';
import { faultyStore } from '../../doubles/store.ts';
import { aim, book, cancel, d, flip, houseFor, order, stateOf, submit, target } from './asks.ts';

/** Two direct orders of different strategies and symbols, and a target of the first that has released a slice. */
async function busyHouse(t: Test, options: Parameters<typeof testHouse>[0] = {}): Promise<TestHouse & { readonly ids: Readonly<Record<string, string>> }> {
  const made = await houseFor(t, options);
  await submit(made.house, order('A'));
  await submit(made.house, order('B', { strategy: 'alpha-2', symbol: 'SPY' }));
  await aim(made.house, target(made.house, 'T1', { BAC: '600' }));
  await made.time.advance(0);
  const [a, b, slice] = made.venue.sent.map(({ clOrdId }) => clOrdId);
  return { ...made, ids: { [a ?? '']: 'A', [b ?? '']: 'B', [slice ?? '']: 'slice' } };
}

t.test('a halt cancels what works in its scope, ends its parents, and nothing else', async (t) => {
  const rows: readonly (readonly [Scope, string, string])[] = [
    [{ id: '*', kind: 'firm' }, 'A B slice', 'withdrawn'],
    [{ id: 'PAPER', kind: 'venue' }, 'A B slice', 'withdrawn'],
    [{ id: 'ACC1', kind: 'account' }, 'A B slice', 'withdrawn'],
    [{ id: 'ACC2', kind: 'account' }, '', 'live'],
    [{ id: 'alpha-1', kind: 'strategy' }, 'A slice', 'withdrawn'],
    [{ id: 'alpha-2', kind: 'strategy' }, 'B', 'live'],
    [{ id: 'TRADER1', kind: 'trader' }, 'A B slice', 'withdrawn'],
    [{ id: 'TRADER2', kind: 'trader' }, '', 'live'],
    [{ id: 'SPY', kind: 'instrument' }, 'B', 'live'],
    [{ id: 'BAC', kind: 'instrument' }, 'slice', 'withdrawn'],
  ];
  for (const [scope, cancels, parent] of rows) {
    for (const state of ['halted', 'reducing'] as const) {
      const name = `${state} ${scope.kind}:${scope.id}`;
      const { house, venue, ids, all } = await busyHouse(t);
      const { cancels: seen } = previewFlip(house, { actor: OFFICER, cancel: 'working', reason: 'x', requestId: null, scope, state });
      const size = house.journal.nextSeq;
      const answer = await flip(house, { scope, state });
      t.equal(answer.outcome, 'flipped', name);
      t.equal(house.journal.nextSeq > size, true);
      t.equal(venue.cancels.map((id) => ids[id]).join(' '), cancels, `${name}: cancels`);
      t.equal(seen.map(({ clOrdId }) => ids[clOrdId]).join(' '), cancels, `${name}: preview`);
      const [leg] = [...house.state.execution.parents.values()].filter(({ targetId }) => targetId !== null);
      t.equal(leg?.end?.reason ?? 'live', parent, `${name}: parent`);
      t.ok(all('cancel.requested').every(({ reason }) => reason === 'test'));
      t.match(book(house), 'qty 0 buy 100', `${name}: reserved until the venue says`);
    }
  }
});

t.test('cancel: none leaves orders and parents alone, and the preview says so', async (t) => {
  const { house, venue } = await busyHouse(t);
  const command = { actor: OFFICER, cancel: 'none', reason: 'x', requestId: null, scope: { id: '*', kind: 'firm' }, state: 'halted' } as const;
  t.strictSame(previewFlip(house, command).cancels, []);
  await flip(house, command);
  t.strictSame(venue.cancels, []);
  t.ok([...house.state.execution.parents.values()].every(({ end }) => end === null));
  await t.test('the same halt again ends what still works, and engages anew where nothing does', async (t) => {
    const again = await flip(house, { cancel: 'working' });
    t.match(again, { outcome: 'flipped', flipped: { engagement: 2, previous: 'halted' } });
    t.equal(venue.cancels.length, 3);
    t.match(await flip(house, { cancel: 'working' }), { outcome: 'flipped', cancels: [], flipped: { engagement: 3, previous: 'halted' } });
  });
});

t.test('a preview records nothing', async (t) => {
  const { house, log, venue } = await busyHouse(t);
  const before = log.length;
  previewFlip(house, { actor: OFFICER, cancel: 'working', reason: 'x', requestId: 'r', scope: { id: '*', kind: 'firm' }, state: 'halted' });
  t.equal(log.length, before);
  t.equal(house.state.risk.switches.size, 0);
  t.strictSame(venue.cancels, []);
});

t.test('a requestId', async (t) => {
  await t.test('halts once, in the same turn too', async (t) => {
    const { house, all } = await houseFor(t);
    const answers = await Promise.all([flip(house, { requestId: 'R1' }), flip(house, { requestId: 'R1' })]);
    t.strictSame(answers.map(({ outcome }) => outcome), ['flipped', 'repeat']);
    t.equal(all('switch.flipped').length, 1);
  });
  await t.test('of another flip is a conflict: nobody believes in a halt that is none', async (t) => {
    const { house } = await houseFor(t);
    await flip(house, { requestId: 'R1', scope: { id: 'IBM', kind: 'instrument' } });
    t.strictSame(await flip(house, { requestId: 'R1' }), { outcome: 'conflict' });
    t.strictSame(await flip(house, { requestId: 'R1', scope: { id: 'IBM', kind: 'instrument' }, cancel: 'none' }), { outcome: 'conflict' });
  });
});

t.test('loosening is refused, tightening a narrower or wider scope is not', async (t) => {
  const { house, all } = await houseFor(t);
  const IBM = { id: 'IBM', kind: 'instrument' } as const;
  t.match(await flip(house, { scope: IBM }), { outcome: 'flipped' });
  t.strictSame(await flip(house, { scope: IBM, state: 'reducing' }), { outcome: 'loosens' });
  t.match(await flip(house), { outcome: 'flipped' }, 'the firm, while an instrument is halted');
  t.match(await flip(house, { scope: { id: 'SPY', kind: 'instrument' }, state: 'reducing' }), { outcome: 'flipped' });
  t.match(await flip(house, { scope: { id: 'SPY', kind: 'instrument' } }), { outcome: 'flipped', flipped: { previous: 'reducing', engagement: 2 } });
  t.equal(all('switch.flipped').length, 4);
});

t.test('reducing lets reductions through and nothing else', async (t) => {
  const { house, venue, time } = await houseFor(t);
  venue.habit = 'fills';
  await submit(house, order('A'));
  await time.settle();
  await flip(house, { state: 'reducing' });
  const rows = [
    ['B', 'buy', '1', 'denied'], ['C', 'sell', '101', 'denied'], ['D', 'sell', '60', 'accepted'], ['E', 'sell', '41', 'denied'], ['F', 'sell', '40', 'accepted'],
    ['G', 'sell', '1', 'denied'],
  ] as const;
  for (const [id, side, qty, decision] of rows) {
    const { decided } = await submit(house, order(id, { orderQty: d(qty), side }));
    t.equal(decided.body.decision, decision, `${side} ${qty}`);
    await time.settle();
  }
  t.equal(book(house), 'qty 0 buy 0 sell 0');
});

/** A house whose log stops when told to. */
async function breakable(t: Test, options: Parameters<typeof testHouse>[0] = {}): Promise<Awaited<ReturnType<typeof busyHouse>> & { readonly stuck: (is: boolean) => void }> {
  let isStuck = false;
  const made = await busyHouse(t, { ...options, disk: (store) => faultyStore(store, () => (isStuck ? 'refused' : null)) });
  return { ...made, stuck(is) { isStuck = is; } };
}

t.test('while the log cannot be written', async (t) => {
  await t.test('a kill acts, and the proof goes to the emergency file', async (t) => {
    const { house, venue, notes, stuck, time, all, store } = await breakable(t);
    stuck(true);
    const answer = await flip(house);
    t.match(answer, { outcome: 'flipped', receipt: null });
    t.equal(venue.cancels.length, 3);
    t.match(notes[0], { kind: 'switch.flipped', body: { state: 'halted' } });
    t.equal(notes.filter(({ kind }) => kind === 'cancel.requested').length, 3);
    stuck(false);
    await time.advance(2_000);
    t.equal(all('switch.flipped').length, 1);
    t.equal(store.lines.length, house.journal.nextSeq, 'what was queued is written');
  });
  await t.test('so do a cancel and a withdrawal', async (t) => {
    const { house, venue, notes, stuck, ids } = await breakable(t);
    stuck(true);
    t.match(await cancel(house, 'A'), { outcome: 'requested', receipt: null });
    t.match(await withdrawTarget(house, { account: 'ACC1', actor: ALICE, reason: 'x', targetId: 'T1' }), { receipt: null });
    t.strictSame(venue.cancels.map((id) => ids[id]), ['A', 'slice']);
    t.equal(notes.length, 3, 'two cancels and the withdrawal');
    t.match(await flip(house, { requestId: 'R' }), { outcome: 'flipped', receipt: null });
    t.match(await flip(house, { requestId: 'R' }), { outcome: 'repeat', receipt: null }, 'a repeat does not wait either');
  });
  await t.test('an order whose record is on its way never leaves once it is cancelled', async (t) => {
    for (const how of ['flip', 'cancel', 'five seconds'] as const) {
      const { house, venue, stuck, time } = await breakable(t);
      stuck(true);
      const submitted = submit(house, order('C', { symbol: 'AIG' }));
      await time.settle();
      const { length } = venue.sent;
      if (how === 'flip') await flip(house, { state: 'reducing' });
      else if (how === 'cancel') await cancel(house, 'C');
      else await time.advance(6_000);
      t.ok(venue.cancels.every((id) => venue.sent.some(({ clOrdId }) => clOrdId === id)), `${how}: only what had left is cancelled`);
      stuck(false);
      await time.advance(2_000);
      await submitted;
      t.equal(venue.sent.filter(({ symbol }) => symbol === 'AIG').length, 0, how);
      t.ok(venue.sent.length >= length);
      t.equal(book(house, 'AIG'), 'qty 0 buy 0 sell 0', how);
    }
  });
  await t.test('an id that stands for another flip is no halt, whatever the log can say', async (t) => {
    const { house, stuck } = await breakable(t);
    stuck(true);
    const ibm = { requestId: 'X', scope: { id: 'IBM', kind: 'instrument' } } as const;
    t.equal((await flip(house, ibm)).outcome, 'flipped');
    t.equal((await flip(house, ibm)).outcome, 'repeat');
    t.equal((await flip(house, { requestId: 'X' })).outcome, 'conflict', 'the firm is not halted, and nobody is told so');
    t.equal((await flip(house, { ...ibm, state: 'reducing' })).outcome, 'conflict');
    t.equal((await flip(house, { requestId: 'Y' })).outcome, 'flipped', 'an id of its own halts');
  });
  await t.test('a file that cannot be written holds no cancel back', async (t) => {
    const said: string[] = [];
    const full = { append: () => { throw new Error('ENOSPC'); } } as unknown as EmergencyLog;
    const { house, venue, stuck } = await breakable(t, { emergency: (clock) => emergencyAct(full, clock, (line) => said.push(line)) });
    stuck(true);
    t.match(await flip(house), { outcome: 'flipped', receipt: null });
    t.equal(venue.cancels.length, 3);
    t.match(house.state.risk.switches.get('firm:*'), { state: 'halted' });
    t.match(said, [/ENOSPC/]);
  });
});

t.test('what the emergency file holds', async (t) => {
  const dir = t.testdir();
  const path = emergencyPath(dir);
  const file = openEmergency(path);
  t.teardown(() => { file.close(); });
  const crashed = await breakable(t, { emergency: (clock) => emergencyAct(file, clock, t.fail) });
  crashed.stuck(true);
  await crashed.time.advance(10);
  await flip(crashed.house, { requestId: 'R1' });
  t.equal(readEmergency(path).entries.length, 5, 'the halt, the end of the parent, three cancels');

  await t.test('is adopted by the next start: the halt, its cancels, and the end of its parents', async (t) => {
    const { house, all, time } = await houseFor(t, { store: crashed.store });
    t.equal(house.state.risk.switches.size, 0, 'the log has lost it');
    adoptEmergency(house, file);
    await time.settle();
    t.match(house.state.risk.switches.get('firm:*'), { engagement: 1, state: 'halted', by: 'olga' });
    t.equal(all('cancel.requested').length, 3);
    const olga: Principal = { sub: 'olga', role: 'risk_officer', accounts: new Set(), expiresAtMs: Infinity, person: 'dev olga' };
    const again = { requestId: 'R1', scope: { id: '*', kind: 'firm' }, state: 'halted', cancel: 'working', reason: 'test' } as const;
    t.match(await switchService(house).flipSwitch(olga, again, { preview: false }), { body: { cancels: { requested: 3 }, receipt: { seq: Number } } }, 'who asks again is told of them');
    t.strictSame([...house.state.execution.parents.values()].filter(({ targetId }) => targetId !== null).map(({ end }) => end?.reason), ['withdrawn']);
    t.equal(readEmergency(path).entries.length, 0, 'and set aside');
    resumeParents(house);
  });
});

const NOTHING_BEHIND = { look: () => Promise.resolve(), verifyPast: () => Promise.resolve() } as unknown as Behind;

t.test('a past that is broken halts the firm, and cancels what works', async (t) => {
  const { house, time, venue, all } = await busyHouse(t);
  const verifyPast = (_: House, halt: (reason: string) => void): Promise<void> => {
    halt('broken');
    return Promise.resolve();
  };
  const behind = { look: () => Promise.resolve(), verifyPast } as unknown as Behind;
  const transparency = { publish: () => null, size: 0 } as unknown as Transparency;
  startBackground({ behind, hasEnded: () => false, house, transparency, say: () => undefined, wall: time });
  await time.settle();
  t.match(all('switch.flipped'), [{ reason: 'broken', scope: { kind: 'firm' }, state: 'halted' }]);
  t.equal(new Set(venue.cancels).size, 3);
});

t.test('a kill asks again for cancels that were asked for before: they may be lost', async (t) => {
  const { house, venue } = await busyHouse(t);
  t.match(await flip(house), { cancels: { length: 3 } });
  venue.cancels.length = 0;
  t.match(await flip(house), { cancels: { length: 3 } });
  t.equal(venue.cancels.length, 3);
});

t.test('DATA_DIR/KILL in each form halts the firm, once each time it appears', async (t) => {
  const forms: Readonly<Record<string, (path: string) => void>> = {
    file: (path) => { writeFileSync(path, 'too hot\n'); },
    empty: (path) => { writeFileSync(path, ''); },
    binary: (path) => { writeFileSync(path, Buffer.from([0, 255, 27, 91, 50, 74])); },
    'pictures cut in half': (path) => { writeFileSync(path, `a${'\u{1f600}'.repeat(249)}`); },
    unreadable: (path) => { writeFileSync(path, 'x', { mode: 0 }); },
    folder: (path) => { mkdirSync(path); },
    'dangling link': (path) => { symlinkSync('/nowhere', path); },
    'link to a file': (path) => { symlinkSync('/etc/passwd', path); },
    fifo: (path) => { execFileSync('mkfifo', [path]); },
  };
  const transparency = { publish: () => null, size: 0 } as unknown as Transparency;
  for (const [form, make] of Object.entries(forms)) {
    const dataDir = mkdtempSync(join(t.testdirName, '..', 'kill-'));
    t.teardown(() => { rmSync(dataDir, { force: true, recursive: true }); });
    const { house, time, venue, all } = await busyHouse(t);
    const watched = { ...house, killed: () => readKillFile(dataDir) };
    startBackground({ behind: NOTHING_BEHIND, hasEnded: () => false, house: watched, transparency, say: () => undefined, wall: time });
    await time.advance(500);
    t.equal(all('switch.flipped').length, 0, `${form}: not yet`);
    make(join(dataDir, 'KILL'));
    await time.advance(1_000);
    t.equal(all('switch.flipped').length, 1, `${form}: once`);
    // Nothing is unreadable to root.
    const reason = form === 'unreadable' ? /^DATA_DIR\/KILL exists(: x)?$/ : form === 'file' ? /^DATA_DIR\/KILL exists: too hot$/ : /^DATA_DIR\/KILL exists$/;
    t.match(all('switch.flipped')[0]?.reason, reason, form);
    t.equal(new Set(venue.cancels).size, 3, `${form}: cancels`);
    rmSync(join(dataDir, 'KILL'), { force: true, recursive: true });
    await time.advance(500);
    t.match(house.state.risk.switches.get('firm:*'), { state: 'halted' }, `${form}: removing it releases nothing`);
  }
});

t.test('state of a cancelled child', async (t) => {
  const { house, ids } = await busyHouse(t);
  await flip(house);
  for (const id of Object.keys(ids)) t.equal(stateOf(house, id), 'pending_cancel');
});
