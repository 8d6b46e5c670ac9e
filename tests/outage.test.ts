/** The database cannot be written, under load: nothing new leaves, the kill works all the same, and afterwards the log knows of it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { leafHash } from '../compliance/canonical.ts';
import { emergencyPath, readEmergency } from '../compliance/emergency.ts';
import { readPaperJournal } from '../execution/venues/paper/journal.ts';
import { recover } from '../execution/venues/paper/recovery.ts';
import { acknowledgedIsThere, Auditor, noDefects, nothingIsUnknown } from './crash/audit.ts';
import { Load, orderOf } from './crash/load.ts';
import { PASSING, SILENT, type Outage } from './crash/outages.ts';
import { Random, seedOfRun } from './crash/random.ts';
import { until } from './crash/processes.ts';
import { Site, type Answer, type Gateway } from './crash/site.ts';

const WORKING = 20;
const CONNECTIONS = 4;
const FIRM = { kind: 'firm', id: '*' };

/** One DATA_DIR through all outages, released by two officers after each. */
class Scene {
  readonly site: Site;
  readonly auditor: Auditor;
  readonly random: Random;
  #gateway: Gateway | null = null;
  #count = 0;

  constructor(t: Test, seed: number) {
    this.site = new Site(t);
    this.random = new Random(seed);
    this.auditor = new Auditor(this.site);
  }

  async begin(): Promise<string> {
    this.#gateway ??= await this.site.start();
    this.#count += 1;
    return `O${String(this.#count)}`;
  }

  /** Orders that rest at the venue. */
  async work(prefix: string): Promise<void> {
    const ids = Array.from({ length: WORKING }, (_, i) => `${prefix}W${String(i)}`);
    await Promise.all(ids.map((id) => this.site.ask('POST', '/v1/orders', orderOf(this.random, id, 'rest'))));
    await until('they work', async () => ((await this.site.ask('GET', '/v1/orders?state=pending')).body['items'] as unknown[]));
  }

  order(id: string): Promise<Answer> {
    return this.site.ask('POST', '/v1/orders', orderOf(this.random, id, 'rest'));
  }

  kill(requestId: string): Promise<Answer> {
    return this.site.ask('POST', '/v1/switches', { requestId, scope: FIRM, state: 'halted', cancel: 'working', reason: 'an outage' }, 'risk_officer', 'ann');
  }

  /** The journal is read first: what it holds then was durable by then, or left too early. */
  async leftTooEarly(): Promise<readonly string[]> {
    const sent = readPaperJournal(this.site.venueJournal).filter((entry) => entry.kind === 'order');
    const { body } = await this.site.ask('GET', '/health/ready');
    return sent.filter(({ receipt }) => receipt.seq > (body['head'] as number)).map(({ order }) => order.clOrdId);
  }

  get worksAtVenue(): readonly string[] {
    return recover(readPaperJournal(this.site.venueJournal)).open.map(({ order }) => order.clOrdId);
  }

  async die(): Promise<void> {
    await this.#gateway?.kill();
    this.#gateway = this.site.launch();
  }

