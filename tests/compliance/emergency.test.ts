import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { emergencyPath, openEmergency, readEmergency, type EmergencyLog } from '../../compliance/emergency.ts';
import { instant, plusMs } from '../../risk/domain/time.ts';

const AT = instant('2026-11-20T09:30:00.000000001Z');

function fresh(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }); });
  return emergencyPath(folder);
}

function filled(path: string, n: number): EmergencyLog {
  const log = openEmergency(path);
  for (let i = 0; i < n; i++) log.append(plusMs(AT, i), [{ kind: i === 0 ? 'switch.flipped' : 'cancel.requested', body: { clOrdId: `C${i}` } }]);
  return log;
}

t.test('what was written is read, in order, by nobody else', (t) => {
  const path = fresh(t);
  t.strictSame(readEmergency(path), { entries: [], isTorn: false, fault: null, bytes: 0 }, 'no file, no entry');
  const log = openEmergency(path);
  const first = log.append(AT, [{ kind: 'switch.flipped', body: { scope: { kind: 'firm', id: '*' } } }, { kind: 'target.withdrawn', body: { targetId: 'T' } }]);
  const second = log.append(plusMs(AT, 1), [{ kind: 'cancel.requested', body: { clOrdId: 'C1' } }]);
  t.strictSame(readEmergency(path).entries, [...first, ...second]);
  t.strictSame([...first, ...second].map(({ n }) => n), [0, 1, 2]);
  t.equal(statSync(path).mode & 0o777, 0o600);
  log.close();
  const again = openEmergency(path);
  t.equal(again.append(AT, [{ kind: 'cancel.requested', body: {} }])[0]!.n, 3, 'a restart goes on');
  again.close();
  t.equal(readEmergency(path).fault, null);
  t.end();
});

t.test('a crash anywhere leaves the entries that were whole', (t) => {
  const path = fresh(t);
  filled(path, 4).close();
  const whole = readFileSync(path, 'utf8');
  for (let length = 0; length <= whole.length; length++) {
    writeFileSync(path, whole.slice(0, length));
    const { entries, isTorn, fault } = readEmergency(path);
    const lines = whole.slice(0, length).split('\n').length - 1;
    if (entries.length !== lines || fault !== null || isTorn !== (length > 0 && whole[length - 1] !== '\n')) t.fail(`cut at ${length}`);
  }
  truncateSync(path, whole.length - 5);
  const log = openEmergency(path);
  t.equal(log.append(AT, [{ kind: 'cancel.requested', body: { clOrdId: 'after' } }])[0]!.n, 3, 'the torn entry was never done: its number is given again');
  log.close();
  t.match(readEmergency(path), { isTorn: false, fault: null, entries: { length: 4 } });
  t.end();
});

t.test('a changed character breaks the chain at its entry, and nothing is appended to it', (t) => {
  const path = fresh(t);
  filled(path, 3).close();
  const whole = readFileSync(path, 'utf8');
  fc.assert(fc.property(fc.nat(whole.length - 2), fc.constantFrom('x', '0', '"', ' '), (at, other) => {
    fc.pre(whole[at] !== other && whole[at] !== '\n');
    writeFileSync(path, whole.slice(0, at) + other + whole.slice(at + 1));
    const { entries, fault } = readEmergency(path);
    return fault !== null && entries.length === whole.slice(0, at).split('\n').length - 1;
  }));
  const lines = whole.trimEnd().split('\n');
  for (const bad of [[lines[0], lines[2]], [lines[1]], [lines[0], lines[0]], [lines[1], lines[0]]]) {
    writeFileSync(path, `${bad.join('\n')}\n`);
    t.match(readEmergency(path).fault, /does not follow the entry before/);
  }
  for (const bad of ['[]', 'null', '7', '{}', '']) {
    writeFileSync(path, `${bad}\n`);
    t.type(readEmergency(path).fault, 'string');
  }
  t.throws(() => openEmergency(path), /does not hold together/);
  t.end();
});

t.test('adopted entries are set aside under a number of their own', (t) => {
  const path = fresh(t);
  const folder = join(path, '..');
  const log = filled(path, 2);
  const before = readFileSync(path, 'utf8');
  log.archive();
  t.strictSame(readEmergency(path).entries, []);
  t.equal(readFileSync(join(folder, 'emergency-1.log'), 'utf8'), before);
  log.archive();
  t.strictSame(readdirSync(folder).sort(), ['emergency-1.log', 'emergency.log'], 'nothing to set aside');
  t.equal(log.append(AT, [{ kind: 'cancel.requested', body: {} }])[0]!.n, 0);
  log.archive();
  t.strictSame(readdirSync(folder).sort(), ['emergency-1.log', 'emergency-2.log', 'emergency.log']);
  log.close();
  appendFileSync(path, 'torn');
  t.match(readEmergency(path), { isTorn: true, entries: { length: 0 } });
  t.end();
});
