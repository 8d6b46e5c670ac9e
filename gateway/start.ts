/** The composition root: every port is made here, in the order in which a start needs them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { canonicalize } from '../compliance/canonical.ts';
import { emergencyPath, openEmergency, type EmergencyLog } from '../compliance/emergency.ts';
import { fold, parseRecord, subjectOf } from '../compliance/fold.ts';
import type { RecordBodies } from '../compliance/records.ts';
import { createSequencer, type Sequencer } from '../compliance/sequencer.ts';
import { fixedRule } from '../execution/route.ts';
import { realTimers } from '../execution/timers/real.ts';
import type { Timers } from '../execution/time.ts';
import { NS_PER_MS } from '../risk/domain/time.ts';
import { policyJson } from '../risk/policy-file.ts';
import type { PolicyInForce } from '../risk/policy.ts';
import { universeJson } from '../risk/universe.ts';
import { issueToken, openIssuer, type Grant, type Issuer } from './auth/issuer.ts';
import { openKeyFile } from './auth/key-file.ts';
import { startBackground } from './background.ts';
import type { Config } from './config.ts';
import { emergencyAct, emergencyCancel } from './emergency.ts';
import { EventHub } from './events.ts';
import { listen } from './faces.ts';
import type { House } from './house.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { openLog, type OpenLog } from './open-log.ts';
import { formerPolicy, readPolicy, storePolicy } from './policy.ts';
import { adoptEmergency, askVenues, openingDrafts, resumeParents } from './recovery.ts';
import { selfCheck } from './self-check.ts';
import { createService } from './service/index.ts';
import { Refusals } from './service/refusals.ts';
import { Transparency } from './transparency.ts';
import { VenueDesk } from './venue-desk.ts';
import { openMarket, openVenue, type Surroundings } from './venues.ts';

export interface Gateway {
  readonly url: string;
  readonly house: House;
  /** A token of the development issuer. */
  readonly token: (grant: Grant) => Promise<string>;
  /** Verifies the stored log from where the last call stopped; one line. */
  readonly verified: () => Promise<string>;
  /** Takes nothing new, waits until everything taken is durable, then ends what was started. */
  readonly stop: () => Promise<void>;
}

export interface StartPorts {
  readonly node: Pick<RecordBodies['node.started'], 'version' | 'commit' | 'lockfileHash'>;
  /** For the operator: one line each. */
  readonly say: (line: string) => void;
  /** The state is of no use any more: the process must end, and recovery takes over. */
  readonly fatal: (error: unknown) => void;
}

