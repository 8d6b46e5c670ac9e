import t from 'tap';
import type { StoredLine } from '../../compliance/journal.ts';
import { instant } from '../../risk/domain/time.ts';
import { EventHub } from '../../gateway/events.ts';
import type { EventSink, LogChannel, StreamEvent } from '../../gateway/ws/events.ts';
import { canonicalRecord, leafHash } from '../../compliance/canonical.ts';
import { memoryStore, type MemoryStore } from '../doubles/store.ts';

const OFFICER = { sub: 'olga', role: 'risk_officer', accounts: new Set<string>(), expiresAtMs: Infinity, person: 'x olga' } as const;
const ORDERS: ReadonlySet<LogChannel> = new Set(['orders']);

/** The next `count` records, stored and published as one batch. */
async function grow(store: MemoryStore, hub: EventHub, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, i): StoredLine => {
    const seq = store.lines.length + i;
    const canonical = canonicalRecord(
      { actor: { id: 'PAPER', role: 'venue' }, at: '2026-11-20T09:30:00.000000000Z', cause: null, kind: 'order.acknowledged', log: 'L', prev: '0'.repeat(64), seq, v: 1 },
      '{"account":"ACC1"}',
    );
    return { seq, canonical, hash: leafHash(canonical), at: instant('2026-11-20T09:30:00Z'), subject: null };
  });
  await store.append(lines);
  hub.publish(lines);
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
