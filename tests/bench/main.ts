/**
 * `npm run bench [-- --seconds S] [--runs N] [--quick] [--json FILE]`: what Portcullis costs, as ratios to a floor measured in the same
 * run, floor and product in turn (DESIGN §9). A missed goal is printed and is no failure; a run in which anything but 201 was answered
 * is none at all, and fails.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JWK } from 'jose';
import { Command, InvalidArgumentError } from 'commander';
import pg from 'pg';
import { issueToken, openIssuer } from '../../gateway/auth/issuer.ts';
import { endAll } from '../../gateway/end-all.ts';
import { startPostgres } from '../../gateway/postgres/cluster.ts';
import { median, ownLine, ratioLine, tableOf, type Line } from './figures.ts';
import type { LoadResult } from './load.ts';
import { startGateway, startLoad, startYardstick, type LoadGenerator, type Server } from './processes.ts';
import { ACCOUNT, acknowledged, LEGS, logBytes, MARKET_SEED, orderBodies, recordsPerOrder, targetBody, UNIVERSE, writePolicy, type RecordKindSize } from './product.ts';

interface Plan {
  readonly seconds: number;
  readonly runs: number;
  readonly targets: number;
}
/** What the runs share. */
interface Bench {
  readonly plan: Plan;
  readonly gateway: Server;
  readonly yardstick: Server;
  readonly load: LoadGenerator;
  readonly token: string;
  readonly bodies: readonly string[];
}

/** One run against one server. */
interface Run extends LoadResult {
  /** Orders in the window: answers of the yardstick, acknowledgements of the product's venue. */
  readonly orders: number;
  readonly serverCpuUs: number;
}
/** Pairs of the same number of connections, one after the other. */
interface Series {
  readonly connections: number;
  readonly floor: Run[];
  readonly one: Run[];
  readonly product: Run[];
}

const CONNECTIONS = [1, 16, 64];
/** Until the engine has compiled what an order runs through. */
const WARM_UP = { connections: 16, seconds: 5 };
const say = (text: string): void => { console.log(text); };

async function run(bench: Pick<Bench, 'load' | 'token' | 'bodies'>, server: Server, path: string, connections: number, seconds: number): Promise<Run> {
  const before = await server.usage();
  const { load, token, bodies } = bench;
  const result = await load.run({ port: server.port, path, token, bodies, connections, seconds, expect: 201 });
  const after = await server.usage();
  if (result.firstUnexpected !== null) throw new Error(`${String(result.unexpected)} answers were not 201; the first:\n${result.firstUnexpected}`);
  return { ...result, orders: result.requests, serverCpuUs: after.cpuUs - before.cpuUs };
}

/** Counts what the venue has acknowledged when the window ends; what is still on its way must follow. */
async function runProduct(bench: Pick<Bench, 'load' | 'token' | 'bodies'>, gateway: Server, connections: number, seconds: number): Promise<Run> {
  const before = await acknowledged(gateway);
  const result = await run(bench, gateway, '/v1/orders', connections, seconds);
  const orders = (await acknowledged(gateway)) - before;
  for (let waited = 0; (await acknowledged(gateway)) - before !== result.requests; waited++) {
    if (waited === 100) throw new Error('orders were accepted that the venue never acknowledged');
    await sleep(20);
  }
  return { ...result, orders };
}

async function measureOrders(bench: Bench): Promise<Series[]> {
  const { plan: { seconds, runs } } = bench;
  const series = CONNECTIONS.map((connections): Series => ({ connections, floor: [], one: [], product: [] }));
  for (let i = 1; i <= runs; i++) {
    for (const { connections, floor, one, product } of series) {
      floor.push(await run(bench, bench.yardstick, '/v1/orders', connections, seconds));
      product.push(await runProduct(bench, bench.gateway, connections, seconds));
      one.push(await run(bench, bench.yardstick, '/v1/one', connections, seconds));
    }
    say(`run ${String(i)} of ${String(runs)}: ${series.map((each) => `${String(each.connections)} connections ${rate(each.product.at(-1))} of ${rate(each.floor.at(-1))}`).join(', ')}`);
  }
  return series;
}

const perSecond = ({ orders, seconds }: Run): number => orders / seconds;
const rate = (one: Run | undefined): string => (one === undefined ? '' : `${String(Math.round(perSecond(one)))}/s`);
const cpuPerOrder = ({ serverCpuUs, orders }: Run): number => serverCpuUs / orders;

/** How long the event loop stands still for a target: until its answer, and for the slices that are released after it. */
interface TargetBlocks {
  readonly decision: readonly number[];
  readonly release: readonly number[];
}