export async function startGateway(config: Config, ports: StartPorts): Promise<Gateway> {
  const wanted = readPolicy(config.policy, config.universe);
  const issuer = openIssuer(config.dataDir);
  const opened = await openLog(config, ports.say);
  try {
    return await startOn(config, ports, wanted, issuer, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** What a start has made, before anything moves. */
interface Made {
  readonly config: Config;
  readonly ports: StartPorts;
  readonly wanted: PolicyInForce;
  readonly opened: OpenLog;
  readonly surroundings: Surroundings;
  /** The wall's timers: checkpoints, retries and the kill file do not wait for a market. */
  readonly wall: ReturnType<typeof realTimers>;
  readonly desk: VenueDesk;
  readonly transparency: Transparency;
  readonly hub: EventHub;
  readonly emergency: EmergencyLog;
}

async function startOn(config: Config, ports: StartPorts, wanted: PolicyInForce, issuer: Issuer, opened: OpenLog): Promise<Gateway> {
  const { log, store, head } = opened;
  const transparency = new Transparency(log, store, config.dataDir, openKeyFile(config.dataDir, 'log.key.pem'));
  await transparency.load(head.size);
  await storePolicy(store, wanted);
  const settle = { until: (): Promise<void> => Promise.resolve() };
  const surroundings = await openMarket(config, { universe: wanted.universe, resumeAt: head.at, settle: () => settle.until(), failed: ports.fatal });
  const hub = new EventHub(store, head.size, accountOf(wanted), (error) => { ports.say(`the past cannot be read: ${String(error)}`); });
  const emergency = openEmergency(emergencyPath(config.dataDir));
  const made: Made = { config, ports, wanted, opened, surroundings, wall: realTimers(), desk: new VenueDesk(), transparency, hub, emergency };
  const running = assemble(made);
  settle.until = () => settled(running.sequencer);
  await recover(made, running);

  const { house, sequencer, metrics } = running;
  const refusals = new Refusals(house);
  const service = createService({ house, store, transparency, refusals, begin: surroundings.begin });
  const faces = await listen({ config, issuer, service, hub, house, sequencer, registry: metrics.registry, onDefect: ports.say });
  return {
    url: faces.url, house, verified: selfCheck(store), token: (grant) => issueToken(issuer, grant, Date.now()),
    async stop() {
      await faces.close();
      refusals.flush();
      await close(made, sequencer);
    },
  };
}

interface Running {
  readonly house: House;
  readonly sequencer: Sequencer;
  readonly metrics: Metrics;
  /** What a start has come through: from here on strategies are served. */
  readonly started: () => void;
}

/** The sequencer and the house, which know each other through what happens to the log. */
function assemble(made: Made): Running {
  const { config, ports, wanted, opened, surroundings, wall, desk, transparency, hub, emergency } = made;
  const trouble = new Trouble();
  let isStarting = true;
  let stepBackMs = 0;
  const sequencer: Sequencer = createSequencer({
    log: opened.log, head: opened.head, store: opened.store, clock: surroundings.timers, timers: wall, subjectOf, fold: foldInto(opened, wanted),
    events: {
      onDurable(records, lines) {
        for (const { hash } of lines) transparency.add(hash);
        hub.publish(lines);
        metrics.count(records);
      },
      onTrouble(error) {
        ports.say(`the log cannot be written: ${error.message}`);
        trouble.began();
      },
      onEmergency() { emergencyCancel(house, 'the log cannot be written'); },
      onRecovered() {
        ports.say('the log is written again');
        adoptEmergency(house, emergency, emergencyPath(config.dataDir));
      },
      onFatal(error) {
        emergencyCancel(house, 'the log is not ours any more');
        ports.fatal(error);
      },
      onClockStep(back) { stepBackMs = Math.max(stepBackMs, Number(back / NS_PER_MS)); },
    },
  });
  const waitingFor = (): string | null => {
    if (isStarting) return 'the start';
    if (sequencer.state !== 'flowing') return 'the log';
    return desk.missing === null ? null : `venue ${desk.missing}`;
  };
  const metrics = createMetrics({
    logLag: () => sequencer.nextSeq - sequencer.durableSize, durable: () => sequencer.durableSize, ready: () => waitingFor() === null,
  });
  const house = houseOf(opened, sequencer, surroundings, {
    venues: desk.venues, emergency: emergencyAct(emergency, surroundings.timers), clockStepBackMs: () => stepBackMs, fail: ports.fatal, waitingFor,
    unwritable: () => trouble.now(() => sequencer.state !== 'flowing'),
  });
  return { house, sequencer, metrics, started: () => { isStarting = false; } };
}

/** From the folded log to a gateway that serves: nothing new is taken before the last line of this. */
async function recover(made: Made, { house, sequencer, started }: Running): Promise<void> {
  const { config, ports, wanted, opened, surroundings, wall, desk, transparency, emergency } = made;
  const node = { ...ports.node, ...buildOf(surroundings), policyHash: wanted.hash, resumedAt: opened.head.size };
  await sequencer.append(openingDrafts(house, node, wanted)).durable;
  adoptEmergency(house, emergency, emergencyPath(config.dataDir));
  for (const policy of wanted.policy.venues) {
    const ways = { config, log: opened.log, surroundings, universe: wanted.universe, execution: opened.state.execution, onFault: ports.say };
    await desk.connect(house, await openVenue(policy, ways));
  }
  askVenues(house);
  surroundings.market.start();
  resumeParents(house);
  startBackground({ house, transparency, dataDir: config.dataDir, wall, hasEnded: surroundings.hasEnded });
  if (surroundings.hasBegun || opened.state.execution.parents.size > 0) surroundings.begin();
  started();
}

/** In the order in which nothing is lost: no new input, then everything durable, then the database. */
async function close({ surroundings, wall, desk, transparency, opened, emergency }: Made, sequencer: Sequencer): Promise<void> {
  surroundings.market.stop();
  surroundings.timers.stop();
  await desk.stop();
  await sequencer.close();
  wall.stop();
  transparency.publish();
  emergency.close();
  await opened.close();
}

const accountOf = ({ policy }: PolicyInForce) => (strategy: string): string | null => policy.strategies.find(({ id }) => id === strategy)?.account ?? null;

/** Policies come in force by hash; at run time only the one that this start has read can. */
function foldInto({ state }: OpenLog, wanted: PolicyInForce): Parameters<typeof createSequencer>[0]['fold'] {
  const blobs = new Map([[wanted.hash, canonicalize(policyJson(wanted.policy))], [wanted.universeHash, canonicalize(universeJson(wanted.universe))]]);
  return (record) => { fold(state, record, (hash) => blobs.get(hash) ?? null); };
}

/** Everything that was appended is durable, and what waited for it has had its turn. */
async function settled(sequencer: Sequencer): Promise<void> {
  do {
    if (sequencer.durableSize < sequencer.nextSeq) await sequencer.whenDurable(sequencer.nextSeq - 1);
    await nextTurn();
  } while (sequencer.durableSize < sequencer.nextSeq);
}

const buildOf = ({ clock }: Surroundings): Pick<RecordBodies['node.started'], 'node' | 'v8' | 'arch' | 'clock'> =>
  ({ arch: process.arch, clock, node: process.versions.node, v8: process.versions.v8 });

/** Those who cannot wait for the log learn here that it cannot be written. */
class Trouble {
  #waiting: (() => void)[] = [];

  began(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  now(isTrouble: () => boolean): Promise<void> {
    return isTrouble() ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

type Ways = Pick<House, 'venues' | 'emergency' | 'fail' | 'unwritable' | 'waitingFor' | 'clockStepBackMs'>;

function houseOf({ state, store }: OpenLog, sequencer: Sequencer, { timers, market }: { readonly timers: Timers; readonly market: House['market'] }, ways: Ways): House {
  const former = new Map<string, Promise<PolicyInForce>>();
  return {
    state, journal: sequencer, timers, market, router: fixedRule, ...ways,
    admits: () => ways.waitingFor() === null && sequencer.accepts('strategy'),
    lookUp: async (subject) => (await store.bySubject(subject)).map(({ canonical }) => parseRecord(canonical)),
    records: async (from, to) => (await store.read(from, to - from)).map(({ canonical }) => parseRecord(canonical)),
    receiptOf: (seq) => sequencer.whenDurable(seq),
    policyOf: (hash) => {
      const inForce = state.risk.policy;
      if (inForce?.hash === hash) return Promise.resolve(inForce);
      const known = former.get(hash) ?? formerPolicy(store, hash, inForce?.universeHash ?? '');
      former.set(hash, known);
      return known;
    },
  };
}
