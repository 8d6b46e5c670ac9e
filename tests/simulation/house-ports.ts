/** The ports of one life of the house, all of which end with it: a timer of a dead house never runs, a call never returns. */
import type { EmergencyEntry, EmergencyLog } from '../../compliance/emergency.ts';
import type { LogStore, StoredLine } from '../../compliance/journal.ts';
import { contentHash } from '../../compliance/canonical.ts';
import type { Market } from '../../execution/market.ts';
import { fixedRule, type RoutingPolicy } from '../../execution/route.ts';
import type { Timer, Timers } from '../../execution/time.ts';
import type { Json } from '../../risk/domain/record.ts';
import { plusMs, type Ns } from '../../risk/domain/time.ts';
import { faultyStore, type Fault as StoreFault, type FaultyStore, type MemoryStore } from '../doubles/store.ts';
import type { Fault } from './faults.ts';
import type { Random } from './random.ts';

/** The world's time as this house reads it: late by `skewMs` after its clock stepped back. As real timers do, it never runs an item early. */
export class HouseTimers implements Timers {
  readonly #world: Timers;
  #isAlive = true;
  #skewMs = 0;

  constructor(world: Timers) { this.#world = world; }

  now(): Ns { return plusMs(this.#world.now(), -this.#skewMs); }

  at(when: Ns, run: () => void): Timer {
    let isCancelled = false;
    const arm = (): void => {
      this.#world.at(plusMs(when, this.#skewMs), () => {
        if (!this.#isAlive || isCancelled) return;
        if (this.now() < when) arm();
        else run();
      });
    };
    arm();
    return { cancel: () => { isCancelled = true; } };
  }

  stepBack(ms: number): void { this.#skewMs += ms; }
  kill(): void { this.#isAlive = false; }
}

export interface StoreWays {
  readonly timers: HouseTimers;
  readonly random: Random;
  readonly mischief: () => number;
  readonly fired: (fault: Fault) => void;
  /** Nothing answers before this instant. */
  readonly downUntil: () => Ns;
}

const STORE_FAULTS: Readonly<Record<Exclude<StoreFault, 'stolen'>, Fault>> = {
  refused: 'storeRefused', persisted: 'storePersisted', late: 'storeLate', prefix: 'storePrefix',
};
const SHARES = { refused: 3, persisted: 3, late: 2, prefix: 1 } as const;
const DEADLINE_MS = 1_000;

/** The store as one house reaches it: with latency, and failing at will. What was on its way when the house died may have arrived. */
export class HouseStore {
  readonly store: LogStore;
  readonly #memory: MemoryStore;
  readonly #faulty: FaultyStore;
  readonly #ways: StoreWays;
  readonly #inFlight = new Set<readonly StoredLine[]>();

  constructor(memory: MemoryStore, ways: StoreWays) {
    this.#memory = memory;
    this.#ways = ways;
    this.#faulty = faultyStore(memory, (call) => this.#plan(call));
    const faulty = this.#faulty;
    const slowly = async <T>(read: () => Promise<T>): Promise<T> => {
      await this.#pause(ways.random.int(1, 3));
      return read();
    };
    this.store = {
      append: async (lines) => {
        this.#inFlight.add(lines);
        await this.#pause(this.#latency());
        this.#inFlight.delete(lines);
        await faulty.append(lines);
      },
      read: (from, limit) => slowly(() => faulty.read(from, limit)),
      search: (from, to, texts, limit) => slowly(() => faulty.search(from, to, texts, limit)),
      size: () => slowly(() => faulty.size()),
      bySubject: (subject) => slowly(() => faulty.bySubject(subject)),
      hashes: (from, to) => slowly(() => faulty.hashes(from, to)),
      putBlob: (hash, text) => memory.putBlob(hash, text),
      getBlob: (hash) => memory.getBlob(hash),
    };
  }

  /** The connection ends: a write that was on its way has happened or has not, and what was late does or does not land. */
  async kill(): Promise<void> {
    const { random } = this.#ways;
    const [waiting] = this.#inFlight;
    this.#inFlight.clear();
    if (waiting !== undefined && random.chance(0.5)) {
      await this.#memory.append(waiting).catch(() => undefined); // refused where a late write of the same lines was first
    } else if (random.chance(0.5)) {
      await this.#faulty.append([]).catch(() => undefined);
    }
  }

  #isDown(): boolean { return this.#ways.downUntil() > this.#ways.timers.now(); }

  #latency(): number {
    const { random, mischief, fired } = this.#ways;
    if (this.#isDown()) return DEADLINE_MS;
    if (!random.chance(0.02 * mischief())) return random.int(1, 12);
    fired('storeSlow');
    return random.int(50, 900);
  }

  #plan(call: 'append' | 'read'): StoreFault | null {
    const { random, mischief, fired } = this.#ways;
    if (this.#isDown()) {
      fired('storeDown');
      return call === 'append' && random.chance(0.2) ? 'persisted' : 'refused';
    }
    if (!random.chance((call === 'append' ? 0.04 : 0.02) * mischief())) return null;
    if (call === 'read') {
      fired('readRefused');
      return 'refused';
    }
    const fault = random.weighted(SHARES);
    fired(STORE_FAULTS[fault]);
    return fault;
  }

  #pause(ms: number): Promise<void> {
    const { timers } = this.#ways;
    return new Promise((resolve) => { timers.at(plusMs(timers.now(), ms), resolve); });
  }
}

/** The emergency file as a disk keeps it: what `append` has returned for survives the house. */
export class EmergencyDisk {
  /** All that was ever done through it. */
  readonly history: EmergencyEntry[] = [];
  #entries: EmergencyEntry[] = [];

  get size(): number { return this.#entries.length; }

  open(): EmergencyLog {
    return {
      entries: () => [...this.#entries],
      append: (at, deeds) => {
        const made = deeds.map(({ kind, body }, i) => {
          const text = JSON.stringify(body);
          const whole = { n: this.#entries.length + i, count: this.history.length + i, body: JSON.parse(text) as Json };
          return { n: whole.n, at, kind, body: whole.body, hash: contentHash(whole) };
        });
        this.#entries.push(...made);
        this.history.push(...made);
        return made;
      },
      archive: () => { this.#entries = []; },
      close: () => undefined,
    };
  }
}

/** The market as the house sees it: at times without a quote. */
export function patchyMarket(market: Market, isMissing: (symbol: string) => boolean): Market {
  return {
    source: market.source,
    quote: (symbol) => (isMissing(symbol) ? null : market.quote(symbol)),
    watch: (symbol) => { market.watch(symbol); },
    unwatch: (symbol) => { market.unwatch(symbol); },
    onEvent: (listener) => { market.onEvent(listener); },
    start: () => { market.start(); },
    stop: () => undefined,
  };
}

/** Routes that also rest, so that slices work at the venue for a while. */
export function wideRouter(random: Random): RoutingPolicy {
  return {
    choose(context) {
      const crossing = fixedRule.choose(context);
      const nearPx = context.side === 'buy' ? context.bidPx : context.askPx;
      switch (random.pick(['cross', 'post', 'peg', 'pov'] as const)) {
        case 'cross': return crossing;
        case 'post': return { ...crossing, arm: 'post', order: { type: 'limit', limitPx: nearPx, tif: 'day', participation: null } };
        case 'peg': return { ...crossing, arm: 'peg', order: { ...crossing.order, type: 'pegged', tif: 'gtc' } };
        case 'pov': return { ...crossing, arm: 'pov', order: { ...crossing.order, type: 'pov', tif: 'day', participation: 0.2 } };
      }
    },
  };
}
