/** One seed: a venue and a store that outlive any house, and the lives of the house between its crashes. */
import { setImmediate as turn } from 'node:timers/promises';
import { emptyState, fold, type State } from '../../compliance/fold.ts';
import { EMPTY_HEAD, foldStored } from '../../compliance/recover.ts';
import type { Head } from '../../compliance/seal.ts';
import { formatSnapshot, parseSnapshot } from '../../compliance/snapshot.ts';
import { syntheticMarket } from '../../execution/markets/synthetic.ts';
import { fixedRule } from '../../execution/route.ts';
import { virtualTimers, type VirtualTimers } from '../../execution/timers/virtual.ts';
import type { Venue } from '../../execution/venue.ts';
import { assemble, bringUp, type Assembled } from '../../gateway/assemble.ts';
import { markAccounts } from '../../gateway/flows/mark-accounts.ts';
import type { House } from '../../gateway/house.ts';
import type { LogRecord } from '../../risk/domain/record.ts';
import { plusMs, type Ns } from '../../risk/domain/time.ts';
import { memoryStore, type MemoryStore } from '../doubles/store.ts';
import { Auditor } from './auditor.ts';
import { Exchange } from './exchange.ts';
import { nothingFired, type Fault, type Fired } from './faults.ts';
import { EmergencyDisk, HouseStore, HouseTimers, patchyMarket, wideRouter } from './house-ports.ts';
import { LyingVenue } from './lying-venue.ts';
import type { Plant } from './planted.ts';
import { Random } from './random.ts';
import { BLOBS, LOG, SETTING, START } from './setting.ts';

const MARK_EVERY_MS = 1_000;
/** Where a snapshot's head does not matter. */
const dumpOf = (state: State): string => formatSnapshot({ state, head: EMPTY_HEAD });
const blobs = (hash: string): string | null => BLOBS.get(hash) ?? null;

interface Life {
  readonly timers: HouseTimers;
  readonly store: HouseStore;
  readonly venue: LyingVenue;
  readonly state: State;
  /** What this house appended, stored or not. */
  readonly appended: LogRecord[];
  readonly assembled: Assembled;
  /** The house as flows see it: with what was planted. */
  readonly house: House;
  isUp: boolean;
  isDead: boolean;
}

/** What a dead house leaves: its memory, and what it had appended. */
interface Remains {
  readonly dump: string;
  readonly appended: readonly LogRecord[];
}

export class World {
  readonly seed: number;
  readonly random: Random;
  readonly fired: Fired = nothingFired();
  readonly timers: VirtualTimers = virtualTimers(START);
  readonly memory: MemoryStore = memoryStore();
  readonly exchange: Exchange;
  readonly auditor: Auditor;
  readonly #plant: Plant | null;
  readonly #market: ReturnType<typeof syntheticMarket>;
  readonly disk = new EmergencyDisk();
  readonly #isWide: boolean;
  #life: Life | null = null;
  #remains: Remains | null = null;
  #snapshot: string | null = null;
  #storeDownUntil: Ns = START;
  #missing: { readonly symbol: string; readonly until: Ns } = { symbol: '', until: START };
  #dieAt: 'beforeSend' | 'afterSend' | null = null;
  #mischief: number;

