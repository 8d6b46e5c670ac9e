/** Runs a seed to its end and says what the auditor found. */
import type { StoredLine } from '../../compliance/journal.ts';
import { Callers } from './commands.ts';
import type { Finding } from './auditor.ts';
import type { Fired } from './faults.ts';
import type { Plant } from './planted.ts';
import { World } from './world.ts';

export interface SeedResult {
  readonly seed: number;
  readonly commands: number;
  /** The log as stored. */
  readonly lines: readonly StoredLine[];
  /** Hash of the last record: equal seeds give equal logs. */
  readonly head: string;
  readonly fired: Fired;
  readonly findings: readonly Finding[];
}

const MEAN_PAUSE_MS = 250;
const COMPARE_EVERY = 10;
/** Longer than any timeout, retry or horizon. */
const CALM_MS = 60_000;
/** Longer than a report takes when nothing fails: what works still trades. */
const ON_ITS_WAY_MS = 1_000;
/** Not answered by a store that was planned to fail: the caller was told so. */
const isPlanned = (error: unknown): boolean => error instanceof Error && error.message.startsWith('planned:');

export async function runSeed(seed: number, commands: number, plant: Plant | null = null): Promise<SeedResult> {
  const world = new World(seed, plant);
  // what nobody waits for and fails all the same would end the gateway's process
  const unheard = (error: unknown): void => { world.auditor.found('unheard-failure', error instanceof Error ? (error.stack ?? '') : String(error)); };
  process.on('unhandledRejection', unheard);
  try {
    return await run(world, commands);
  } finally {
    process.off('unhandledRejection', unheard);
  }
}

async function run(world: World, commands: number): Promise<SeedResult> {
  const callers = new Callers(world.random);
  let done = 0;
  while (done < commands && world.auditor.findings.length === 0) {
    await world.pass(world.random.wait(MEAN_PAUSE_MS));
    const { house } = world;
    if (house !== null) {
      done++;
      callers.act(house).then(
        ({ outcome, receipt }) => {
          if (receipt !== null && receipt !== undefined && world.memory.lines.length <= receipt.seq) world.auditor.found('answered-before-durable', outcome);
        },
        (error: unknown) => { if (!isPlanned(error)) world.auditor.found('command-failed', error instanceof Error ? (error.stack ?? '') : String(error)); },
      );
    }
    world.disturb();
    if (done % COMPARE_EVERY === 0) world.compare();
  }
  if (world.auditor.findings.length === 0) await calmDown(world, callers);
  world.auditor.auditLog();
  const { lines } = world.memory;
  return { seed: world.seed, commands: done, lines, head: lines.at(-1)?.hash ?? '', fired: world.fired, findings: world.auditor.findings };
}

/** Nothing fails any more; everything is taken back; then all must agree. */
async function calmDown(world: World, callers: Callers): Promise<void> {
  world.calm();
  await world.pass(CALM_MS);
  const heard = world.exchange.reports.length;
  await world.pass(ON_ITS_WAY_MS);
  world.compare();
  const { house } = world;
  if (house === null) {
    world.auditor.found('never-up', 'the house does not come up although nothing fails');
    return;
  }
  world.auditor.compareVenue(world.exchange, heard);
  world.auditor.compareCalm(world.disk);
  const settling = callers.settle(house);
  await world.pass(CALM_MS);
  await settling;
  world.compare();
  world.auditor.compareVenue(world.exchange, world.exchange.reports.length);
  world.auditor.compareRest(house.state);
}
