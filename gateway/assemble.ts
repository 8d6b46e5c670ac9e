/** The house put together from its ports and brought up: one wiring of what happens to the log, for the gateway and for the simulation. */
import { parseRecord, POLICIES, subjectOf, type State } from '../compliance/fold.ts';
import type { EmergencyLog } from '../compliance/emergency.ts';
import { leafHash } from '../compliance/canonical.ts';
import type { LogStore, StoredRecord } from '../compliance/journal.ts';
import { draft, SYSTEM, type RecordBodies } from '../compliance/records.ts';
import type { Head } from '../compliance/seal.ts';
import { createSequencer, type Sequencer, type SequencerEvents, type SequencerOptions } from '../compliance/sequencer.ts';
import type { Market } from '../execution/market.ts';
import { isOpen } from '../execution/order-state.ts';
import type { RoutingPolicy } from '../execution/route.ts';
import type { Timers } from '../execution/time.ts';
import { msBetween, NS_PER_MS, type Ns } from '../risk/domain/time.ts';
import type { LogRecord } from '../risk/domain/record.ts';
import type { PolicyInForce, VenuePolicy } from '../risk/policy.ts';
import { FIRM, stateOf } from '../risk/switches.ts';
import { emergencyAct, emergencyCancel } from './emergency.ts';
import { haltFirm } from './flows/flip-switch.ts';
import type { House } from './house.ts';
import { formerPolicies } from './policy.ts';
import { adoptEmergency, askVenues, openingDrafts, policyWarning, resumeParents } from './recovery.ts';
import { Trouble } from './trouble.ts';
import { VenueDesk } from './venue-desk.ts';
import type { OpenVenue } from './venues.ts';

export interface HousePorts {
  readonly log: string;
  /** Of the store, and the state that was folded up to it. */
  readonly head: Head;
  readonly state: State;
  readonly store: LogStore;
  /** Folds what is appended into the state. Policies come in force by hash; at run time only the ones that this start has read can. */
  readonly fold: (record: LogRecord) => void;
  /** The clock that the log keeps: the wall's or a replayed market's. */
  readonly timers: Timers;
  /** The wall's: retries and the emergency do not wait for a market. */
  readonly wall: Timers;
  readonly market: Market;
  readonly router: RoutingPolicy;
  readonly emergency: EmergencyLog;
  readonly onDurable: SequencerEvents['onDurable'];
  /** For the operator: one line each. */
  readonly say: (line: string) => void;
  /** The state is of no use any more: the process must end, and recovery takes over. */
  readonly fatal: (error: unknown) => void;
  readonly killed: House['killed'];
  readonly defer?: NonNullable<SequencerOptions['defer']>;
}

export interface Assembled {
  readonly house: House;
  readonly sequencer: Sequencer;
  readonly desk: VenueDesk;
  /** What a start has come through: from here on strategies are served. */
  readonly started: () => void;
}

/** The sequencer and the house, which know each other through what happens to the log. */
export function assemble(ports: HousePorts): Assembled {
  const { say, fatal, emergency, timers, wall, fold, onDurable, log, head, store, defer = setImmediate } = ports;
  const trouble = new Trouble();
  const desk = new VenueDesk();
  let isStarting = true;
  const sequencer: Sequencer = createSequencer({
    log, head, store, clock: timers, timers: wall, subjectOf, defer, fold,
    events: {
      onDurable,
      onTrouble(error) {
        say(`the log cannot be written: ${error.message}`);
        trouble.began();
      },
      onEmergency() { emergencyCancel(house, 'the log cannot be written'); },
      onRecovered() {
        say('the log is written again');
        if (sequencer.accepts('reserved')) adoptEmergency(house, emergency); // else it is closed, and the next start adopts
      },
      onFatal(error) {
        emergencyCancel(house, 'the log is not ours any more');
        fatal(error);
      },
      // After the turn: this is told in the midst of an append, whose records have their seq already.
      onClockStep(back) { timers.at(timers.now(), () => { raiseClockAlert(house, back); }); },
    },
  });
  const waitingFor = (): string | null => {
    if (isStarting) return 'the start';
    if (desk.isStopping) return 'the stop';
    if (sequencer.state !== 'flowing') return 'the log';
    return desk.missing === null ? null : `venue ${desk.missing}`;
  };
  const house = houseOf(ports, sequencer, {
    venues: desk.venues, heardOf: (clOrdId, withinMs) => desk.heardOf(timers, clOrdId, withinMs),
    emergency: emergencyAct(emergency, timers, say), fail: fatal, waitingFor,
    clockStepBackMs: () => Math.max(0, msBetween(sequencer.headAt, timers.now())), unlessUnwritable: (durable) => trouble.unless(durable, sequencer.state !== 'flowing'),
  });
  return { house, sequencer, desk, started: () => { isStarting = false; } };
}

