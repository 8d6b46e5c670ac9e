import assert from 'node:assert/strict';
import t from 'tap';
import fc from 'fast-check';
import type { Ns } from '../../../risk/domain/time.ts';
import { NS_PER_DAY, NS_PER_MS, NS_PER_SECOND, plusMs } from '../../../risk/domain/time.ts';
import { realTimers } from '../../../execution/timers/real.ts';
import { replayedTimers } from '../../../execution/timers/replayed.ts';
import { virtualTimers } from '../../../execution/timers/virtual.ts';
import { wallClock } from '../../../execution/timers/wall.ts';
import type { Clock, Timers } from '../../../execution/time.ts';

const START = 1_700_000_000n * NS_PER_SECOND as Ns;
const settled = (): Promise<void> => Promise.resolve();

interface Ask {
  readonly offsetMs: number;
  readonly cancelled: boolean;
}
const asks = fc.array(fc.record({ offsetMs: fc.integer({ min: -3, max: 3 }), cancelled: fc.boolean() }), { maxLength: 40 });

/** Asks for all, cancels some, and gives the order in which a right clock would run the rest, and where it writes what ran. */
function ask(timers: Timers, all: readonly Ask[]): { expected: number[]; ran: number[]; seen: Ns[] } {
  const ran: number[] = [];
  const seen: Ns[] = [];
  const handles = all.map(({ offsetMs }, index) =>
    timers.at(plusMs(START, offsetMs), () => {
      ran.push(index);
      seen.push(timers.now());
    }));
  for (const [index, { cancelled }] of all.entries()) if (cancelled) handles[index]!.cancel();
  const expected = all.map((one, index) => ({ ...one, index })).filter(({ cancelled }) => !cancelled)
    .sort((a, b) => a.offsetMs - b.offsetMs || a.index - b.index).map(({ index }) => index);
  return { expected, ran, seen };
}

t.test('virtual time runs items by instant, equal ones as asked, and never backward', (t) => {
  fc.assert(fc.property(asks, (all) => {
    const timers = virtualTimers(START);
    const { expected, ran, seen } = ask(timers, all);
    while (timers.runNext());
    assert.deepEqual(ran, expected);
    for (const [i, at] of seen.entries()) assert.ok(at >= (i === 0 ? START : seen[i - 1]!));
    assert.equal(timers.nextDue(), null);
  }), { numRuns: 50 });
  t.end();
});

t.test('virtual time advances to an instant, with what is asked for on the way', (t) => {
  const timers = virtualTimers(START);
  const ran: number[] = [];
  timers.at(plusMs(START, 10), () => {
    ran.push(1);
    timers.at(plusMs(START, 20), () => ran.push(2));
    timers.at(plusMs(START, 21), () => ran.push(3));
  });
  timers.advanceTo(plusMs(START, 20));
  t.strictSame(ran, [1, 2]);
  t.equal(timers.now(), plusMs(START, 20));
  t.equal(timers.nextDue(), plusMs(START, 21));
  timers.stop();
  timers.at(START, () => ran.push(4));
  t.equal(timers.runNext(), false, 'a stopped house starts nothing');
  t.end();
});

t.test('a cancel from within, and twice, leaves the others', (t) => {
  const timers = virtualTimers(START);
  const ran: number[] = [];
  const second = timers.at(START, () => ran.push(2));
  timers.at(START, () => ran.push(3));
  second.cancel();
  second.cancel();
  while (timers.runNext());
  t.strictSame(ran, [3]);
  t.end();
});

t.test('the wall follows the counter between steps of the date, and the date after one', (t) => {
  let dateMs = 1_000_000;
  let counter = 5n;
  const clock = wallClock({ dateMs: () => dateMs, counterNs: () => counter });
  const first = clock.now();
  t.equal(first, 1_000_000n * NS_PER_MS);
  counter += 1_500_000n;
  dateMs += 1;
  t.equal(clock.now(), first + 1_500_000n, 'finer than the date');
  dateMs -= 3_600_000;
  t.equal(clock.now(), BigInt(dateMs) * NS_PER_MS, 'a step back is followed');
  t.end();
});