/** What runs behind the log, a snapshot or the database's own sweeping, is not what a target costs: waits for idle cores, two minutes at most. */
async function rest(): Promise<void> {
  const busyMs = (): number => cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0);
  for (let looks = 0; looks < 120; looks++) {
    const before = busyMs();
    await sleep(1_000);
    if (busyMs() - before < 100 * cpus().length) return;
  }
  say('the cores have not come to rest: what follows was measured beside other work');
}

async function measureTargets({ gateway, token, plan }: Bench): Promise<TargetBlocks> {
  const decision: number[] = [];
  const release: number[] = [];
  for (let n = 0; n < plan.targets; n++) {
    const { result, blocks } = await gateway.blocksOf(async () => {
      const answer = await fetch(`http://127.0.0.1:${String(gateway.port)}/v1/targets`, {
        method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: targetBody(n),
      });
      const at = performance.timeOrigin + performance.now();
      const text = await answer.text();
      const idle = text.split('"deltaQty":"0"').length - 1;
      if (answer.status !== 201 || idle > LEGS / 10) throw new Error(`a target was not worked: ${text.slice(0, 1000)}`);
      await sleep(600);
      return at;
    });
    const longest = (of: (end: number) => boolean): number => Math.max(0, ...blocks.filter(({ end }) => of(end)).map(({ ms }) => ms));
    decision.push(longest((end) => end <= result));
    release.push(longest((end) => end > result));
  }
  return { decision, release };
}

/** The later half: a strategy sends its targets all day, and a function is compiled after some thousand legs. */
const warm = (runs: readonly number[]): readonly number[] => runs.slice(Math.floor(runs.length / 2));

function linesOf(series: readonly Series[], targets: TargetBlocks, growth: Growth): Line[] {
  const lines: Line[] = [];
  const at = (connections: number): Series => series.find((each) => each.connections === connections) as Series;
  const compare = (name: string, unit: string, connections: number, of: (one: Run) => number, goal: Line['goal'], against: 'floor' | 'one' = 'floor'): void => {
    lines.push(ratioLine(name, unit, at(connections)[against].map(of), at(connections).product.map(of), goal));
  };
  compare('orders, 64 connections', '1/s', 64, perSecond, { atLeast: 0.45 });
  compare('  against one record an order', '1/s', 64, perSecond, null, 'one');
  compare('orders, 16 connections', '1/s', 16, perSecond, { atLeast: 0.55 });
  compare('  against one record an order', '1/s', 16, perSecond, null, 'one');
  compare('orders, 1 connection', '1/s', 1, perSecond, null);
  compare('p50, 1 connection', 'µs', 1, ({ p50Us }) => p50Us, { atMost: 1.6 });
  compare('p99, 16 connections', 'µs', 16, ({ p99Us }) => p99Us, { atMost: 2 });
  compare('p99, 64 connections', 'µs', 64, ({ p99Us }) => p99Us, null);
  compare('server CPU an order, 64 connections', 'µs', 64, cpuPerOrder, { atMost: 2.2 });
  lines.push(ownLine(`event loop blocked, ${String(LEGS)}-leg target, cold`, 'ms', targets.decision[0] ?? Number.NaN, null));
  lines.push(ownLine(`event loop blocked, ${String(LEGS)}-leg target, warm`, 'ms', median(warm(targets.decision)), { atMost: 20 }));
  lines.push(ownLine('event loop blocked, its first slices released', 'ms', median(warm(targets.release)), null));
  lines.push(ownLine('database, a million orders', 'MB', growth.databaseMb, null));
  lines.push(ownLine('gateway heap, a million orders', 'MB', growth.heapMb, null));
  lines.push(ownLine('gateway resident set, a million orders', 'MB', growth.rssMb, null));
  return lines;
}

interface Growth {
  readonly orders: number;
  readonly databaseMb: number;
  readonly heapMb: number;
  readonly rssMb: number;
}
interface Size {
  readonly orders: number;
  readonly database: number;
  readonly heap: number;
  readonly rss: number;
}

async function sizeOf(gateway: Server, database: pg.Client): Promise<Size> {
  const { heapBytes, rssBytes } = await gateway.collected();
  return { orders: await acknowledged(gateway), database: await logBytes(database), heap: heapBytes, rss: rssBytes };
}

function growthOf(before: Size, after: Size): Growth {
  const orders = after.orders - before.orders;
  const mb = (of: (size: Size) => number): number => (of(after) - of(before)) / orders; // bytes an order are megabytes a million
  return { orders, databaseMb: mb(({ database }) => database), heapMb: mb(({ heap }) => heap), rssMb: mb(({ rss }) => rss) };
}

interface Report {
  readonly series: readonly Series[];
  readonly records: readonly RecordKindSize[];
  readonly loadMax: readonly Run[];
  readonly targets: TargetBlocks;
  readonly growth: Growth;
  readonly lines: readonly Line[];
}