/** Until the clock has caught up with the log, decisions see how far it is behind, and the check CLOCK denies. */
function raiseClockAlert({ journal, fail }: House, back: Ns): void {
  const detail = `the clock stepped back by ${String(back / NS_PER_MS)} ms`;
  journal.append([draft('alert.raised', SYSTEM, null, { code: 'CLOCK', detail })]).durable.catch(fail);
}

type Ways = Pick<House, 'venues' | 'heardOf' | 'emergency' | 'fail' | 'unlessUnwritable' | 'waitingFor' | 'clockStepBackMs'>;

/** What the database gives back is input: a text that does not give its hash is nobody's record. */
function checkedRecord({ seq, canonical, hash }: StoredRecord): LogRecord {
  if (leafHash(canonical) !== hash) throw new Error(`the database gives another text for record ${String(seq)}`);
  return parseRecord(canonical);
}

function houseOf({ head, state, store, timers, market, router, killed }: HousePorts, sequencer: Sequencer, ways: Ways): House {
  const lookUp: House['lookUp'] = async (subject) => (await store.bySubject(subject)).map(checkedRecord);
  const policyBefore = formerPolicies(store, () => lookUp(POLICIES));
  return {
    state, journal: sequencer, timers, market, router, killed, ...ways, lookUp,
    admits: () => ways.waitingFor() === null && sequencer.accepts('strategy'),
    records: async (from, to) => (await store.read(from, to - from)).map(checkedRecord),
    // A policy comes in force at a start and nowhere else.
    policyAt: async (seq) => (seq >= head.size && state.risk.policy !== null ? state.risk.policy : await policyBefore(seq)),
  };
}

export interface Opening {
  readonly node: RecordBodies['node.started'];
  readonly wanted: PolicyInForce;
  readonly emergency: EmergencyLog;
  readonly openVenue: (policy: VenuePolicy) => Promise<OpenVenue>;
  /** For the operator: one line each. */
  readonly say: (line: string) => void;
}

/**
 * From the folded log to a house that works. A crash before the first append is durable leaves nothing; one after it leaves a start in
 * the log that the next one repeats.
 */
export async function bringUp(house: House, desk: VenueDesk, { node, wanted, emergency, openVenue, say }: Opening): Promise<void> {
  refuseForsaken(house, wanted);
  const warning = policyWarning(house.state.risk.policy, wanted);
  if (warning !== null) say(warning);
  await house.journal.append(openingDrafts(house, node, wanted)).durable;
  adoptEmergency(house, emergency);
  for (const policy of wanted.policy.venues) await desk.connect(house, await openVenue(policy));
  const reason = house.killed();
  if (reason !== null && stateOf(house.state.risk, FIRM) !== 'halted') haltFirm(house, reason);
  askVenues(house);
  house.market.start();
  resumeParents(house);
}

/**
 * A venue that the policy leaves out is not connected, and a name that the universe leaves out no venue of ours knows: nothing could cancel
 * what still works there. Said before anything is recorded, or the log would have what never was in force.
 */
function refuseForsaken({ state: { execution } }: House, { policy, universe }: PolicyInForce): void {
  const venues = new Set(policy.venues.map(({ id }) => id));
  for (const { state, order: { symbol, venue } } of execution.children.values()) {
    if (!isOpen(state)) continue;
    if (!venues.has(venue)) throw new Error(`orders still work at ${venue}, which the policy file does not name: name it until they have ended`);
    if (!universe.has(symbol)) throw new Error(`orders still work in ${symbol}, which the universe file does not name: name it until they have ended`);
  }
}
