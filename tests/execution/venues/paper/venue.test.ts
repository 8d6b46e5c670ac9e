import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import type { Market, MarketEvent, Quote } from '../../../../execution/market.ts';
import { syntheticMarket } from '../../../../execution/markets/synthetic.ts';
import { virtualTimers, type VirtualTimers } from '../../../../execution/timers/virtual.ts';
import type { VenueListener } from '../../../../execution/venue.ts';
import { encodeReport } from '../../../../execution/venues/paper/codec.ts';
import { paperVenue, type PaperVenueOptions } from '../../../../execution/venues/paper/venue.ts';
import type { Ns } from '../../../../risk/domain/time.ts';
import { at, CONFIG, d, INSTRUMENTS, line, market as marketOrder, order, print, quote } from './fixture.ts';
import { approved, Heard, receipt } from './process-fixture.ts';

/** A market that shows what it is told, and counts who watches. */
class Scripted implements Market {
  readonly source = 'scripted-1';
  readonly watched: string[] = [];
  #quote: Quote | null = null;
  #listener: (event: MarketEvent) => void = () => undefined;

  quote(symbol: string): Quote | null { return symbol === this.#quote?.symbol ? this.#quote : null; }
  watch(symbol: string): void { this.watched.push(`+${symbol}`); }
  unwatch(symbol: string): void { this.watched.push(`-${symbol}`); }
  onEvent(listener: (event: MarketEvent) => void): void { this.#listener = listener; }
  start(): void { this.watched.length = 0; }
  stop(): void { this.watched.length = 0; }
  show(shown: Quote): void {
    this.#quote = shown;
    this.#listener({ kind: 'quote', quote: shown });
  }
  trade(...args: Parameters<typeof print>): void { this.#listener({ kind: 'print', print: print(...args) }); }
}

function setUp(changes: Partial<PaperVenueOptions> = {}): { market: Scripted; timers: VirtualTimers; heard: Heard; venue: ReturnType<typeof paperVenue> } {
  const market = new Scripted();
  const timers = virtualTimers(at(0));
  market.show(quote(0, '9.99', '300', '10.01', '200'));
  return { market, timers, heard: new Heard(), venue: paperVenue({ id: 'PAPER', config: CONFIG, market, timers, instruments: INSTRUMENTS, ...changes }) };
}

t.test('without latency an order acts at the same instant, after the caller has returned', async (t) => {
  const { timers, heard, venue } = setUp();
  await venue.start(heard, 0);
  venue.send(approved(marketOrder('A')), receipt(1));
  t.same(heard.reports, []);
  timers.advanceTo(at(0));
  t.same(heard.reports.map(line), ['A acknowledged', 'A filled 100@10.01 cum 100 leaves 0 taker']);
  t.same(heard.states, ['up']);
});

t.test('a clock set back keeps no cancel waiting for it to catch up', async (t) => {
  const inner = virtualTimers(at(0));
  let backNs = 0n;
  // as real timers do it: what was asked for before the step comes when as much time has passed
  const timers = { now: () => (inner.now() - backNs) as Ns, at: (when: Ns, run: () => void) => inner.at((when + backNs) as Ns, run) };
  const { heard, venue } = setUp({ config: { ...CONFIG, latencyMs: 5 }, timers });
  await venue.start(heard, 0);
  venue.send(approved(order('A', { tif: 'gtc' })), receipt(1));
  inner.advanceTo(at(5));
  venue.send(approved(order('B', { tif: 'gtc' })), receipt(2));
  backNs = 60_000_000_000n;
  venue.cancel({ clOrdId: 'A', symbol: 'SPY' });
  inner.advanceTo(at(20));
  t.same(heard.reports.map(line), ['A acknowledged', 'B acknowledged', 'A canceled cum 0']);
});

t.test('with latency it acts when that is over, at the quote of that time', async (t) => {
  const { market, timers, heard, venue } = setUp({ config: { ...CONFIG, latencyMs: 5 } });
  await venue.start(heard, 0);
  venue.send(approved(marketOrder('A', { tif: 'ioc' })), receipt(1));
  venue.cancel({ clOrdId: 'A', symbol: 'SPY' });
  timers.advanceTo(at(4));
  market.show(quote(4, '9.99', '300', '10.05', '30'));
  t.same(heard.reports, []);
  timers.advanceTo(at(5));
  t.same(heard.reports.map(line), ['A acknowledged', 'A filled 30@10.05 cum 30 leaves 70 taker', 'A canceled cum 30', 'A cancelRejected TOO_LATE']);
  t.same(heard.reports.map(({ venueAt }) => venueAt), [at(5), at(5), at(5), at(5)]);
});

t.test('a market event does not overtake what was due before it', async (t) => {
  const { market, heard, venue } = setUp({ config: { ...CONFIG, latencyMs: 5 } });
  await venue.start(heard, 0);
  venue.send(approved(order('A')), receipt(1));
  market.trade(6, '9.98', '10');
  t.same(heard.reports.map(line), ['A acknowledged', 'A filled 10@10 cum 10 leaves 90 maker']);
});

t.test('a symbol is watched while it has open orders', async (t) => {
  const { market, timers, heard, venue } = setUp();
  await venue.start(heard, 0);
  venue.send(approved(order('A')), receipt(1));
  venue.send(approved(order('B', { tif: 'gtd', expireAt: at(9) })), receipt(2));
  venue.send(approved(marketOrder('C', { tif: 'ioc' })), receipt(3));
  timers.advanceTo(at(0));
  venue.cancel({ clOrdId: 'A', symbol: 'SPY' });
  timers.advanceTo(at(0));
  t.same(market.watched, ['+SPY']);
  timers.advanceTo(at(9));
  t.same(market.watched, ['+SPY', '-SPY']);
  t.equal(line(heard.reports.at(-1)!), 'B expired cum 0');
});

t.test('a report may send: it acts in its turn', async (t) => {
  const { timers, heard, venue } = setUp();
  const sending: VenueListener = {
    connection: () => undefined,
    report(report) {
      heard.report(report);
      if (report.clOrdId === 'A' && report.kind === 'acknowledged') venue.send(approved(order('B')), receipt(2));
    },
  };
  await venue.start(sending, 0);
  venue.send(approved(marketOrder('A')), receipt(1));
  timers.advanceTo(at(0));
  t.same(heard.reports.map(line), ['A acknowledged', 'A filled 100@10.01 cum 100 leaves 0 taker', 'B acknowledged']);
});

t.test('rebuilt from the fold: what was open goes on, what it does not know is absent', async (t) => {
  const { market, timers, heard, venue } = setUp({ resume: [{ order: order('A', { limitPx: d('9.99') }), cumQty: d('40'), acceptedAt: at(-60_000) }] });
  await venue.start(heard, 17);
  t.same(market.watched, ['+SPY']);
  venue.send(approved(order('B')), receipt(1));
  venue.reconcile(['A', 'B', 'C']);
  await nextTurn();
  timers.advanceTo(at(0));
  market.trade(1, '9.98', '300');
  t.same(heard.reports.map(line), ['C absent', 'B acknowledged', 'B filled 100@10 cum 100 leaves 0 maker', 'A filled 60@9.99 cum 100 leaves 0 maker']);
  t.same(heard.reports.map(({ sourceSeq }) => sourceSeq), [0, 18, 19, 20]);
});

t.test('after stop nothing acts', async (t) => {
  const { market, timers, heard, venue } = setUp({ config: { ...CONFIG, latencyMs: 5 } });
  await venue.start(heard, 0);
  venue.send(approved(order('A')), receipt(1));
  await venue.stop();
  market.show(quote(9, '1', '1', '2', '2'));
  timers.advanceTo(at(10));
  t.same(heard.reports, []);
});

t.test('on the synthetic market: an hour, twice, the same bytes', async (t) => {
  const hour = async (): Promise<string[]> => {
    const timers = virtualTimers(at(0));
    const market = syntheticMarket({ seed: '7', universe: [...INSTRUMENTS.values()], timers });
    const heard = new Heard();
    const venue = paperVenue({ id: 'PAPER', config: { ...CONFIG, latencyMs: 3 }, market, timers, instruments: INSTRUMENTS });
    market.start();
    await venue.start(heard, 0);
    venue.send(approved(order('PEG', { type: 'pegged', limitPx: null, orderQty: d('500') })), receipt(1));
    venue.send(approved(marketOrder('POV', { type: 'pov', participation: 0.1, orderQty: d('5000'), side: 'sell' })), receipt(2));
    venue.send(approved(marketOrder('NOW', { orderQty: d('200'), symbol: 'IBM' })), receipt(3));
    timers.advanceTo(at(3_600_000));
    return heard.reports.map((report) => JSON.stringify(encodeReport(report)));
  };
  const once = await hour();
  t.ok(once.length > 10, `${once.length} reports`);
  for (const id of ['PEG', 'POV', 'NOW']) t.ok(once.some((text) => text.includes(`"${id}"`) && text.includes('filled')), `${id} is filled`);
  t.same(await hour(), once);
});
