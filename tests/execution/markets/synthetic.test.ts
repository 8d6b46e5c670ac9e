import assert from 'node:assert/strict';
import t from 'tap';
import fc from 'fast-check';
import { formatDecimal, isMultiple, parseDecimal, toNumber } from '../../../risk/domain/decimal.ts';
import { NS_PER_DAY, NS_PER_SECOND, instant, plusMs } from '../../../risk/domain/time.ts';
import type { Ns } from '../../../risk/domain/time.ts';
import { syntheticMarket, syntheticPrints, syntheticQuote } from '../../../execution/markets/synthetic.ts';
import type { SyntheticInstrument } from '../../../execution/markets/synthetic.ts';
import { virtualTimers } from '../../../execution/timers/virtual.ts';
import type { MarketEvent } from '../../../execution/market.ts';

const START = instant('2026-11-20T14:30:00Z');

function instrument(symbol: string, px: string, tick: string, lot: string, advQty: number, sigmaAnnual: number, spreadBps: number): SyntheticInstrument {
  return { symbol, referencePx: parseDecimal(px), tickSize: parseDecimal(tick), lotSize: parseDecimal(lot), advQty, sigmaAnnual, spreadBps };
}
const SPY = instrument('SPY', '600', '0.01', '1', 80_000_000, 0.18, 0.3);
const BTC = instrument('BTC-USD', '95000', '0.01', '0.0001', 30_000, 0.6, 1);
const PENNY = instrument('S001', '0.03', '0.01', '100', 5_000, 3, 20);
const UNIVERSE = [SPY, BTC, PENNY];

const anyInstrument = fc.constantFrom(...UNIVERSE);
const anyTime = fc.bigInt({ min: 0n, max: 200n * 365n * NS_PER_DAY }).map((ns) => ns as Ns);
const anySeed = fc.string({ maxLength: 12 });

t.test('a quote is on the grid of ticks and lots, two-sided, uncrossed and fresh, at any time and seed', (t) => {
  fc.assert(fc.property(anySeed, anyInstrument, anyTime, (seed, one, at) => {
    const quote = syntheticQuote(seed, one, at);
    assert.ok(quote.bidPx > 0n && quote.bidPx < quote.askPx);
    assert.ok(isMultiple(quote.bidPx, one.tickSize) && isMultiple(quote.askPx, one.tickSize));
    assert.ok(quote.bidQty > 0n && isMultiple(quote.bidQty, one.lotSize) && quote.askQty > 0n && isMultiple(quote.askQty, one.lotSize));
    assert.ok(quote.at <= at && at - quote.at < 100_000_000n);
    assert.deepEqual(syntheticQuote(seed, one, at), quote, 'pure');
    assert.deepEqual(syntheticQuote(seed, one, quote.at), quote, 'constant within its 100 ms');
  }), { numRuns: 300 });
  t.end();
});

t.test('the quotes of one seed are these, on every machine', (t) => {
  const seen = UNIVERSE.map((one) => {
    const quote = syntheticQuote('42', one, START);
    return [one.symbol, ...[quote.bidPx, quote.bidQty, quote.askPx, quote.askQty].map(formatDecimal)].join(' ');
  });
  t.strictSame(seen, ['SPY 603.49 3751 603.51 4563', 'BTC-USD 94371.93 0.4114 94381.37 0.8734', 'S001 0.03 100 0.04 100']);
  t.notSame(syntheticQuote('43', BTC, START), syntheticQuote('42', BTC, START), 'another seed, another market');
  t.end();
});

const mid = (quote: { bidPx: bigint; askPx: bigint }): number => Number(quote.bidPx + quote.askPx) / 2e18;

t.test('the price moves by its volatility at every scale and stays about its reference', (t) => {
  const daily = 0.6 / Math.sqrt(365);
  for (const [seconds, samples] of [[10, 1500], [3600, 1500], [86_400, 1500]] as const) {
    let squares = 0;
    for (let i = 0; i < samples; i++) {
      const at = (START + BigInt(i) * 100_003n * NS_PER_SECOND) as Ns;
      const before = mid(syntheticQuote('a', BTC, at));
      const after = mid(syntheticQuote('a', BTC, (at + BigInt(seconds) * NS_PER_SECOND) as Ns));
      squares += Math.log(after / before) ** 2;
      assert.ok(after > 95_000 * 0.8 && after < 95_000 * 1.25);
    }
    const ratio = Math.sqrt(squares / samples) / (daily * Math.sqrt(seconds / 86_400));
    t.ok(ratio > 0.8 && ratio < 1.2, `${seconds} s: measured ÷ asked is within a fifth`);
  }
  t.end();
});

