import type { Ns } from '../../risk/domain/time.ts';
import { Heap } from '../heap.ts';
import type { Slotted } from '../heap.ts';
import type { MarketEvent } from '../market.ts';
import { instantOf } from './readers.ts';

const BATCH = 1024;

/** Where the merge stands in one stream. */
interface Head extends Slotted {
  readonly order: number;
  readonly stream: AsyncGenerator<MarketEvent[], void>;
  events: MarketEvent[];
  index: number;
  at: Ns;
}

/** Moves to the next event of the stream; false at its end. A promise only where the stream must be read. */
function step(head: Head): boolean | Promise<boolean> {
  const event = head.events[++head.index];
  if (event === undefined) return refill(head);
  head.at = instantOf(event);
  return true;
}

async function refill(head: Head): Promise<boolean> {
  const next = await head.stream.next();
  if (next.done === true) return false;
  head.events = next.value;
  head.index = -1;
  return step(head);
}

/**
 * Merges streams that are each in order of time into one; equal instants keep the order of the streams, and within a stream its own.
 * It reads ahead by one list a stream, and only when asked.
 */
export async function* mergeByTime(streams: readonly AsyncGenerator<MarketEvent[], void>[]): AsyncGenerator<MarketEvent[], void> {
  const heads = new Heap<Head>((a, b) => (a.at === b.at ? a.order < b.order : a.at < b.at));
  try {
    for (const [order, stream] of streams.entries()) {
      const head: Head = { order, stream, events: [], index: -1, at: 0n as Ns, slot: -1 };
      if (await refill(head)) heads.push(head);
    }
    let out: MarketEvent[] = [];
    for (let head = heads.peek(); head !== undefined; head = heads.peek()) {
      const event = head.events[head.index];
      if (event !== undefined) out.push(event);
      const moved = step(head);
      if (typeof moved === 'boolean' ? moved : await moved) heads.settleTop();
      else heads.remove(head);
      if (out.length < BATCH) continue;
      yield out;
      out = [];
    }
    if (out.length > 0) yield out;
  } finally {
    for (const stream of streams) await stream.return();
  }
}
