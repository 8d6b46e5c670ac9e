/** A house in memory: the real journal, fold, checks and flows; time, market, venue and disk do what the test says. */
import { canonicalize, contentHash } from '../../compliance/canonical.ts';
import { fold, emptyState, parseRecord, subjectOf } from '../../compliance/fold.ts';
import type { LogStore } from '../../compliance/journal.ts';
import { EMPTY_HEAD, foldStored } from '../../compliance/recover.ts';
import type { RecordBodies, RecordKind } from '../../compliance/records.ts';
import { createSequencer, type Sequencer } from '../../compliance/sequencer.ts';
import type { Quote } from '../../execution/market.ts';
import { fixedRule } from '../../execution/route.ts';
import type { Clock } from '../../execution/time.ts';
import type { Venue } from '../../execution/venue.ts';
import { parseDecimal } from '../../risk/domain/decimal.ts';
import type { Actor, LogRecord } from '../../risk/domain/record.ts';
import { instant } from '../../risk/domain/time.ts';
import { policyJson } from '../../risk/policy-file.ts';
import type { Limits, Policy, PolicyInForce } from '../../risk/policy.ts';
import { universeJson } from '../../risk/universe.ts';
import { emergencyCancel, type EmergencyAct, type EmergencyDraft } from '../../gateway/emergency.ts';
import type { House } from '../../gateway/house.ts';
import { askVenues, openingDrafts } from '../../gateway/recovery.ts';
import { Trouble } from '../../gateway/trouble.ts';
import { VenueDesk } from '../../gateway/venue-desk.ts';
import { sample } from '../risk/sample.ts';
import { fixedMarket, type FixedMarket } from './market.ts';
import { memoryStore, type MemoryStore } from './store.ts';
import { manualTimers, type ManualTimers } from './timers.ts';
import { scriptedVenue, type ScriptedVenue } from './venue.ts';

export const START = instant('2026-11-20T09:30:00Z');
export const ALICE: Actor = { id: 'alice', role: 'strategy' };
export const OFFICER: Actor = { id: 'olga', role: 'risk_officer' };
const NODE = { forkOf: null, arch: 'x64', clock: 'test', commit: null, lockfileHash: '', node: '20', policyHash: '', resumedAt: 0, v8: '', version: '0' } as const;
/** Symbols that have a quote from the start: 99.99 to 100.01. */
const QUOTED = ['IBM', 'SPY', 'BAC', 'AIG'];

export interface TestHouse {
  readonly house: House;
  readonly sequencer: Sequencer;
  readonly desk: VenueDesk;
  readonly time: ManualTimers;
  readonly market: FixedMarket;
  /** Its one venue, when it is the scripted one. */
  readonly venue: ScriptedVenue;
  readonly store: MemoryStore;
  /** Every record that was folded since this house began, durable or not. */
  readonly log: readonly LogRecord[];
  /** What was written while the log could not be. */
  readonly notes: readonly EmergencyDraft[];
  /** Errors of flows that nobody waits for: none, unless a test wants one. */
  readonly failures: readonly unknown[];
  /** Bodies of the records of one kind, in order. */
  readonly all: <K extends RecordKind>(kind: K) => readonly RecordBodies[K][];
  /** Quotes a symbol now. */
  readonly quote: (symbol: string, bidPx: string, askPx: string) => void;
  /** Renews every quote: time has passed, prices have not. */
  readonly refresh: () => void;
}

export interface TestHouseOptions {
  readonly policy?: PolicyInForce;
  /** What is stored already: a restart. */
  readonly store?: MemoryStore;
  /** What stands between the house and the stored lines. */
  readonly disk?: (store: MemoryStore) => LogStore;
  readonly time?: ManualTimers;
  readonly market?: FixedMarket;
  /** Another venue than the scripted one. */
  readonly venue?: (ports: { readonly clock: ManualTimers; readonly market: FixedMarket }) => Venue;
  readonly emergency?: (clock: Clock) => EmergencyAct;
  readonly admits?: () => boolean;
}

