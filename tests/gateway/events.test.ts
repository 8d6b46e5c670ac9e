import t from 'tap';
import type { StoredLine } from '../../compliance/journal.ts';
import { instant } from '../../risk/domain/time.ts';
import { EventHub } from '../../gateway/events.ts';
import type { EventSink, LogChannel, StreamEvent } from '../../gateway/ws/events.ts';
import { canonicalRecord, leafHash } from '../../compliance/canonical.ts';
import { memoryStore, type MemoryStore } from '../doubles/store.ts';

const OFFICER = { sub: 'olga', role: 'risk_officer', accounts: new Set<string>(), expiresAtMs: Infinity, person: 'x olga' } as const;
const ORDERS: ReadonlySet<LogChannel> = new Set(['orders']);

/** The next `count` records, stored. */
async function append(store: MemoryStore, count: number): Promise<readonly StoredLine[]> {
  const lines = Array.from({ length: count }, (_, i): StoredLine => {
    const seq = store.lines.length + i;
    const { canonical } = canonicalRecord(
      { actor: { id: 'PAPER', role: 'venue' }, at: '2026-11-20T09:30:00.000000000Z', cause: null, kind: 'order.acknowledged', log: 'L', prev: '0'.repeat(64), seq, v: 1 },
      '{"account":"ACC1"}',
    );
    return { seq, canonical, hash: leafHash(canonical), at: instant('2026-11-20T09:30:00Z'), subject: null, bytes: Buffer.byteLength(canonical) };
  });
  await store.append(lines);
  return lines;
}

/** The next `count` records, stored and published as one batch. */
async function grow(store: MemoryStore, hub: EventHub, count: number): Promise<void> {
  hub.publish(await append(store, count));
}

function listener(): { readonly sink: EventSink; readonly seen: number[]; readonly until: (count: number) => Promise<void> } {
  const seen: number[] = [];
  let wake = (): void => undefined;
  const sink: EventSink = {
    send({ seq }: StreamEvent) {
      seen.push(seq);
      wake();
    },
    drained: () => Promise.resolve(),
    closed: false,
  };
  return {
    sink, seen,
    async until(count) {
      while (seen.length < count) await new Promise<void>((resolve) => { wake = resolve; });
    },
  };
}

/** What follows from a close is microtasks: they are done when this turn comes. */
const settled = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

/** Whether what is published next would be kept for a listener. Nothing of the log may be in memory yet: then a new listener reads the store. */
async function keepsRecords(store: MemoryStore, hub: EventHub): Promise<boolean> {
  let reads = 0;
  const read = store.read.bind(store);
  store.read = (from, limit) => {
    reads += 1;
    return read(from, limit);
  };
  const { sink, until } = listener();
  const lines = await append(store, 1);
  // In one turn: a listener that is still there would be woken, and leave, at the next.
  hub.publish(lines);
  const probe = hub.subscribe(OFFICER, ORDERS, store.lines.length - 2, sink);
  const kept = reads === 0;
  await until(1);
  probe.close();
  return kept;
}

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

t.test('who comes late reads what was published while nobody listened, then what comes, each once', async (t) => {
  const store = memoryStore();
  const hub = new EventHub(store, 0, () => null, (error) => { t.fail(String(error)); });
  await grow(store, hub, 700);
  const { sink, seen, until } = listener();
  const subscription = hub.subscribe(OFFICER, ORDERS, -1, sink);
  await grow(store, hub, 3);
  await until(703);
  await grow(store, hub, 2);
  await until(705);
  t.same(seen, upTo(0, 705));
  subscription.close();
});

t.test('after the last listener has gone, the next one starts anew', async (t) => {
  const store = memoryStore();
  const hub = new EventHub(store, 0, () => null, (error) => { t.fail(String(error)); });
  const first = listener();
  const subscription = hub.subscribe(OFFICER, ORDERS, null, first.sink);
  await grow(store, hub, 2);
  await first.until(2);
  subscription.close();
  await grow(store, hub, 2);
  await grow(store, hub, 2);
  const second = listener();
  hub.subscribe(OFFICER, ORDERS, 0, second.sink);
  const third = listener();
  hub.subscribe(OFFICER, ORDERS, null, third.sink);
  await grow(store, hub, 1);
  await Promise.all([second.until(6), third.until(1)]);
  t.same(second.seen, upTo(1, 7));
  t.same(third.seen, [6]);
  t.same(first.seen, [0, 1]);
});

t.test('a page that was being read when its subscription closed is sent to nobody', async (t) => {
  const store = memoryStore();
  const hub = new EventHub(store, 0, () => null, (error) => { t.fail(String(error)); });
  await grow(store, hub, 3);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => { release = resolve; });
  const read = store.read.bind(store);
  store.read = async (from, limit) => {
    await held;
    return read(from, limit);
  };
  const { sink, seen } = listener();
  hub.subscribe(OFFICER, ORDERS, -1, sink).close();
  release();
  await settled();
  t.same(seen, []);
});

t.test('a sink that closes its subscription gets nothing more of the page', async (t) => {
  const store = memoryStore();
  const hub = new EventHub(store, 0, () => null, (error) => { t.fail(String(error)); });
  await grow(store, hub, 3);
  const { sink, seen, until } = listener();
  const subscription = hub.subscribe(OFFICER, ORDERS, -1, {
    ...sink,
    send(event) {
      sink.send(event);
      subscription.close();
    },
  });
  await until(1);
  await settled();
  t.same(seen, [0]);
});

t.test('a close ends its listener in a log that does not grow', async (t) => {
  const store = memoryStore();
  const hub = new EventHub(store, 0, () => null, (error) => { t.fail(String(error)); });
  const { sink } = listener();
  const subscription = hub.subscribe(OFFICER, ORDERS, null, sink);
  await settled();
  subscription.close();
  await settled();
  t.notOk(await keepsRecords(store, hub), 'nobody listens any more');
});

t.test('a listener that fails is told of and ended', async (t) => {
  const store = memoryStore();
  const failures: unknown[] = [];
  const hub = new EventHub(store, 0, () => null, (error) => { failures.push(error); });
  const { sink } = listener();
  hub.subscribe(OFFICER, ORDERS, null, { ...sink, send: () => { throw new Error('a defect of the sink'); } });
  await grow(store, hub, 1);
  await settled();
  t.match(failures, [/a defect of the sink/]);
  t.notOk(await keepsRecords(store, hub), 'nobody listens any more');
});
