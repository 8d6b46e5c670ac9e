/** Real input: a recorded day (SPY, BAC, IBM, AIG, 7 October 2013) through the whole gateway, judged against the recording itself. */
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { OrderFilled } from '../execution/records.ts';
import type { MarketEvent, Print, Quote } from '../execution/market.ts';
import { instantOf, noCounts } from '../execution/markets/readers.ts';
import { openReplay } from '../execution/markets/replay.ts';
import { add, formatDecimal, multiply, parseDecimal, subtract, ZERO, type Decimal } from '../risk/domain/decimal.ts';
import { instant, type Ns } from '../risk/domain/time.ts';
import { portcullis, startGatewayProcess, temporaryFolder, type TestGateway } from './doubles/gateway.ts';
import type { Client, Message } from './doubles/stream.ts';
import { needsShared, shared } from './shared.ts';

const SECONDS = 'realdata/equity-ticks/second';
const DAY = '20131007';
/** From 04:00 to 16:00 in New York: the regular session and the hours before it. */
const HORIZON_SECONDS = 12 * 3600;
/** After the end of the data: an order that ends then drives the clock past it. */
const NEXT_NOON = '2013-10-08T12:00:00.000000000Z';

const LEGS = [['SPY', '0.2'], ['BAC', '0.1'], ['IBM', '-0.1'], ['AIG', '0.1']] as const;

interface ParentProgress {
  readonly clOrdId: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly orderQty: string;
  readonly cumQty: string;
  readonly arrivalPx: string;
  readonly state: string;
  readonly shortfall: Readonly<Record<'delay' | 'spread' | 'impact' | 'opportunity' | 'fees' | 'total', string>> & { readonly bps: number };
}

/** A folder with the files of the one day. */
async function oneDay(folder: string): Promise<string> {
  const day = join(folder, 'market');
  await mkdir(day);
  const names = (await readdir(shared(SECONDS))).filter((name) => name.includes(DAY));
  for (const name of names) await copyFile(join(shared(SECONDS), name), join(day, name));
  return day;
}

/** What was shown and printed, by symbol, in the order of the files. */
class Tape {
  readonly first: Ns;
  readonly last: Ns;
  readonly quotes = new Map<string, Quote[]>();
  readonly #prints = new Map<string, Print[]>();
  /** What is left of a side of a quote, and of a print, after the fills that were judged so far. */
  readonly #left = new Map<object, Record<'buy' | 'sell', bigint>>();

