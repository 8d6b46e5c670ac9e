import { toNumber } from '../../risk/domain/decimal.ts';
import type { Decimal } from '../../risk/domain/decimal.ts';
import type { Instrument } from '../../risk/domain/instrument.ts';
import type { Ns } from '../../risk/domain/time.ts';
import type { Market, MarketEvent, Print, Quote } from '../market.ts';
import type { Timer, Timers } from '../time.ts';
import { boundedWalk, draw, keyOf } from './noise.ts';

/** What the synthetic market needs to know of an instrument. */
export type SyntheticInstrument = Pick<Instrument, 'symbol' | 'referencePx' | 'sigmaAnnual' | 'spreadBps' | 'advQty' | 'tickSize' | 'lotSize'>;

/** The grid: nothing changes within a bucket. */
const BUCKET_NS = 100_000_000n;
const BUCKETS_PER_SECOND = 10;
const BUCKETS_PER_DAY = 86_400 * BUCKETS_PER_SECOND;
/** A day's volume comes in about this many prints, where the lot allows it. */
const PRINTS_PER_DAY = 50_000;
/** What is shown at the best price, as a share of a day's volume, before the draw scales it by 0.25 to 1.75. */
const SHOWN_SHARE_OF_ADV = 1 / 20_000;
/** Displayed sizes live this long. */
const SIZE_BUCKETS = 5;
/** A house that slept longer than this many buckets has missed what was between: it does not relive it. */
const CATCH_UP_BUCKETS = 600;
/** Keeps the price within a factor of seven of the reference whatever the volatility. */
const LOG_MOVE_MAX = 1.5;
/** Streams of draws beside the walk's octaves. */
const STREAM = { bidSize: 100, askSize: 101, printHappens: 102, printSide: 103, printSize: 104 } as const;

/** An instrument with what is drawn for it computed once. */
interface Source {
  readonly instrument: SyntheticInstrument;
  readonly key: number;
  readonly referenceTicks: number;
  readonly shownLots: number;
  readonly printLots: number;
  readonly printProbability: number;
}

function sourceOf(seed: string, instrument: SyntheticInstrument): Source {
  const advLots = instrument.advQty / toNumber(instrument.lotSize);
  const printLots = Math.max(1, Math.round(advLots / PRINTS_PER_DAY));
  return {
    instrument,
    key: keyOf(`${seed}:${instrument.symbol}`),
    referenceTicks: toNumber(instrument.referencePx) / toNumber(instrument.tickSize),
    shownLots: advLots * SHOWN_SHARE_OF_ADV,
    printLots,
    printProbability: Math.min(1, advLots / printLots / BUCKETS_PER_DAY),
  };
}

const bucketOf = (at: Ns): number => Number(at / BUCKET_NS);
const startOf = (bucket: number): Ns => (BigInt(bucket) * BUCKET_NS) as Ns;
const times = (count: number, unit: Decimal): Decimal => (BigInt(count) * unit) as Decimal;

function quoteAt(source: Source, bucket: number): Quote {
  const { instrument, key } = source;
  const walk = instrument.sigmaAnnual * boundedWalk(key, bucket / BUCKETS_PER_SECOND);
  const half = Math.min(Math.max(walk, -LOG_MOVE_MAX), LOG_MOVE_MAX) / 2;
  // (1 + x/2) ÷ (1 − x/2) stands for eˣ: as symmetric, and exact on every machine.
  const midTicks = (source.referenceTicks * (1 + half)) / (1 - half);
  const spreadTicks = Math.max(1, Math.round((instrument.spreadBps / 10_000) * midTicks));
  const bidTicks = Math.max(1, Math.round(midTicks - spreadTicks / 2));
  const epoch = Math.floor(bucket / SIZE_BUCKETS);
  const shown = (stream: number): Decimal => times(Math.max(1, Math.round(source.shownLots * (0.25 + 1.5 * draw(key, stream, epoch)))), instrument.lotSize);
  return {
    symbol: instrument.symbol,
    bidPx: times(bidTicks, instrument.tickSize),
    bidQty: shown(STREAM.bidSize),
    askPx: times(bidTicks + spreadTicks, instrument.tickSize),
    askQty: shown(STREAM.askSize),
    at: startOf(bucket),
  };
}