async function measure(bench: Bench, database: pg.Client, records: readonly RecordKindSize[]): Promise<Report> {
  const loadMax: Run[] = [];
  for (const connections of CONNECTIONS) loadMax.push(await run(bench, bench.yardstick, '/v1/none', connections, bench.plan.seconds));
  const before = await sizeOf(bench.gateway, database);
  const series = await measureOrders(bench);
  const growth = growthOf(before, await sizeOf(bench.gateway, database));
  await rest();
  const targets = await measureTargets(bench);
  return { series, records, loadMax, targets, growth, lines: linesOf(series, targets, growth) };
}

/** One PostgreSQL for both, so that the floor stands on the same ground. What was started is ended, whatever happens. */
async function withServers<T>(plan: Plan, use: (bench: Bench, database: pg.Client, records: readonly RecordKindSize[]) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'portcullis-bench-'));
  const ends: (() => Promise<unknown>)[] = [() => rm(dataDir, { recursive: true, force: true })];
  try {
    const { connection, stop } = await startPostgres({ dataDir, log: say });
    ends.push(stop);
    const database = new pg.Client(connection);
    await database.connect();
    ends.push(() => database.end());
    const load = startLoad();
    ends.push(() => load.stop());
    const policy = writePolicy(dataDir);
    const { host, user, password } = connection as { host: string; user: string; password: string };
    const gateway = await startGateway({
      PORT: '0', DATA_DIR: dataDir, DEMO: 'off', POLICY: policy, UNIVERSE, PORTCULLIS_MARKET_SEED: String(MARKET_SEED),
      DATABASE_URL: `postgres://${user}:${encodeURIComponent(password)}@localhost/postgres?host=${encodeURIComponent(host)}`,
    });
    ends.push(() => gateway.stop());
    const issuer = openIssuer(dataDir);
    const token = await issueToken(issuer, { sub: 'bench', role: 'strategy', accounts: [ACCOUNT], ttlSeconds: 24 * 3600 }, Date.now());
    const asker = { load, token, bodies: orderBodies(policy) };
    await runProduct(asker, gateway, WARM_UP.connections, WARM_UP.seconds);
    const records = await recordsPerOrder(database, await acknowledged(gateway));
    const yardstick = await startYardstick({ connection, issuerKey: issuer.publicKey.export({ format: 'jwk' }) as JWK, recordBytes: records.map(({ bytes }) => bytes) });
    ends.push(() => yardstick.stop());
    for (const path of ['/v1/orders', '/v1/one']) await run(asker, yardstick, path, WARM_UP.connections, WARM_UP.seconds);
    return await use({ plan, gateway, yardstick, ...asker }, database, records);
  } finally {
    await endAll(...ends.reverse());
  }
}

interface Options {
  readonly seconds?: number;
  readonly runs?: number;
  readonly quick?: boolean;
  readonly json?: string;
}

function planFrom({ seconds, runs, quick = false }: Options): Plan {
  return { seconds: seconds ?? (quick ? 1 : 3), runs: runs ?? (quick ? 3 : 5), targets: quick ? 8 : 40 };
}

function print({ lines, records, loadMax, growth }: Report, { seconds, runs }: Plan): void {
  say(`\nan order writes ${records.map(({ kind, bytes }) => `${kind} ${String(bytes)} B`).join(', ')}; the yardstick as many of the same sizes`);
  say(`the load generator alone, against the yardstick without a store: ${loadMax.map((one, i) => `${rate(one)} at ${String(CONNECTIONS[i])}`).join(', ')}`);
  say(`medians of ${String(runs)} runs of ${String(seconds)} s, floor and product in turn; a ratio is the median of the pairs' ratios; sizes from ${String(growth.orders)} orders\n`);
  say(tableOf(lines));
}

/** Others on the machine move every figure, and p99 most; ratios least. */
const busyness = (): string => `load average ${(loadavg()[0] ?? 0).toFixed(1)} on ${String(availableParallelism())} cores`;

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError('A positive number is wanted.');
  return number;
}

await new Command('bench')
  .description('the gateway beside the least that a durable one must do: ratios, from runs of both in turn')
  .option('--seconds <count>', 'seconds a run (default: 3)', positive)
  .option('--runs <count>', 'runs of each, of which the medians are told (default: 5)', positive)
  .option('--quick', 'three runs of a second, eight targets')
  .option('--json <file>', 'everything measured, as JSON')
  .action(async (options: Options) => {
    const plan = planFrom(options);
    say(`before: ${busyness()}`);
    const report = await withServers(plan, measure);
    say(`after: ${busyness()}`);
    print(report, plan);
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ plan, node: process.version, at: new Date().toISOString(), ...report }, null, 2)}\n`);
  })
  .parseAsync();