  constructor(seed: number, plant: Plant | null) {
    this.seed = seed;
    this.random = new Random(seed);
    this.#plant = plant;
    this.#isWide = this.random.chance(0.6);
    this.#mischief = this.random.pick([0.1, 0.4, 1]);
    this.#market = syntheticMarket({ seed: String(seed), universe: [...SETTING.universe.values()], timers: this.timers });
    this.#market.start();
    this.exchange = new Exchange(this.#market, this.timers, SETTING.universe);
    this.auditor = new Auditor(this.memory.lines);
    for (const [hash, text] of BLOBS) void this.memory.putBlob(hash, text);
  }

  get house(): House | null { return this.#life?.isUp === true ? this.#life.house : null; }

  fire = (fault: Fault): void => { this.fired[fault] += 1; };

  /** Lets this much time pass, an item at a time, with everything that follows from each. */
  async pass(ms: number): Promise<void> {
    const end = plusMs(this.timers.now(), ms);
    for (;;) {
      await this.#rest();
      const next = this.timers.nextDue();
      if (next === null || next > end) break;
      this.timers.runNext();
    }
    this.timers.advanceTo(end);
  }

  async #rest(): Promise<void> {
    await turn();
    if (this.#life === null) await this.#start();
  }

  /** Something goes wrong, or nothing does. */
  disturb(): void {
    const { random } = this;
    if (random.chance(0.015)) this.#life?.venue.disconnect(random.int(20, 6_000));
    if (random.chance(0.004)) this.#storeDownUntil = plusMs(this.timers.now(), random.int(500, 14_000));
    if (random.chance(0.02)) this.#missing = { symbol: random.pick([...SETTING.universe.keys()]), until: plusMs(this.timers.now(), random.int(200, 3_000)) };
    if (random.chance(0.01)) this.#stepClock(random.chance(0.1) ? 1_500 : random.int(1, 300));
    if (random.chance(0.006)) this.#dieAt = random.pick(['beforeSend', 'afterSend'] as const);
    if (random.chance(0.008)) this.crash('crash');
    else if (this.#life?.isUp === false && random.chance(0.05)) this.crash('crashWhileStarting');
    else if (this.#life?.assembled.sequencer.state === 'emergency' && random.chance(0.1)) this.crash('crashInEmergency');
  }

  /** From now on nothing fails; what hangs comes loose. */
  calm(): void {
    this.#mischief = 0;
    this.#dieAt = null;
    this.#storeDownUntil = START;
    this.#missing = { symbol: '', until: START };
  }

  #stepClock(ms: number): void {
    this.fire('clockStep');
    this.#life?.timers.stepBack(ms);
  }

  /** The house is gone, in the middle of whatever it did. */
  crash(fault: Fault): void {
    const life = this.#life;
    if (life === null) return;
    this.fire(fault);
    life.isDead = true;
    life.isUp = false;
    life.timers.kill();
    life.venue.kill();
    this.#remains = { dump: dumpOf(life.state), appended: [...life.appended] };
    this.#life = null;
    this.#dieAt = null;
    this.#ending = life.store.kill();
  }

  #ending: Promise<void> = Promise.resolve();

  async #start(): Promise<void> {
    await this.#ending;
    const recovered = await this.#recovered().catch((error: unknown) => {
      this.auditor.found('recovery-failed', String(error));
      return null;
    });
    if (recovered === null) return;
    const { state, head } = recovered;
    const life = this.#newLife(state, head);
    this.#life = life;
    const { house, assembled: { desk, started } } = life;
    const node = { version: 'sim', commit: null, lockfileHash: '', policyHash: SETTING.hash, node: '', v8: '', arch: '', clock: 'wall', forkOf: null, resumedAt: head.size };
    const venue = this.#plant?.venue?.(life.venue) ?? life.venue;
    const openVenue = () => Promise.resolve({ venue: this.#mortal(venue), stop: () => venue.stop() });
    const opening = { node, wanted: SETTING, emergency: this.disk.open(), openVenue, say: () => undefined };
    bringUp(house, desk, opening).then(() => {
      if (life.isDead) return;
      started();
      life.isUp = true;
      this.#markOften(life);
    }, (error: unknown) => { this.#failed(life, error); });
  }

  /** The state by the stored records: from the start and from a snapshot alike, and as the dead house knew it. */
  async #recovered(): Promise<{ readonly state: State; readonly head: Head }> {
    const state = emptyState();
    const head = await foldStored(this.memory, state, EMPTY_HEAD);
    const dump = dumpOf(state);
    if (this.#snapshot !== null) {
      this.fire('snapshotRestart');
      const from = parseSnapshot(this.#snapshot);
      await foldStored(this.memory, from.state, from.head);
      if (dumpOf(from.state) !== dump) this.auditor.found('snapshot', `from a snapshot the state at ${String(head.size)} is another`);
    }
    this.#compareWithRemains(parseSnapshot(formatSnapshot({ state, head })).state, head);
    if (this.random.chance(0.5)) this.#snapshot = formatSnapshot({ state, head });
    return { state, head };
  }

  #compareWithRemains(copy: State, head: Head): void {
    if (this.#remains === null) return;
    const lost = this.#remains.appended.filter(({ seq }) => seq >= head.size);
    if (lost.length > 0) this.fire('lostTail');
    for (const record of lost) fold(copy, record, blobs);
    if (dumpOf(copy) !== this.#remains.dump) this.auditor.found('recovery', `at ${String(head.size)} the recovered state is not the one before the crash`);
    this.#remains = null;
  }

  #newLife(state: State, head: Head): Life {
    const timers = new HouseTimers(this.timers);
    const ways = { timers, random: this.random, fired: this.fire, mischief: () => this.#mischief };
    const store = new HouseStore(this.memory, { ...ways, downUntil: () => this.#storeDownUntil });
    const venue = new LyingVenue({
      ...ways, id: 'PAPER', exchange: this.exchange, timers: this.timers,
      onSend: (order, receipt) => { this.auditor.onSend(order, receipt); },
    });
    const appended: LogRecord[] = [];
    const assembled = assemble({
      log: LOG, head, state, timers, wall: timers, store: this.#plant?.store?.(store.store, this.memory.lines) ?? store.store,
      fold: (record) => {
        appended.push(record);
        fold(state, record, blobs);
        this.#plant?.fold?.(state, record);
      },
      market: patchyMarket(this.#market, (symbol) => this.#isMissing(symbol)), router: this.#isWide ? wideRouter(this.random) : fixedRule,
      emergency: this.disk.open(),
      killed: () => null,
      onDurable: (records) => {
        for (const { kind, body } of records) {
          if (kind === 'order.unknown') this.fire('unknownOutcome');
          if (kind === 'slice.withheld' && (body as { clOrdId: string | null }).clOrdId !== null) this.fire('withheldAtLastLook');
        }
      },
      say: (line) => { if (line.includes('cannot')) this.#troubled(life); }, fatal: (error) => { this.#failed(life, error); },
      defer: (run) => { timers.at(timers.now(), run); },
    });
    const house = this.#plant?.house?.(assembled.house) ?? assembled.house;
    const life: Life = { timers, store, venue, state, appended, assembled, house, isUp: false, isDead: false };
    return life;
  }

  #troubled(life: Life): void {
    if (life.assembled.sequencer.state === 'emergency') this.fire('emergency');
  }

  #isMissing(symbol: string): boolean {
    if (symbol !== this.#missing.symbol || this.timers.now() >= this.#missing.until) return false;
    this.fire('quoteMissing');
    return true;
  }

  /** A house may die on either side of a send. */
  #mortal(venue: Venue): Venue {
    return {
      id: venue.id,
      start: (listener, resumeAfter) => venue.start({
        report: (report) => { listener.report(report); },
        connection: (state) => { listener.connection(state); },
      }, resumeAfter),
      send: (order, receipt) => {
        if (this.#dieAt === 'beforeSend') {
          this.crash('crashBeforeSend');
          return;
        }
        venue.send(order, receipt);
        if (this.#dieAt === 'afterSend') this.crash('crashAfterSend');
      },
      cancel: (request) => { venue.cancel(request); },
      reconcile: (clOrdIds) => { venue.reconcile(clOrdIds); },
      stop: () => venue.stop(),
    };
  }

  #markOften(life: Life): void {
    life.timers.at(plusMs(life.timers.now(), MARK_EVERY_MS), () => {
      markAccounts(life.house);
      this.#markOften(life);
    });
  }

  /** No planned fault makes a house give up: that it did is a finding, and it starts anew. */
  #failed(life: Life, error: unknown): void {
    if (life.isDead) return;
    this.auditor.found('house-failed', error instanceof Error ? (error.stack ?? error.message) : String(error));
    this.crash('crash');
  }

  /** Compares memory with the records where both tell of the same moment. */
  compare(): void {
    const life = this.#life;
    if (life?.isUp === true && life.assembled.sequencer.nextSeq === this.memory.lines.length) this.auditor.compareLive(life.state);
  }
}