t.test('real timers run at or after their instant, in order; a far one does not overflow', async (t) => {
  const timers = realTimers();
  const warnings: string[] = [];
  const warned = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', warned);
  const now = timers.now();
  const ran: string[] = [];
  timers.at((now + 60n * NS_PER_DAY) as Ns, () => ran.push('far'));
  await new Promise<void>((resolve) => {
    timers.at(plusMs(now, 6), () => {
      ran.push('last');
      t.ok(timers.now() >= plusMs(now, 6));
      resolve();
    });
    timers.at(plusMs(now, 2), () => ran.push('b'));
    timers.at(plusMs(now, 2), () => ran.push('c'));
    timers.at(plusMs(now, -5), () => ran.push('a'));
  });
  timers.stop();
  process.off('warning', warned);
  t.strictSame(ran, ['a', 'b', 'c', 'last']);
  t.strictSame(warnings, [], 'no wait is longer than the machine can count');
});

t.test('a clock that is set back by an hour, and forth again, keeps nobody waiting', async (t) => {
  let offsetMs = 0;
  const timers = realTimers({ dateMs: () => Date.now() + offsetMs, counterNs: () => process.hrtime.bigint() });
  const in30 = (): Promise<Ns> => new Promise((resolve) => { timers.at(plusMs(timers.now(), 30), () => { resolve(timers.now()); }); });
  const start = timers.now();
  const before = in30();
  offsetMs = -3_600_000;
  t.ok((await before) < start, 'what waited comes in its time');
  await in30();
  const between = in30();
  offsetMs = 0;
  const late: string[] = [];
  timers.at(plusMs(timers.now(), 3_000_000), () => late.push('fifty minutes'));
  t.ok((await between) > start);
  await in30();
  t.strictSame(late, [], 'and nothing before');
  timers.stop();
});

t.test('at max a replayed clock jumps from item to item once all is settled', async () => {
  await fc.assert(fc.asyncProperty(asks, async (all) => {
    let settles = 0;
    const timers = replayedTimers({ start: START, speed: 'max', settle: () => (settles++, Promise.resolve()) });
    const { expected, ran, seen } = ask(timers, all);
    await settled();
    assert.deepEqual(ran, [], 'it stands until it begins');
    assert.equal(timers.now(), START);
    const last = await new Promise<Ns>((resolve) => {
      timers.at(plusMs(START, 1000), () => {
        resolve(timers.now());
      });
      timers.begin();
    });
    timers.stop();
    assert.equal(last, plusMs(START, 1000));
    assert.deepEqual(ran, expected);
    assert.equal(settles, expected.length + 1, 'settled before each');
    for (const [i, at] of seen.entries()) assert.ok(at >= (i === 0 ? START : seen[i - 1]!));
  }), { numRuns: 20 });
});

t.test('a hold stops a replayed clock at either speed', async (t) => {
  for (const speed of ['max', 1e6] as const) {
    const timers = replayedTimers({ start: START, speed, settle: settled });
    const ran: string[] = [];
    const release = timers.hold();
    const again = timers.hold();
    const done = new Promise<void>((resolve) => {
      timers.at(plusMs(START, 5), () => {
        ran.push('item');
        resolve();
      });
    });
    timers.begin();
    await new Promise((resolve) => setImmediate(resolve));
    release();
    release();
    await new Promise((resolve) => setImmediate(resolve));
    t.strictSame(ran, [], 'two holds need two releases');
    t.equal(timers.now(), START);
    again();
    await done;
    t.strictSame(ran, ['item']);
    timers.stop();
  }
});

t.test('at a speed no reader sees an instant past an item that has not run', async (t) => {
  let wallMs = 0;
  const wall: Clock = { now: () => plusMs(START, wallMs) };
  const timers = replayedTimers({ start: START, speed: 10, settle: settled, wall });
  timers.begin();
  wallMs = 1;
  t.equal(timers.now(), plusMs(START, 10), 'ten times the wall');
  const ran = new Promise<Ns>((resolve) => {
    timers.at(plusMs(START, 500), () => {
      resolve(timers.now());
    });
  });
  wallMs = 1000;
  t.equal(timers.now(), plusMs(START, 500), 'it waits for the item');
  t.equal(await ran, plusMs(START, 500), 'which runs at its own instant');
  t.equal(timers.now(), plusMs(START, 10_000), 'and then goes on');
  timers.stop();
});

t.test('with nothing due even max runs with the wall, so that quotes grow old; an item asked for then does not turn it back', async (t) => {
  let wallMs = 0;
  const timers = replayedTimers({ start: START, speed: 'max', settle: settled, wall: { now: () => plusMs(START, wallMs) } });
  timers.begin();
  wallMs = 250;
  t.equal(timers.now(), plusMs(START, 250));
  const seen = await new Promise<Ns>((resolve) => {
    timers.at(plusMs(START, 100), () => {
      resolve(timers.now());
    });
  });
  t.equal(seen, plusMs(START, 250));
  timers.stop();
});