  private constructor(first: Ns, events: readonly MarketEvent[]) {
    this.first = first;
    this.last = instantOf(events.at(-1)!);
    for (const event of events) {
      if (event.kind === 'quote') put(this.quotes, event.quote);
      else put(this.#prints, event.print);
    }
  }

  static async read(path: string): Promise<Tape> {
    const source = await openReplay(path);
    const events: MarketEvent[] = [];
    for await (const batch of source.read(noCounts())) events.push(...batch);
    return new Tape(source.first, events);
  }

  /** The quotes in force during the instant `at`: the last one before it, and those of it. */
  during(symbol: string, at: Ns): Quote[] {
    const quotes = this.quotes.get(symbol) ?? [];
    const before = quotes.findLast((quote) => quote.at < at);
    return [...(before === undefined ? [] : [before]), ...quotes.filter((quote) => quote.at === at)];
  }

  /** Null when the recording allows the fill; else what is wrong with it. What it uses is used up for the fills after it. */
  judge({ symbol, side, lastQty, lastPx, liquidity, venueAt }: OrderFilled): string | null {
    const at = instant(venueAt);
    const px = parseDecimal(lastPx);
    const far = (quote: Quote): { px: Decimal; qty: Decimal } =>
      (side === 'buy' ? { px: quote.askPx, qty: quote.askQty } : { px: quote.bidPx, qty: quote.bidQty });
    const through = (there: Decimal): boolean => (side === 'buy' ? there <= px : there >= px);
    const shown = this.during(symbol, at).map((quote) => ({ of: quote, ...far(quote) })).filter((each) => each.qty > 0n);
    // A taker pays what is shown; a resting order is filled at its own price by what was printed or shown at it or beyond.
    const there = liquidity === 'taker'
      ? shown.filter((each) => each.px === px)
      : [...shown, ...(this.#prints.get(symbol) ?? []).filter((print) => print.at === at).map((print) => ({ of: print, ...print }))].filter((each) => through(each.px));
    if (there.length === 0) return 'a price that was not there';
    let wanted: bigint = parseDecimal(lastQty);
    for (const { of, qty } of there) {
      const left = this.#left.get(of) ?? { buy: qty, sell: qty };
      const used = left[side] < wanted ? left[side] : wanted;
      this.#left.set(of, { ...left, [side]: left[side] - used });
      wanted -= used;
    }
    return wanted > 0n ? 'more than was there' : null;
  }
}

function put<T extends { readonly symbol: string }>(map: Map<string, T[]>, item: T): void {
  const items = map.get(item.symbol);
  if (items === undefined) map.set(item.symbol, [item]);
  else items.push(item);
}

/** In one message each and all at once: everything is decided while the clock still stands. */
async function commands(socket: Client, tape: Tape, now: string): Promise<void> {
  const bid = (symbol: string): string => formatDecimal(tape.during(symbol, tape.first).at(-1)!.bidPx);
  const order = { account: 'ACC1', strategy: 'alpha-2', tif: 'day' };
  const cents = (px: string, factor: number): string => (Math.floor(Number(px) * factor * 100) / 100).toFixed(2);
  const messages = [
    ['target.submit', {
      targetId: 'DAY', account: 'ACC1', strategy: 'alpha-1', asOf: now, basis: 'weight', mode: 'clip', scope: 'listed', horizonSeconds: HORIZON_SECONDS,
      legs: LEGS.map(([symbol, target]) => ({ symbol, target })),
    }],
    ['order.submit', { ...order, clOrdId: 'REST', symbol: 'BAC', side: 'buy', orderQty: '2000', type: 'limit', limitPx: bid('BAC') }],
    ['order.submit', { ...order, clOrdId: 'FOLLOW', symbol: 'BAC', side: 'sell', orderQty: '1000', type: 'pov', participation: '0.02' }],
    ['order.submit', { ...order, clOrdId: 'PEG', symbol: 'SPY', side: 'buy', orderQty: '100', type: 'pegged' }],
    ['order.submit', { ...order, clOrdId: 'FAR', symbol: 'SPY', side: 'buy', orderQty: '10', type: 'limit', limitPx: cents(bid('SPY'), 0.96), tif: 'gtd', expireAt: NEXT_NOON }],
  ] as const;
  const answers = await Promise.all(messages.map(([op, body], id) => socket.ask({ id, op, body })));
  t.same(answers.map(({ status }) => status), messages.map(() => 201), JSON.stringify(answers.filter(({ status }) => status !== 201)));
}

/** Beats come each second: at each, what a screen would ask for is answered, whatever the clock does. */
async function untilNow(gateway: TestGateway, socket: Client, token: string, until: Ns): Promise<void> {
  for (let at: string | null = null; ;) {
    const { status, body } = await gateway.call(null, 'GET', '/health/ready');
    t.equal(status, 200);
    const { now } = body as { now: string };
    if (instant(now) >= until) return;
    if (now === at) throw new Error(`the clock stands at ${now}`);
    at = now;
    t.equal((await gateway.call(token, 'GET', '/v1/accounts/ACC1')).status, 200);
    await socket.next(({ kind }: Message) => kind === 'beat');
  }
}

t.test('a recorded day', { ...needsShared(SECONDS), timeout: 200_000 }, async (t) => {
  const folder = await temporaryFolder();
  t.teardown(() => folder.remove());
  const market = await oneDay(folder.path);
  const tape = await Tape.read(market);
  const settings = { MARKET: `replay:${market}`, PORTCULLIS_MARKET_SPEED: 'max' };
  const before = await startGatewayProcess(folder.path, settings);
  const strategy = await before.token('strategy');
  const compliance = await before.token('compliance');
  const watching = { id: 'w', op: 'subscribe', channels: ['fills'], after: -1 };

  const { now } = (await before.call(null, 'GET', '/health/ready')).body as { now: string };
  t.equal(instant(now), tape.first, 'the clock stands until the first accepted command');
  const halted = { kind: 'instrument', id: 'S001' };
  const officer = await before.token('risk_officer');
  t.equal((await before.call(officer, 'POST', '/v1/switches', { scope: halted, state: 'halted', cancel: 'none', reason: 'not today' })).status, 201);
  const asked = await before.call(officer, 'POST', '/v1/switches/release', { scope: halted, reason: 'tomorrow' });
  const morning = await before.socket(strategy);
  await morning.ask(watching);
  await commands(morning, tape, now);
  await morning.next(({ kind }) => kind === 'order.filled');
  t.equal(await before.stop(), 0, 'SIGTERM ends it in the middle of the day');

  const gateway = await startGatewayProcess(folder.path, settings);
  t.teardown(() => gateway.stop());
  const socket = await gateway.socket(strategy);
  await socket.ask(watching);
  await untilNow(gateway, socket, strategy, instant(NEXT_NOON));

  await t.test('the parents are worked through the day', async (t) => {
    const { body } = await gateway.call(strategy, 'GET', '/v1/targets/DAY');
    const { parents, done } = body as { parents: ParentProgress[]; done: boolean };
    t.equal(done, true);
    t.same(parents.map(({ symbol, side }) => [symbol, side]), LEGS.map(([symbol, weight]) => [symbol, weight.startsWith('-') ? 'sell' : 'buy']));
    for (const parent of parents) t.match(parent, { cumQty: parent.orderQty, state: 'filled' }, parent.symbol);
    const released = (await gateway.records('slice.released')).filter(({ body }) => (body as { parent: string }).parent === parents[0]!.clOrdId);
    t.ok(released.length > 5, 'in many slices');
  });

  await t.test('every fill lies within the recording', async (t) => {
    const fills = (await gateway.records('order.filled')).map(({ body }) => body as OrderFilled);
    for (const fill of fills) t.equal(tape.judge(fill), null, JSON.stringify(fill));
    const [some] = fills.filter(({ liquidity }) => liquidity === 'taker');
    t.equal(tape.judge({ ...some!, lastPx: '1.01' }), 'a price that was not there', 'the judge sees a wrong price');
    t.equal(tape.judge({ ...some!, lastQty: '1000000' }), 'more than was there', 'and a wrong quantity');
    t.same(new Set(fills.map(({ liquidity }) => liquidity)), new Set(['taker', 'maker']), 'fills of both kinds');
    t.same(new Set(fills.map(({ symbol }) => symbol)), new Set(LEGS.map(([symbol]) => symbol)));
    t.ok(fills.length > 50, `${String(fills.length)} fills`);
  });

  await t.test('the parts of the shortfall sum to the total, and the total is that of the fills', async (t) => {
    const fills = (await gateway.records('order.filled')).map(({ body }) => body as OrderFilled);
    const { parents } = (await gateway.call(strategy, 'GET', '/v1/targets/DAY')).body as { parents: ParentProgress[] };
    for (const { clOrdId, side, arrivalPx, shortfall: { total, bps, ...parts } } of parents) {
      const sum = Object.values(parts).reduce<Decimal>((all, part) => add(all, parseDecimal(part)), ZERO);
      t.equal(formatDecimal(sum), total);
      t.type(bps, 'number');
      const own = fills.filter(({ parent }) => parent === clOrdId);
      const paid = own.reduce<Decimal>((all, fill) => add(all, multiply(parseDecimal(fill.lastQty), subtract(parseDecimal(fill.lastPx), parseDecimal(arrivalPx)))), ZERO);
      const fees = own.reduce<Decimal>((all, fill) => add(all, parseDecimal(fill.fee)), ZERO);
      t.equal(formatDecimal(add((side === 'buy' ? paid : -paid) as Decimal, fees)), total);
    }
  });

  await t.test('direct orders ended as the day did', async (t) => {
    const stateOf = async (clOrdId: string): Promise<unknown> => ((await gateway.call(strategy, 'GET', `/v1/orders/${clOrdId}`)).body as { state: string }).state;
    t.same(await Promise.all(['REST', 'FOLLOW', 'PEG', 'FAR'].map(stateOf)), ['filled', 'filled', 'filled', 'expired']);
  });

  await t.test('the data has ended: quotes are stale, and nothing drives the clock on', async (t) => {
    const ready = (await gateway.call(null, 'GET', '/health/ready')).body as { now: string };
    t.ok(instant(ready.now) > tape.last);
    const late = {
      targetId: 'LATE', account: 'ACC1', strategy: 'alpha-1', asOf: ready.now, basis: 'weight', mode: 'clip', scope: 'listed', horizonSeconds: 60,
      legs: [{ symbol: 'SPY', target: '0.1' }],
    };
    const { status, body } = await gateway.call(strategy, 'POST', '/v1/targets', late);
    t.equal(status, 422);
    const denials = (body as { verdicts: { code: string; outcome: string }[] }).verdicts.filter(({ outcome }) => outcome === 'deny');
    t.same(denials.map(({ code }) => code), ['MARKET_DATA_STALE'], 'and only for that');
  });

  await t.test('a request of the morning has expired by noon of the next day', async (t) => {
    const second = await gateway.token('risk_officer', { sub: 'second' });
    const { approvalId } = asked.body as { approvalId: string };
    const { status, body } = await gateway.call(second, 'POST', `/v1/approvals/${approvalId}`, { approve: true, reason: 'late' });
    t.match({ status, body }, { status: 409, body: { code: 'EXPIRED' } });
  });

  await t.test('the log says which clock it keeps, and verifies', async (t) => {
    const starts = await gateway.records('node.started');
    t.same(starts.map(({ body }) => (body as { clock: string }).clock), ['replay:lean-second', 'replay:lean-second']);
    const key = (await portcullis(folder.path, ['log', 'key'])).stdout.trim();
    const verified = await portcullis(folder.path, ['verify', '--url', gateway.url, '--key', key], { PORTCULLIS_TOKEN: compliance });
    t.match(verified, { code: 0, stdout: /\nverified\n$/, stderr: '' });
    t.match(verified.stdout, /records proven by the checkpoint of the key you gave/);
  });
  t.notOk(gateway.lines.find((line) => line.includes('defect')));
});
