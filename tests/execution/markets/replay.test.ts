import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { ONE, toNumber } from '../../../risk/domain/decimal.ts';
import { formatInstant, instant, plusMs } from '../../../risk/domain/time.ts';
import type { Ns } from '../../../risk/domain/time.ts';
import type { MarketEvent, Quote } from '../../../execution/market.ts';
import { instantOf, noCounts } from '../../../execution/markets/readers.ts';
import type { ReplayCounts } from '../../../execution/markets/readers.ts';
import { openReplay } from '../../../execution/markets/replay.ts';
import type { ReplaySource } from '../../../execution/markets/replay.ts';
import { replayMarket } from '../../../execution/markets/replay-market.ts';
import type { ReplayMarket } from '../../../execution/markets/replay-market.ts';
import { replayedTimers } from '../../../execution/timers/replayed.ts';
import type { ReplayedTimers } from '../../../execution/timers/replayed.ts';
import { needsShared, shared } from '../../shared.ts';
import { zipOf } from '../../doubles/zip.ts';

const TICKS = 'realdata/equity-ticks';
const settle = (): Promise<void> => Promise.resolve();

/** Lines of each file as the data's README counts them: ends of lines, one fewer than rows. */
function countedLines(): Map<string, number> {
  const table = readFileSync(shared(`${TICKS}/README.md`), 'utf8').matchAll(/^\| (\S+\.zip) \| [\d,]+ \| ([\d,]+) lines/gm);
  return new Map([...table].map(([, name = '', lines = '']) => [name, Number(lines.replaceAll(',', ''))]));
}

interface Spread {
  quotes: number;
  crossed: number;
  locked: number;
}

/** Reads all of a source, asserting what holds of each event. */
async function survey(source: ReplaySource, bounds: Record<string, [number, number]>): Promise<{ counts: ReplayCounts; spreads: Map<string, Spread> }> {
  const counts = noCounts();
  const spreads = new Map<string, Spread>(source.symbols.map((symbol) => [symbol, { quotes: 0, crossed: 0, locked: 0 }]));
  let last = 0n;
  for await (const batch of source.read(counts)) {
    assert.ok(batch.length > 0 && batch.length <= 1024);
    counts.delivered += batch.length;
    for (const event of batch) {
      const at = instantOf(event);
      assert.ok(at >= last, 'time never goes back');
      last = at;
      if (event.kind === 'quote') tally(spreads.get(event.quote.symbol)!, event.quote);
      else {
        const [low, high] = bounds[event.print.symbol]!;
        const px = toNumber(event.print.px);
        assert.ok(px > low && px < high && event.print.qty > 0n, 'a plausible price');
      }
    }
  }
  return { counts, spreads };
}

function tally(spread: Spread, quote: Quote): void {
  if (quote.bidQty === 0n || quote.askQty === 0n) return;
  spread.quotes++;
  if (quote.bidPx > quote.askPx) spread.crossed++;
  if (quote.bidPx === quote.askPx) spread.locked++;
}

const BOUNDS: Record<string, [number, number]> = { BAC: [13, 15], IBM: [175, 190], AIG: [46, 51], SPY: [163, 170] };

t.test('the recorded ticks: every row counted, in order, plausible, mostly uncrossed, and never many in memory', needsShared(TICKS), async (t) => {
  const source = await openReplay(shared(`${TICKS}/tick`));
  t.strictSame([source.format, ...source.symbols], ['lean-tick', 'BAC', 'IBM']);
  t.equal(formatInstant(source.first), '2013-10-07T08:00:00.554000000Z', 'when both names have both sides');
  const { counts, spreads } = await survey(source, BOUNDS);
  const lines = [...countedLines()].filter(([name]) => name.startsWith('tick/'));
  t.equal(counts.rows, lines.reduce((sum, [, count]) => sum + count + 1, 0));
  t.equal(counts.rows, counts.events + counts.skipped.suspicious + counts.skipped.offMarket + counts.skipped.empty);
  t.strictSame(counts.skipped, { suspicious: 2, offMarket: 1071, empty: 0 });
  t.ok(counts.highWater < 10_000, `${counts.highWater} of ${counts.events} events at once`);
  for (const [symbol, { quotes, crossed, locked }] of spreads) {
    t.ok(crossed / quotes < 0.001 && locked / quotes < 0.05, `${symbol}: ${crossed} crossed, ${locked} locked of ${quotes}`);
  }
});

t.test('the recorded seconds and minutes: each file has the rows its README counts', needsShared(TICKS), async (t) => {
  const seconds = await openReplay(shared(`${TICKS}/second`));
  t.equal(formatInstant(seconds.first), '2013-10-07T08:00:01.000000000Z', 'the first bar is known at its end');
  const { counts } = await survey(seconds, BOUNDS);
  const lines = countedLines();
  t.equal(counts.rows, [...lines].filter(([name]) => name.startsWith('second/')).reduce((sum, [, count]) => sum + count + 1, 0));
  for (const [name, count] of lines) {
    if (!/^(?:second|minute)\/.*quote/.test(name)) continue;
    const one = noCounts();
    const source = await openReplay(shared(`${TICKS}/${name}`));
    for await (const batch of source.read(one)) one.delivered += batch.length;
    t.equal(one.rows, count + 1, name);
    t.equal(one.delivered, one.rows, 'bars have no suspicious ticks in them');
  }
});