t.test('prints are at the bid or the ask in force and sum to the daily volume in the mean', (t) => {
  for (const one of [SPY, PENNY]) {
    const prints = syntheticPrints('7', one, START, (START + NS_PER_DAY) as Ns);
    const total = prints.reduce((sum, print) => sum + toNumber(print.qty), 0);
    t.ok(Math.abs(total / one.advQty - 1) < (one === SPY ? 0.03 : 0.5), `${one.symbol}: ${Math.round(total)} of ${one.advQty}`);
    for (const print of prints.slice(0, 200)) {
      const quote = syntheticQuote('7', one, print.at);
      assert.ok(print.px === quote.bidPx || print.px === quote.askPx);
      assert.ok(isMultiple(print.qty, one.lotSize) && print.qty > 0n);
    }
  }
  t.end();
});

t.test('prints of two spans are the prints of their sum', (t) => {
  const span = fc.bigInt({ min: 0n, max: 60n * NS_PER_SECOND });
  fc.assert(fc.property(span, span, (a, b) => {
    const [middle, end] = [(START + a) as Ns, (START + a + b) as Ns];
    assert.deepEqual([...syntheticPrints('7', SPY, START, middle), ...syntheticPrints('7', SPY, middle, end)], syntheticPrints('7', SPY, START, end));
  }), { numRuns: 30 });
  t.end();
});

/** The events of one run of the market, from `from` for `ms`. */
function run(from: Ns, ms: number, watch: readonly string[]): MarketEvent[] {
  const timers = virtualTimers(from);
  const market = syntheticMarket({ seed: '42', universe: UNIVERSE, timers });
  const events: MarketEvent[] = [];
  market.onEvent((event) => events.push(event));
  market.start();
  for (const symbol of watch) market.watch(symbol);
  timers.advanceTo(plusMs(from, ms));
  market.stop();
  t.equal(timers.nextDue(), null, 'stopped means stopped');
  return events;
}

t.test('two processes agree, a restart continues, and the order of watching changes nothing', (t) => {
  const whole = run(START, 60_000, ['SPY', 'BTC-USD', 'UNKNOWN']);
  t.ok(whole.length > 300);
  t.strictSame(run(START, 60_000, ['BTC-USD', 'SPY']), whole);
  const rest = run(plusMs(START, 30_000), 30_000, ['SPY', 'BTC-USD']);
  const prints = (events: readonly MarketEvent[]): MarketEvent[] => events.filter((event) => event.kind === 'print');
  const late = prints(whole).filter((event) => event.kind === 'print' && event.print.at > plusMs(START, 30_000));
  t.strictSame(prints(rest), late);
  let last = START;
  for (const event of whole) {
    const one = event.kind === 'quote' ? event.quote : event.print;
    assert.ok(one.at >= last && (one.symbol === 'SPY' || one.symbol === 'BTC-USD'));
    last = one.at;
  }
  t.end();
});

t.test('only watched symbols speak, watches are counted, unknown symbols have no quote', (t) => {
  const timers = virtualTimers(START);
  const market = syntheticMarket({ seed: '42', universe: UNIVERSE, timers });
  let events = 0;
  market.onEvent(() => events++);
  market.start();
  timers.advanceTo(plusMs(START, 5_000));
  t.equal(events, 0);
  t.strictSame(market.quote('SPY'), syntheticQuote('42', SPY, timers.now()));
  t.equal(market.quote('NOPE'), null);
  market.watch('SPY');
  market.watch('SPY');
  market.unwatch('SPY');
  timers.advanceTo(plusMs(START, 10_000));
  t.ok(events > 0);
  const before = events;
  market.unwatch('SPY');
  market.unwatch('SPY');
  timers.advanceTo(plusMs(START, 15_000));
  t.equal(events, before);
  market.watch('SPY');
  timers.advanceTo(plusMs(START, 20_000));
  t.ok(events > before, 'one unwatch too many does no harm');
  market.stop();
  t.end();
});
