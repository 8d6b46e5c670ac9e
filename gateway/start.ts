/** The composition root: every port is made here, in the order in which a start needs them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { canonicalize } from '../compliance/canonical.ts';
import { emergencyPath, openEmergency, type EmergencyLog } from '../compliance/emergency.ts';
import { fold } from '../compliance/fold.ts';
import type { RecordBodies } from '../compliance/records.ts';
import type { Sequencer } from '../compliance/sequencer.ts';
import { fixedRule } from '../execution/route.ts';
import { realTimers } from '../execution/timers/real.ts';
import type { LogRecord } from '../risk/domain/record.ts';
import { policyJson } from '../risk/policy-file.ts';
import type { PolicyInForce } from '../risk/policy.ts';
import type { SwitchFlipped } from '../risk/records.ts';
import { universeJson } from '../risk/universe.ts';
import { assemble, bringUp, type Assembled } from './assemble.ts';
import { issueToken, openIssuer, type Grant, type Issuer } from './auth/issuer.ts';
import { openKeyFile } from './auth/key-file.ts';
import { startBackground } from './background.ts';
import { Behind } from './behind.ts';
import type { Config } from './config.ts';
import { drained } from './drained.ts';
import { endAll } from './end-all.ts';
import { EventHub } from './events.ts';
import { listen } from './faces.ts';
import { readKillFile } from './kill-file.ts';
import { emergencyCancel } from './emergency.ts';
import { accountOfStrategy, type House } from './house.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { openLog, type OpenLog } from './open-log.ts';
import { readPolicy, storePolicy } from './policy.ts';
import { selfCheck } from './self-check.ts';
import { flipLine } from './sentences.ts';
import { createService } from './service/index.ts';
import { Refusals } from './service/refusals.ts';
import { Transparency } from './transparency.ts';
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
  readonly transparency: Transparency;
  readonly hub: EventHub;
  readonly emergency: EmergencyLog;
  readonly behind: Behind;
}

async function startOn(config: Config, ports: StartPorts, wanted: PolicyInForce, issuer: Issuer, opened: OpenLog): Promise<Gateway> {
  const { log, store, head } = opened;
  const transparency = new Transparency(log, store, config.dataDir, openKeyFile(config.dataDir, 'log.key.pem'));
  await transparency.load(head.size);
  await storePolicy(store, wanted);
  const settle = { until: (): Promise<void> => Promise.resolve() };
  const surroundings = await openMarket(config, { universe: wanted.universe, resumeAt: head.at, settle: () => settle.until(), failed: ports.fatal });
  const hub = new EventHub(store, head.size, (strategy) => accountOfStrategy(wanted, strategy), (error) => { ports.say(`the past cannot be read: ${String(error)}`); });
  const emergency = openEmergency(emergencyPath(config.dataDir));
  const behind = new Behind(opened, ports.say);
  const made: Made = { config, ports, wanted, opened, surroundings, wall: realTimers(), transparency, hub, emergency, behind };
  const running = run(made);
  settle.until = () => settled(running.sequencer);
  await recover(made, running);

  const { house, sequencer, metrics } = running;
  const refusals = new Refusals(house, made.wall);
  const service = createService({ house, store, transparency, refusals, begin: surroundings.begin });
  const faces = await listen({ config, issuer, service, hub, house, sequencer, registry: metrics.registry, onDefect: ports.say });
  return {
    url: faces.url, house, verified: selfCheck(store), token: (grant) => issueToken(issuer, grant, Date.now()),
    stop: () => endAll(() => faces.close(), () => { refusals.flush(); }, () => close(made, running)),
  };
}

interface Running extends Assembled {
  readonly metrics: Metrics;
}

function run(made: Made): Running {
  const { config, ports, wanted, opened: { log, head, state, store }, surroundings: { timers, market }, wall, transparency, hub, emergency } = made;
  const assembled = assemble({
    log, head, state, store, timers, wall, market, emergency, fold: foldInto(state, wanted), router: fixedRule, say: ports.say, fatal: ports.fatal,
    killed: () => readKillFile(config.dataDir),
    onDurable(records, lines) {
      setImmediate(() => { // those who wait for an answer do not wait for this; who asks for more after it comes later than this
        try {
          for (const { hash } of lines) transparency.add(hash);
          hub.publish(lines);
          metrics.count(records);
          for (const record of records) if (record.kind === 'switch.flipped') ports.say(flipLine(record as LogRecord<string, SwitchFlipped>));
        } catch (error) {
          emergencyCancel(house, 'what is durable cannot be told');
          ports.fatal(error);
        }
      });
    },
  });
  const { house, sequencer } = assembled;
  const metrics = createMetrics({
    logLag: () => sequencer.nextSeq - sequencer.durableSize, durable: () => sequencer.durableSize, ready: () => house.waitingFor() === null,
  });
  return { ...assembled, metrics };
}

/** From the folded log to a gateway that serves: nothing new is taken before the last line of this. */
async function recover(made: Made, { house, desk, started }: Running): Promise<void> {
  const { config, ports, wanted, opened, surroundings, wall, transparency, emergency, behind } = made;
  const { head, forkOf } = opened;
  const node = { ...ports.node, ...buildOf(surroundings), forkOf: head.size === 0 ? forkOf : null, policyHash: wanted.hash, resumedAt: head.size };
  const ways = { config, log: opened.log, surroundings, universe: wanted.universe, execution: opened.state.execution, onFault: ports.say };
  await bringUp(house, desk, { node, wanted, emergency, openVenue: (policy) => openVenue(policy, ways), say: ports.say });
  startBackground({ house, transparency, behind, wall, hasEnded: surroundings.hasEnded, say: ports.say });
  if (surroundings.hasBegun || opened.state.execution.parents.size > 0) surroundings.begin();
  started();
}

/** In the order in which nothing is lost: no new input, then everything durable, then the database. */
async function close({ surroundings, wall, transparency, opened, emergency, behind }: Made, { house, desk, sequencer }: Running): Promise<void> {
  await endAll(
    () => desk.stop(house, wall), // before time stops: a venue in this process answers by it
    () => { surroundings.market.stop(); },
    () => { surroundings.timers.stop(); },
    () => behind.stop(),
    () => drained(sequencer, wall).then(() => nextTurn()), // the tree has its last leaves with the next turn
    () => { wall.stop(); },
    () => transparency.publish(),
    () => { emergency.close(); },
    () => opened.close(),
  );
}

/** Policies come in force by hash; at run time only the one that this start has read can. */
function foldInto(state: OpenLog['state'], wanted: PolicyInForce): (record: LogRecord) => void {
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