/** The sample policy with other limits, or more; hashed anew. */
export function policyOf(limits: Partial<Limits>, more: Partial<Policy> = {}): PolicyInForce {
  const policy: Policy = { ...sample.policy, ...more, limits: { ...sample.policy.limits, ...limits } };
  return { ...sample, policy, hash: contentHash(policyJson(policy)) };
}

export async function testHouse(options: TestHouseOptions = {}): Promise<TestHouse> {
  const { policy = sample, store = memoryStore(), time = manualTimers(START), market = fixedMarket(QUOTED.map((symbol) => quoteOf(symbol, time))) } = options;
  await store.putBlob(policy.hash, canonicalize(policyJson(policy.policy)));
  await store.putBlob(policy.universeHash, canonicalize(universeJson(policy.universe)));
  const state = emptyState();
  const head = await foldStored(store, state, EMPTY_HEAD);
  const log: LogRecord[] = [];
  const notes: EmergencyDraft[] = [];
  const failures: unknown[] = [];
  const blobs = new Map([[policy.hash, canonicalize(policyJson(policy.policy))], [policy.universeHash, canonicalize(universeJson(policy.universe))]]);
  const trouble = new Trouble();
  const sequencer: Sequencer = createSequencer({
    log: 'testlog1', head, store: options.disk?.(store) ?? store, clock: time, timers: time, subjectOf, defer: queueMicrotask,
    fold(record) {
      fold(state, record, (hash) => blobs.get(hash) ?? null);
      log.push(record);
    },
    events: {
      onDurable: () => undefined,
      onTrouble() { trouble.began(); },
      onEmergency() { emergencyCancel(house, 'the log cannot be written'); },
      onRecovered: () => undefined,
      onFatal: (error) => void failures.push(error),
      onClockStep: () => undefined,
    },
  });
  const desk = new VenueDesk();
  const waitingFor = (): string | null => (sequencer.state === 'flowing' ? desk.missing : 'the log');
  const house: House = {
    state, journal: sequencer, timers: time, market, venues: desk.venues, heardOf: (clOrdId, withinMs) => desk.heardOf(time, clOrdId, withinMs), router: fixedRule, clockStepBackMs: () => 0, waitingFor,
    admits: options.admits ?? (() => waitingFor() === null && sequencer.accepts('strategy')),
    lookUp: async (subject) => (await store.bySubject(subject)).map(({ canonical }) => parseRecord(canonical)),
    records: async (from, to) => (await store.read(from, to - from)).map(({ canonical }) => parseRecord(canonical)),
    policyAt: () => Promise.resolve(policy),
    emergency: options.emergency?.(time) ?? { record: (drafts) => void notes.push(...drafts) },
    fail: (error) => void failures.push(error),
    killed: () => null,
    unlessUnwritable: (durable) => trouble.unless(durable, sequencer.state !== 'flowing'),
  };
  await sequencer.append(openingDrafts(house, { ...NODE, policyHash: policy.hash, resumedAt: head.size }, policy)).durable;
  const scripted = scriptedVenue('PAPER', time, state.execution.venues.get('PAPER') ?? 0);
  await desk.connect(house, { venue: options.venue?.({ clock: time, market }) ?? scripted, stop: () => Promise.resolve() });
  askVenues(house);
  return {
    house, sequencer, desk, time, market, venue: scripted, store, log, notes, failures,
    all: (kind) => log.filter((record) => record.kind === kind).map(({ body }) => body) as never,
    quote(symbol, bidPx, askPx) { market.set(quoteOf(symbol, time, bidPx, askPx)); },
    refresh() {
      for (const symbol of QUOTED) {
        const quote = market.quote(symbol);
        if (quote !== null) market.set({ ...quote, at: time.now() });
      }
    },
  };
}

function quoteOf(symbol: string, clock: Clock, bidPx = '99.99', askPx = '100.01'): Quote {
  return { symbol, bidPx: parseDecimal(bidPx), bidQty: parseDecimal('1000'), askPx: parseDecimal(askPx), askQty: parseDecimal('1000'), at: clock.now() };
}