/** The print of a bucket, at the price of the bucket's quote; null in most. The size is 1 to 2n − 1 lots, n in the mean. */
function printAt(source: Source, bucket: number, quote: Quote): Print | null {
  const { key, instrument } = source;
  if (draw(key, STREAM.printHappens, bucket) >= source.printProbability) return null;
  const lots = 1 + Math.floor(draw(key, STREAM.printSize, bucket) * (2 * source.printLots - 1));
  const px = draw(key, STREAM.printSide, bucket) < 0.5 ? quote.bidPx : quote.askPx;
  return { symbol: instrument.symbol, px, qty: times(lots, instrument.lotSize), at: quote.at };
}

/** The quote in force at `at`: a function of its arguments alone. Its own `at` is the start of its 100 ms. */
export function syntheticQuote(seed: string, instrument: SyntheticInstrument, at: Ns): Quote {
  return quoteAt(sourceOf(seed, instrument), bucketOf(at));
}

/** The prints after `fromExclusive` up to and including `to`; a day of them sums to the average daily volume in the mean. */
export function syntheticPrints(seed: string, instrument: SyntheticInstrument, fromExclusive: Ns, to: Ns): Print[] {
  const source = sourceOf(seed, instrument);
  const prints: Print[] = [];
  for (let bucket = bucketOf(fromExclusive) + 1; bucket <= bucketOf(to); bucket++) {
    const print = printAt(source, bucket, quoteAt(source, bucket));
    if (print !== null) prints.push(print);
  }
  return prints;
}

const sameTerms = (a: Quote, b: Quote): boolean => a.bidPx === b.bidPx && a.askPx === b.askPx && a.bidQty === b.bidQty && a.askQty === b.askQty;

/** A symbol of the market: its last quote, and how many watch it. */
interface Line {
  readonly source: Source;
  readonly position: number;
  bucket: number;
  quote: Quote | null;
  told: Quote | null;
  watchers: number;
}

function quoteOf(line: Line, bucket: number): Quote {
  if (line.quote === null || line.bucket !== bucket) {
    line.quote = quoteAt(line.source, bucket);
    line.bucket = bucket;
  }
  return line.quote;
}

export interface SyntheticMarketOptions {
  readonly seed: string;
  readonly universe: readonly SyntheticInstrument[];
  readonly timers: Timers;
}

/**
 * Always open, every quote fresh; a restart continues it, and two processes with one seed agree. Symbols outside the universe have
 * no quote and no events. In each bucket the symbols speak in the order of the universe, the quote before the print.
 */
export function syntheticMarket({ seed, universe, timers }: SyntheticMarketOptions): Market {
  const lines = new Map<string, Line>();
  for (const [position, instrument] of universe.entries()) {
    lines.set(instrument.symbol, { source: sourceOf(seed, instrument), position, bucket: -1, quote: null, told: null, watchers: 0 });
  }
  const listeners: ((event: MarketEvent) => void)[] = [];
  let watched: readonly Line[] = [];
  let done = 0;
  let timer: Timer | null = null;

  const tell = (event: MarketEvent): void => {
    for (const listener of listeners) listener(event);
  };

  function tellBucket(bucket: number): void {
    for (const line of watched) {
      const quote = quoteOf(line, bucket);
      if (line.told === null || !sameTerms(line.told, quote)) tell({ kind: 'quote', quote });
      line.told = quote;
      const print = printAt(line.source, bucket, quote);
      if (print !== null) tell({ kind: 'print', print });
    }
  }

  function tick(): void {
    const present = bucketOf(timers.now());
    for (let bucket = Math.max(done + 1, present - CATCH_UP_BUCKETS); bucket <= present; bucket++) tellBucket(bucket);
    done = present;
    schedule();
  }

  function schedule(): void {
    timer = timers.at(startOf(done + 1), tick);
  }

  function count(symbol: string, change: 1 | -1): void {
    const line = lines.get(symbol);
    if (line === undefined || line.watchers + change < 0) return;
    line.watchers += change;
    if (line.watchers > 0 === watched.includes(line)) return;
    line.told = null;
    watched = (line.watchers > 0 ? [...watched, line] : watched.filter((other) => other !== line)).sort((a, b) => a.position - b.position);
  }

  return {
    source: `synthetic-1:${seed}`,
    quote(symbol) {
      const line = lines.get(symbol);
      return line === undefined ? null : quoteOf(line, bucketOf(timers.now()));
    },
    watch(symbol) {
      count(symbol, 1);
    },
    unwatch(symbol) {
      count(symbol, -1);
    },
    onEvent(listener) {
      listeners.push(listener);
    },
    start() {
      if (timer !== null) return;
      done = bucketOf(timers.now());
      schedule();
    },
    stop() {
      timer?.cancel();
      timer = null;
    },
  };
}
