/** Makes the market and the venues that the settings and the policy name. */
import { openReplay } from '../execution/markets/replay.ts';
import { replayMarket } from '../execution/markets/replay-market.ts';
import { syntheticMarket } from '../execution/markets/synthetic.ts';
import type { Market } from '../execution/market.ts';
import type { ExecutionState } from '../execution/state.ts';
import type { Timers } from '../execution/time.ts';
import { realTimers } from '../execution/timers/real.ts';
import { replayedTimers } from '../execution/timers/replayed.ts';
import { isOpen } from '../execution/order-state.ts';
import type { Venue } from '../execution/venue.ts';
import { paperProcessVenue } from '../execution/venues/paper/client.ts';
import type { OpenOrder } from '../execution/venues/paper/engine.ts';
import { spawnPaperProcess } from '../execution/venues/paper/spawn.ts';
import { paperVenue } from '../execution/venues/paper/venue.ts';
import type { Instrument } from '../risk/domain/instrument.ts';
import type { Ns } from '../risk/domain/time.ts';
import type { VenuePolicy } from '../risk/policy.ts';
import type { Config } from './config.ts';

/** The clock that the house keeps, and the market that goes by it. */
export interface Surroundings {
  readonly timers: Timers & { stop(): void };
  readonly market: Market;
  /** `wall`, or the replayed data's name: the first record says which clock the log keeps. */
  readonly clock: string;
  /** Lets a replayed clock run; nothing for the wall's. */
  readonly begin: () => void;
  /** Whether a replayed clock had begun before this start: it goes on without waiting for a command. */
  readonly hasBegun: boolean;
  /** Whether the data is at its end: the market then has no time of its own, and nothing of ours may drive its clock on for ever. */
  readonly hasEnded: () => boolean;
}

export interface MarketPorts {
  readonly universe: ReadonlyMap<string, Instrument>;
  /** `at` of the log's last record: a replayed clock goes on from there. */
  readonly resumeAt: Ns;
  /** For `max`: resolves once everything in flight is durable and reported. */
  readonly settle: () => Promise<void>;
  readonly failed: (error: unknown) => void;
}

export async function openMarket(config: Config, { universe, resumeAt, settle, failed }: MarketPorts): Promise<Surroundings> {
  if (config.market.kind === 'synthetic') {
    const timers = realTimers();
    const market = syntheticMarket({ seed: String(config.marketSeed), universe: [...universe.values()], timers });
    return { timers, market, clock: 'wall', begin: () => undefined, hasBegun: true, hasEnded: () => false };
  }
  const { path } = config.market;
  const source = await openReplay(path).catch((error: unknown) => {
    throw new Error(`MARKET replay:${path}: ${(error as Error).message}`, { cause: error });
  });
  const start = resumeAt > source.first ? resumeAt : source.first;
  const timers = replayedTimers({ start, speed: config.marketSpeed, settle });
  const market = await replayMarket({ source, timers, failed });
  return {
    timers, market, clock: `replay:${source.format}`, begin: () => { timers.begin(); }, hasBegun: resumeAt > source.first, hasEnded: () => market.end() !== null,
  };
}

/** Between a move of the near touch and that of an order pegged to it: a second trip to the venue. */
const REPEG_TRIPS = 2;

export interface VenuePorts {
  readonly config: Config;
  readonly log: string;
  readonly surroundings: Surroundings;
  readonly universe: ReadonlyMap<string, Instrument>;
  readonly execution: ExecutionState;
  readonly onFault: (reason: string) => void;
}

export interface OpenVenue {
  readonly venue: Venue;
  /** Ends what was started for it. */
  readonly stop: () => Promise<void>;
}

export async function openVenue({ id, latencyMs, makerFeeBps, takerFeeBps }: VenuePolicy, ports: VenuePorts): Promise<OpenVenue> {
  const { config, surroundings, universe, execution } = ports;
  const paper = { latencyMs, makerFeeBps, takerFeeBps, repegLatencyMs: latencyMs * REPEG_TRIPS, seed: config.marketSeed };
  if (config.paper === 'process') {
    if (config.market.kind === 'replay') throw new Error('PORTCULLIS_PAPER=process needs MARKET=synthetic: a process of its own cannot follow a replayed clock');
    const settings = { id, paper, marketSeed: String(config.marketSeed), instruments: [...universe.values()] };
    let process = await spawnPaperProcess({ dataDir: config.dataDir, config: settings });
    const revive = async (): Promise<string> => {
      process = await spawnPaperProcess({ dataDir: config.dataDir, config: settings });
      return process.socketPath;
    };
    const venue = paperProcessVenue({ id, socketPath: process.socketPath, revive, gateway: ports.log, onFault: ports.onFault });
    return { venue, stop: async () => { await venue.stop(); await process.stop(); } };
  }
  const { market, timers } = surroundings;
  const venue = paperVenue({ id, config: paper, market, timers, instruments: universe, resume: openOrders(execution, id) });
  return { venue, stop: () => venue.stop() };
}

/** What the log knows to be open at a venue that accepted it: those whose send has no answer yet are not among them. */
function openOrders(execution: ExecutionState, venue: string): OpenOrder[] {
  return [...execution.children.values()]
    .filter((child) => child.order.venue === venue && isOpen(child.state))
    .flatMap(({ order, cumQty, acceptedAt }) => (acceptedAt === null ? [] : [{ order, cumQty, acceptedAt }]));
}
