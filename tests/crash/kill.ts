/** kill -9 at random moments under load, round after round on one DATA_DIR: recovery is recovered from. */
import { setTimeout as pause } from 'node:timers/promises';
import { acknowledgedIsThere, Auditor, checkpointGrows, inFlightIsResolved, noDefects, nothingIsUnknown, repeatsAgree } from './audit.ts';
import { Load } from './load.ts';
import type { Random } from './random.ts';
import { until } from './processes.ts';
import { type Gateway, type Site } from './site.ts';

const CONNECTIONS = 6;
const LOAD_MS = { from: 200, to: 1_500 };
const START_MS = { from: 20, to: 2_500 };

/** Who dies. `…, then`: the gateway lives on for a while under load, until it is killed too. */
const VICTIMS = ['the gateway', 'the gateway and its PostgreSQL', 'the gateway and the venue', 'the venue, then the gateway', 'PostgreSQL, then the gateway'] as const;
type Victim = (typeof VICTIMS)[number];

export interface Round {
  readonly victim: Victim;
  readonly acknowledged: number;
  readonly inFlight: number;
  /** Of those in flight: found in the log. The others were never heard of. */
  readonly there: number;
  readonly faults: readonly string[];
}

const DEATHS: Readonly<Record<Victim, (run: KillRun, gateway: Gateway) => Promise<void>>> = {
  'the gateway': async (_, gateway) => { await gateway.kill(); },
  'the gateway and its PostgreSQL': async (run, gateway) => {
    run.killPostgres();
    await gateway.kill();
  },
  'the gateway and the venue': async (run, gateway) => {
    const dead = gateway.kill();
    await run.site.killVenue();
    await dead;
  },
  'the venue, then the gateway': async (run, gateway) => {
    await run.site.killVenue();
    await run.moment(LOAD_MS);
    await run.site.untilReady();
    await run.moment(LOAD_MS);
    await gateway.kill();
  },
  'PostgreSQL, then the gateway': async (run, gateway) => {
    run.killPostgres();
    await run.moment(LOAD_MS);
    await run.site.untilReady();
    await run.moment(LOAD_MS);
    await gateway.kill();
  },
};

export class KillRun {
  readonly site: Site;
  readonly #random: Random;
  readonly #auditor: Auditor;
  #gateway: Gateway | null = null;
  #round = 0;

  constructor(site: Site, random: Random) {
    this.site = site;
    this.#random = random;
    this.#auditor = new Auditor(site);
  }

  moment({ from, to }: { readonly from: number; readonly to: number }): Promise<void> {
    return pause(this.#random.between(from, to));
  }

  killPostgres(): void {
    const { postmaster } = this.site;
    if (postmaster !== null) process.kill(postmaster.pid, 'SIGKILL');
  }

  async round(): Promise<Round> {
    this.#gateway ??= await this.#start(1);
    const victim = VICTIMS[this.#round % VICTIMS.length] as Victim;
    const load = new Load(this.site, this.#random, `R${String(this.#round)}`);
    this.#round += 1;
    const running = load.run(CONNECTIONS);
    await this.moment(LOAD_MS);
    await DEATHS[victim](this, this.#gateway);
    load.stop();
    await running;
    const published = this.site.checkpoint;
    this.#gateway = await this.#start(0);

    await nothingIsUnknown(this.site);
    const { log } = this.#auditor;
    await log.advance();
    const lost = acknowledgedIsThere(log.records, load);
    const { there, faults } = await inFlightIsResolved(this.site, [...log.records], load);
    const repeats = await repeatsAgree(this.site, load);
    await nothingIsUnknown(this.site);
    const house = await this.#auditor.look();
    const all = [...noDefects(load), ...lost, ...faults, ...repeats, ...house, ...await checkpointGrows(this.site, published)];
    return { victim, acknowledged: load.acknowledged.length, inFlight: load.inFlight.length, there, faults: all };
  }

  /** Now and then the start is killed as well, and at least so many times. */
  async #start(atLeast: number): Promise<Gateway> {
    for (let killed = 0; killed < atLeast || this.#random.next() < 0.3; killed++) {
      const stillborn = this.site.launch();
      await this.moment(START_MS);
      await stillborn.kill();
    }
    return this.site.start();
  }

  /** With grace, at the end. */
  async finish(): Promise<readonly string[]> {
    const gateway = this.#gateway;
    if (gateway === null) return [];
    const end = await gateway.kill('SIGTERM');
    await until('PostgreSQL has stopped', () => this.site.postmaster === null);
    return end === 0 ? [] : [`the gateway ended with ${String(end)}: ${gateway.said.join(' | ')}`];
  }
}
