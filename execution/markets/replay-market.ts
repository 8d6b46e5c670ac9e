import type { Ns } from '../../risk/domain/time.ts';
import type { Market, MarketEvent, Quote } from '../market.ts';
import type { Timer, Timers } from '../time.ts';
import { instantOf, noCounts } from './readers.ts';
import type { ReplayCounts } from './readers.ts';
import type { ReplaySource } from './replay.ts';

/** Events read ahead by one list, so that time seldom waits for the disk. */
interface Feed {
  /** The next event; 'pending' while it is being read; 'ended' after the last, or after a failure. */
  peek(): MarketEvent | 'pending' | 'ended';
  take(): void;
  /** Resolves when `peek` has more to say than 'pending'; never rejects. */
  ready(): Promise<void>;
  failure(): unknown;
  close(): Promise<void>;
}

function feedOf(batches: AsyncGenerator<MarketEvent[], void>): Feed {
  let current: readonly MarketEvent[] = [];
  let index = 0;
  let next: readonly MarketEvent[] | 'pending' | 'ended' = 'pending';
  let failure: unknown = null;
  let reading = read();

  async function read(): Promise<void> {
    try {
      const result = await batches.next();
      next = result.done === true ? 'ended' : result.value;
    } catch (error) {
      failure = error;
      next = 'ended';
    }
  }

  return {
    peek() {
      const event = current[index];
      if (event !== undefined) return event;
      if (typeof next === 'string') return next;
      current = next;
      index = 0;
      next = 'pending';
      reading = read();
      return current[0] ?? 'ended';
    },
    take() {
      index++;
    },
    ready: () => reading,
    failure: () => failure,
    async close() {
      await reading;
      await batches.return();
    },
  };
}

export interface ReplayMarket extends Market {
  readonly counts: Readonly<ReplayCounts>;
  /** The instant of the last event, once the data has ended; from then on quotes grow stale. */
  end(): Ns | null;
}

export interface ReplayMarketOptions {
  readonly source: ReplaySource;
  /** The clock must be able to wait for the reader: `replayedTimers`. */
  readonly timers: Timers & { hold(): () => void };
  /** The data cannot be read on (a MarketFileError): it ends here. */
  readonly failed: (error: unknown) => void;
}

/**
 * A market of recorded data, read up to the present of `timers`: what happened before is state, not news, so that a restart at a
 * later instant goes on from there. Rejects with MarketFileError when the data before the present cannot be read.
 */
export async function replayMarket({ source, timers, failed }: ReplayMarketOptions): Promise<ReplayMarket> {
  const counts = noCounts();
  const feed = feedOf(source.read(counts));
  const quotes = new Map<string, Quote>();
  const watching = new Map<string, number>();
  const listeners: ((event: MarketEvent) => void)[] = [];
  let last: Ns | null = null;
  let state: 'new' | 'running' | 'ended' | 'stopped' = 'new';
  let timer: Timer | null = null;
  let release = (): void => undefined;

  /** The next event if it is due by now, taken; else why there is none. */
  function takeDue(): MarketEvent | 'pending' | 'later' | 'ended' {
    const next = feed.peek();
    if (typeof next === 'string') return next;
    if (instantOf(next) > timers.now()) return 'later';
    feed.take();
    counts.delivered++;
    last = instantOf(next);
    if (next.kind === 'quote') quotes.set(next.quote.symbol, next.quote);
    return next;
  }

  async function readToPresent(): Promise<void> {
    for (let taken = takeDue(); taken !== 'later' && taken !== 'ended'; taken = takeDue()) if (taken === 'pending') await feed.ready();
    if (feed.failure() !== null) throw feed.failure() as Error;
  }

  function deliver(): void {
    for (let event = takeDue(); typeof event !== 'string'; event = takeDue()) {
      const symbol = event.kind === 'quote' ? event.quote.symbol : event.print.symbol;
      if (watching.has(symbol)) for (const listener of listeners) listener(event);
    }
    goOn();
  }

  /** Asks for a turn at the next event's instant; while that is unknown, time stands. */
  function goOn(): void {
    if (state !== 'running') return;
    const next = feed.peek();
    if (next === 'pending') {
      const read = timers.hold();
      release = read;
      void feed.ready().then(() => {
        goOn();
        read();
      });
    } else if (next === 'ended') {
      state = 'ended';
      if (feed.failure() !== null) failed(feed.failure());
    } else {
      timer = timers.at(instantOf(next), deliver);
    }
  }

  function watch(symbol: string, change: 1 | -1): void {
    const count = (watching.get(symbol) ?? 0) + change;
    if (count > 0) watching.set(symbol, count);
    else watching.delete(symbol);
  }

  await readToPresent();
  return {
    source: `replay-1:${source.format}`,
    counts,
    end: () => (state === 'ended' ? last : null),
    quote: (symbol) => quotes.get(symbol) ?? null,
    watch(symbol) {
      watch(symbol, 1);
    },
    unwatch(symbol) {
      watch(symbol, -1);
    },
    onEvent(listener) {
      listeners.push(listener);
    },
    start() {
      if (state !== 'new') return;
      state = 'running';
      goOn();
    },
    stop() {
      state = 'stopped';
      timer?.cancel();
      release();
      void feed.close();
    },
  };
}