  async alive(): Promise<void> {
    if (this.#gateway !== null) this.site.url = await this.#gateway.ready;
    await this.site.untilReady();
  }

  /** Of the gateway, by itself. */
  end(): Promise<number | NodeJS.Signals> | undefined {
    return this.#gateway?.ended;
  }

  async release(): Promise<Answer> {
    const asked = await this.site.ask('POST', '/v1/switches/release', { scope: FIRM, reason: 'it is over' }, 'risk_officer', 'ann');
    return this.site.ask('POST', `/v1/approvals/${String(asked.body['approvalId'])}`, { approve: true, reason: 'it is over' }, 'risk_officer', 'bob');
  }
}

/** While the log is surely not written. */
async function silence(t: Test, scene: Scene, id: string): Promise<void> {
  const { site } = scene;
  await until('the trouble is noticed', async () => (await site.ask('GET', '/health/ready')).body['waitingFor'] === 'the log');
  const refused = await scene.order(`${id}X`);
  t.match([refused.status, refused.body['code']], [503, 'NOT_READY']);
  t.equal((await site.ask('GET', '/health/live')).status, 200);
}

/** The proof of a kill that went past the log: the hash of its last entry. */
function proof(t: Test, scene: Scene, id: string, killed: Answer): string {
  const { entries, fault, isTorn } = readEmergency(emergencyPath(scene.site.dataDir));
  const { requested } = killed.body['cancels'] as { requested: number };
  t.strictSame([killed.body['receipt'], fault, isTorn], [null, null, false]);
  t.ok(requested >= WORKING);
  t.equal(entries.filter(({ kind, body }) => kind === 'switch.flipped' && (body as { body: { requestId: string } }).body.requestId === id).length, 1);
  t.ok(entries.filter(({ kind }) => kind === 'cancel.requested').length >= requested, 'a cancel each');
  return entries.at(-1)!.hash;
}

/** The file is set aside, whole, and the log names the head of every one that was. */
function adopted(t: Test, { site, auditor }: Scene, hash: string): void {
  const archived = readdirSync(site.dataDir).filter((name) => /^emergency-\d+\.log$/.test(name)).map((name) => readEmergency(join(site.dataDir, name)));
  const heads = auditor.log.records.filter(({ kind }) => kind === 'emergency.adopted').map(({ body }) => body['head']);
  t.ok(archived.every(({ fault, isTorn, entries }) => fault === null && !isTorn && heads.includes(entries.at(-1)?.hash)));
  t.ok(archived.some(({ entries }) => entries.some((entry) => entry.hash === hash)), 'ours among them');
  t.strictSame(readEmergency(emergencyPath(site.dataDir)).entries, []);
}

/** Afterwards: ready, the halt in force, everything in the log, the books right. */
async function aftermath(t: Test, scene: Scene, id: string, load: Load): Promise<void> {
  const { site, auditor } = scene;
  await nothingIsUnknown(site);
  const { body } = await site.ask('GET', '/v1/switches', undefined, 'risk_officer', 'ann');
  t.match((body['items'] as { scope: object }[]).find(({ scope }) => 'kind' in scope && scope.kind === 'firm'), { state: 'halted' }, 'still in force');
  const denied = await scene.order(`${id}Y`);
  t.ok(denied.status === 422 && (denied.body['verdicts'] as { code: string; outcome: string }[]).some(({ code, outcome }) => code === 'SWITCH_HALTED' && outcome === 'deny'), denied.text);
  t.strictSame(scene.worksAtVenue, []);
  t.strictSame(await auditor.look(), []);
  const flips = auditor.log.records.filter(({ kind, body }) => kind === 'switch.flipped' && body['requestId'] === id);
  t.equal(flips.length, 1, 'halted once');
  const again = await scene.kill(id);
  t.match([again.status, (again.body['receipt'] as { seq: number }).seq], [201, flips[0]?.seq], 'a repeat is told so');
  t.strictSame([...noDefects(load), ...acknowledgedIsThere(auditor.log.records, load)], []);
  t.equal((await scene.release()).status, 200);
}

function run(t: Test, scene: Scene, outage: Outage, { isSilent, dies }: { readonly isSilent: boolean; readonly dies: boolean }): void {
  t.test(`${outage.name}${dies ? ', and the gateway is killed meanwhile' : ''}`, async (t) => {
    const id = await scene.begin();
    await scene.work(id);
    const load = new Load(scene.site, scene.random, `${id}L`);
    t.teardown(() => { load.stop(); });
    const running = load.run(CONNECTIONS);
    await until('there is a load', () => load.acknowledged.length > 20);
    const end = await outage.begin(scene.site);
    if (isSilent && !dies) await silence(t, scene, id);
    const from = performance.now();
    const killed = await scene.kill(id);
    t.comment(`${outage.name}: the kill was answered after ${(performance.now() - from).toFixed(0)} ms`);
    t.equal(killed.status, 201);
    if (isSilent && dies) await silence(t, scene, id);
    await until('the venue has no working order', () => scene.worksAtVenue);
    t.strictSame(await scene.leftTooEarly(), []);
    const proven = isSilent ? proof(t, scene, id, killed) : null;
    load.stop();
    if (dies) await scene.die();
    await end();
    const ended = performance.now();
    await scene.alive();
    t.comment(`${outage.name}: ready ${(performance.now() - ended).toFixed(0)} ms after its end`);
    await running;
    await aftermath(t, scene, id, load);
    if (proven !== null) adopted(t, scene, proven);
  });
}

/** Nobody kills: after five seconds the gateway cancels by itself, and halts nothing. */
function unattended(t: Test, scene: Scene, outage: Outage): void {
  t.test(`${outage.name}, and nobody is there`, async (t) => {
    const { site, auditor } = scene;
    const id = await scene.begin();
    await scene.work(id);
    const load = new Load(site, scene.random, `${id}L`);
    t.teardown(() => { load.stop(); });
    const running = load.run(CONNECTIONS);
    await until('there is a load', () => load.acknowledged.length > 20);
    const end = await outage.begin(site);
    await silence(t, scene, id);
    load.stop();
    await until('the venue has no working order', () => scene.worksAtVenue);
    const { entries, fault } = readEmergency(emergencyPath(site.dataDir));
    t.equal(fault, null);
    t.ok(entries.filter(({ kind }) => kind === 'cancel.requested').length >= WORKING);
    await end();
    await scene.alive();
    await running;
    await nothingIsUnknown(site);
    t.strictSame(scene.worksAtVenue, [], 'what was cancelled before it was sent stays here');
    t.strictSame([...await auditor.look(), ...noDefects(load), ...acknowledgedIsThere(auditor.log.records, load)], []);
    adopted(t, scene, entries.at(-1)!.hash);
    t.equal((await scene.order(`${id}Y`)).status, 201, 'work goes on');
  });
}

/** Somebody else has written where our next record should stand: this memory is not the log's. */
function forked(t: Test, scene: Scene): void {
  t.test('a record of somebody else in our place: everything is cancelled, exit 1', async (t) => {
    const { site } = scene;
    await scene.work(await scene.begin());
    const client = await site.database();
    const text = '{"not":"ours"}';
    await client.query(`INSERT INTO portcullis.records (log, seq, hash, at, canonical) SELECT log, max(seq) + 1, $1, now(), $2 FROM portcullis.records GROUP BY log`,
      [Buffer.from(leafHash(text), 'hex'), text]);
    await client.end();
    t.equal(await scene.end(), 1);
    await until('the venue has no working order', () => scene.worksAtVenue);
    const { entries, fault } = readEmergency(emergencyPath(site.dataDir));
    t.equal(fault, null);
    t.ok(entries.length >= WORKING && entries.every(({ kind }) => kind === 'cancel.requested'));
  });
}

const seed = seedOfRun();
t.comment(`SEED=${String(seed)}`);
const scene = new Scene(t, seed);
for (const dies of [false, true]) for (const outage of SILENT) run(t, scene, outage, { isSilent: true, dies });
for (const outage of PASSING) run(t, scene, outage, { isSilent: false, dies: false });
for (const outage of SILENT) unattended(t, scene, outage);
forked(t, scene);