t.test('a folder of all resolutions takes the finest of each symbol and day', needsShared(TICKS), async (t) => {
  const source = await openReplay(shared(TICKS));
  t.strictSame([source.format, ...source.symbols], ['lean-minute+lean-second+lean-tick', 'AAPL', 'AIG', 'BAC', 'IBM', 'SPY']);
  t.equal(formatInstant(source.first), '2013-10-04T08:01:00.000000000Z');
});

const quotesFile = (...rows: string[]): Buffer => zipOf([{ name: '20131007_bac_Quote_Tick.csv', text: rows.join('\n') }]);

/** Puts BAC's ticks into a folder and opens it. */
async function sourceOf(folder: string, quotes: readonly string[], trades: readonly string[]): Promise<ReplaySource> {
  writeFileSync(join(folder, 'bac_20131007_quote.zip'), quotesFile(...quotes));
  if (trades.length > 0) writeFileSync(join(folder, 'bac_20131007_trade.zip'), zipOf([{ name: '20131007_bac_Trade_Tick.csv', text: trades.join('\n') }]));
  return openReplay(folder);
}

interface Run {
  readonly market: ReplayMarket;
  readonly timers: ReplayedTimers;
  readonly told: string[];
  readonly errors: unknown[];
}

const seconds = (at: Ns): string => formatInstant(at).slice(17, -1).replace(/0{6}$/, '');
function words(event: MarketEvent): string {
  if (event.kind === 'quote') return `${seconds(event.quote.at)} ${toNumber(event.quote.bidPx)}/${toNumber(event.quote.askPx)}`;
  return `${seconds(event.print.at)} ${toNumber(event.print.qty)}@${toNumber(event.print.px)}`;
}

async function started(source: ReplaySource, start: Ns, watch: readonly string[] = ['BAC']): Promise<Run> {
  const timers = replayedTimers({ start, speed: 'max', settle });
  const errors: unknown[] = [];
  const market = await replayMarket({ source, timers, failed: (error) => errors.push(error) });
  const told: string[] = [];
  market.onEvent((event) => {
    assert.equal(instantOf(event), timers.now(), 'told at its instant');
    told.push(words(event));
  });
  for (const symbol of watch) market.watch(symbol);
  market.start();
  return { market, timers, told, errors };
}

/** Lets time run until `at`. */
async function runTo({ timers }: Run, at: Ns): Promise<void> {
  const reached = new Promise<void>((resolve) => void timers.at(at, resolve));
  timers.begin();
  await reached;
}

const QUOTES = [
  '14400000,138400,700,0,0,P,1,0', '14401000,0,0,139500,500,P,1,0', '14402000,138500,700,0,0,P,1,0', '14403000,0,0,138900,500,P,1,0',
  '14403000,138600,700,0,0,P,1,0',
];
const TRADES = ['14400500,138900,10,P,1,0', '14402000,138400,20,P,1,0', '14402500,138400,30,P,1,0'];

t.test('events come at their instants, the past is state, ties keep prints before quotes and files in order', async (t) => {
  const source = await sourceOf(t.testdir(), QUOTES, TRADES);
  t.equal(formatInstant(source.first), '2013-10-07T08:00:01.000000000Z');
  const run = await started(source, source.first);
  t.match(run.market.quote('BAC'), { bidPx: 13_840_000_000_000_000_000n, askPx: 13_950_000_000_000_000_000n }, 'both sides stand at the first instant');
  t.equal(run.market.quote('IBM'), null);
  t.equal(run.market.end(), null);
  await runTo(run, instant('2013-10-07T08:00:10Z'));
  t.strictSame(run.told, ['02.000 20@13.84', '02.000 13.85/13.95', '02.500 30@13.84', '03.000 13.85/13.89', '03.000 13.86/13.89']);
  t.equal(run.market.end(), instant('2013-10-07T08:00:03Z'));
  t.equal(run.market.quote('BAC')?.at, run.market.end(), 'it grows old by itself');
  t.strictSame(run.errors, []);
  t.equal(run.market.source, 'replay-1:lean-tick');
  run.market.stop();
  run.timers.stop();
});

t.test('a restart at a later instant goes on from there; only the watched are told', async (t) => {
  const source = await sourceOf(t.testdir(), QUOTES, TRADES);
  const run = await started(source, instant('2013-10-07T08:00:02.1Z'));
  t.equal(run.market.quote('BAC')?.at, instant('2013-10-07T08:00:02Z'));
  await runTo(run, instant('2013-10-07T08:00:02.6Z'));
  run.market.watch('BAC');
  run.market.unwatch('BAC');
  t.strictSame(run.told, ['02.500 30@13.84']);
  run.market.unwatch('BAC');
  await runTo(run, instant('2013-10-07T08:00:10Z'));
  t.equal(run.told.length, 1);
  t.equal(run.market.quote('BAC')?.at, instant('2013-10-07T08:00:03Z'), 'but the quote is known');
  run.market.stop();
  run.timers.stop();
});

t.test('a row that goes bad on the way ends the data there, and says so once', async (t) => {
  const rows = Array.from({ length: 30_000 }, (_, i) => `${14_400_000 + i},138400,700,139500,500,P,1,0`);
  const source = await sourceOf(t.testdir(), [...rows, 'garbage'], []);
  const run = await started(source, source.first);
  await runTo(run, instant('2013-10-07T08:01:00Z'));
  t.match(run.errors, [{ code: 'BAD_ROW', line: 30_001, file: 'bac_20131007_quote.zip' }]);
  const end = run.market.end();
  t.ok(end !== null && end < instant('2013-10-07T08:00:30Z') && end > instant('2013-10-07T08:00:25Z'));
  run.market.stop();
  run.timers.stop();
  await t.rejects(started(source, instant('2013-10-07T09:00:00Z')), { code: 'BAD_ROW' }, 'where the past itself cannot be read there is no market');
});

t.test('while the reader is behind, time waits for it', async (t) => {
  const start = instant('2013-10-07T08:00:00Z');
  const print = (ms: number): MarketEvent => ({ kind: 'print', print: { symbol: 'BAC', px: ONE, qty: ONE, at: plusMs(start, ms) } });
  let arrive = (): void => undefined;
  const disk = new Promise<void>((resolve) => (arrive = resolve));
  async function* read(): AsyncGenerator<MarketEvent[], void> {
    yield [print(1_000)];
    await disk;
    yield [print(2_000)];
  }
  const run = await started({ format: 'test', symbols: ['BAC'], first: start, read }, start);
  const late = runTo(run, plusMs(start, 3_000)).then(() => run.told.push('late'));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(run.told, ['01.000 1@1'], 'what is asked for after the unread does not run before it');
  t.equal(run.timers.now(), plusMs(start, 1_000));
  arrive();
  await late;
  t.strictSame(run.told, ['01.000 1@1', '02.000 1@1', 'late']);
  run.market.stop();
  run.timers.stop();
});

t.test('stopped in the middle, nothing more is told and the files are closed', async (t) => {
  const rows = Array.from({ length: 30_000 }, (_, i) => `${14_400_000 + i},138400,700,139500,500,P,1,0`);
  const source = await sourceOf(t.testdir(), rows, []);
  const run = await started(source, source.first);
  await runTo(run, plusMs(source.first, 100));
  run.market.stop();
  const before = run.told.length;
  await runTo(run, plusMs(source.first, 20_000));
  t.equal(run.told.length, before);
  t.ok(before >= 99 && before <= 100);
  run.timers.stop();
});

t.test('the LOBSTER excerpt: the quotes told are the rows of its book, the prints its executions', needsShared('realdata/lobster'), async (t) => {
  const source = await openReplay(shared('realdata/lobster'));
  t.strictSame([source.format, ...source.symbols, formatInstant(source.first)], ['lobster', 'AAPL', '2012-06-21T13:30:00.004241176Z']);
  const rows = (kind: string): string[][] =>
    gunzipSync(readFileSync(shared(`realdata/lobster/excerpt_AAPL_${kind}_10.csv.gz`))).toString().trim().split('\n').map((line) => line.split(','));
  const timers = replayedTimers({ start: plusMs(source.first, -1), speed: 'max', settle });
  const market = await replayMarket({ source, timers, failed: (error) => t.fail(String(error)) });
  t.equal(market.quote('AAPL'), null, 'before the first row there is none');
  const quotes: string[] = [];
  let printed = 0;
  market.onEvent((event) => {
    if (event.kind === 'print') printed += toNumber(event.print.qty);
    else {
      const { askPx, askQty, bidPx, bidQty } = event.quote;
      quotes.push([askPx / 10n ** 14n, askQty / 10n ** 18n, bidPx / 10n ** 14n, bidQty / 10n ** 18n].join(','));
    }
  });
  market.watch('AAPL');
  market.start();
  await runTo({ market, timers, told: [], errors: [] }, instant('2012-06-21T13:31:00Z'));
  t.strictSame(quotes, rows('orderbook').map((row) => row.slice(0, 4).join(',')));
  const executed = rows('message').filter(([, type]) => type === '4' || type === '5').reduce((sum, [, , , size]) => sum + Number(size), 0);
  t.equal(Math.round(printed), executed);
  market.stop();
  timers.stop();
});
