/**
 * Faults planted on purpose, each a small wrap of one port, each to be found by name: an auditor that has never been seen to find
 * anything proves nothing.
 */
import { canonicalize, leafHash } from '../../compliance/canonical.ts';
import type { State } from '../../compliance/fold.ts';
import type { Journal, LogStore, StoredLine } from '../../compliance/journal.ts';
import { NO_HASH } from '../../compliance/seal.ts';
import type { Venue, VenueListener, VenueReport } from '../../execution/venue.ts';
import type { House } from '../../gateway/house.ts';
import { reserve } from '../../risk/books.ts';
import { ONE } from '../../risk/domain/decimal.ts';
import type { ChildOrder } from '../../risk/domain/order.ts';
import type { Approved, Receipt } from '../../risk/domain/proof.ts';
import type { LogRecord } from '../../risk/domain/record.ts';
import { formatInstant, instant, plusMs } from '../../risk/domain/time.ts';

export interface Plant {
  readonly name: string;
  /** What the auditor is to find. */
  readonly expects: string;
  readonly venue?: (venue: Venue) => Venue;
  /** `stored` is what lies on the disk below it. */
  readonly store?: (store: LogStore, stored: StoredLine[]) => LogStore;
  readonly house?: (house: House) => House;
  readonly fold?: (state: State, record: LogRecord) => void;
}

/** A venue that differs in what is named. */
function venueWith(venue: Venue, over: Partial<Venue>): Venue {
  return {
    id: venue.id, start: (listener, resumeAfter) => venue.start(listener, resumeAfter), send: (order, receipt) => { venue.send(order, receipt); },
    cancel: (request) => { venue.cancel(request); }, reconcile: (ids) => { venue.reconcile(ids); }, stop: () => venue.stop(), ...over,
  };
}

/** A venue whose reports come through `hear`. */
const hearing = (venue: Venue, hear: (report: VenueReport, tell: VenueListener['report']) => void): Venue => venueWith(venue, {
  start: (listener, resumeAfter) => venue.start({
    report: (report) => { hear(report, (told) => { listener.report(told); }); },
    connection: (state) => { listener.connection(state); },
  }, resumeAfter),
});

function storeWith(store: LogStore, write: (line: StoredLine) => StoredLine): LogStore {
  return { ...store, append: (lines) => store.append(lines.map(write)) };
}

const receiptsOf = (log: string, records: readonly LogRecord[]): readonly Receipt[] => records.map(({ seq }) => ({ log, seq, hash: '' }) as unknown as Receipt);

/** A journal that appends in another way. */
const journalWith = (journal: Journal, append: Journal['append']): Journal => ({
  log: journal.log,
  get nextSeq() { return journal.nextSeq; },
  get durableSize() { return journal.durableSize; },
  now: () => journal.now(), accepts: (lane) => journal.accepts(lane), whenDurable: (seq) => journal.whenDurable(seq), append,
});

/** Receipts at once, whatever the disk says. */
const hasty = (journal: Journal): Journal => journalWith(journal, (drafts, at) => {
  const { records } = journal.append(drafts, at);
  return { records, durable: Promise.resolve(receiptsOf(journal.log, records)) };
});

/** Some fills are recorded twice. */
function doubling(journal: Journal): Journal {
  const now = every(4);
  return journalWith(journal, (drafts, at) => {
    const appended = journal.append(drafts, at);
    const [first] = drafts;
    if (first?.kind === 'order.filled' && now()) journal.append([{ ...first, body: { ...(first.body as object), sourceSeq: 0 } }], at);
    return appended;
  });
}

/** Every nth time. */
function every(nth: number): () => boolean {
  let count = 0;
  return () => ++count % nth === 0;
}

function resending(venue: Venue): Venue {
  let last: { readonly order: Approved<ChildOrder>; readonly receipt: Receipt } | null = null;
  return venueWith(venue, {
    send(order, receipt) {
      last = { order, receipt };
      venue.send(order, receipt);
    },
    start: (listener, resumeAfter) => venue.start({
      report: (report) => { listener.report(report); },
      connection(state) {
        listener.connection(state);
        if (state === 'up' && last !== null) venue.send(last.order, last.receipt);
      },
    }, resumeAfter),
  });
}

/** Rewrites each record to an hour earlier from the hundredth on, and seals the chain anew: only `at` is wrong. */
function backdated(store: LogStore): LogStore {
  let prev: string | null = null;
  return storeWith(store, (line) => {
    const record = JSON.parse(line.canonical) as { at: string; prev: string };
    const at = line.seq < 100 ? record.at : formatInstant(plusMs(instant(record.at), -3_600_000));
    const canonical = canonicalize({ ...record, at, prev: line.seq === 0 ? NO_HASH : (prev ?? record.prev) });
    prev = leafHash(canonical);
    return { ...line, canonical, hash: prev };
  });
}

export const PLANTS: readonly Plant[] = [
  { name: 'send before durable', expects: 'send-before-durable', house: (house) => ({ ...house, journal: hasty(house.journal) }) },
  {
    name: 'send without a record', expects: 'send-without-record',
    venue(venue) {
      const now = every(5);
      return venueWith(venue, {
        send(order, receipt) {
          venue.send(order, receipt);
          if (now()) venue.send({ ...order, clOrdId: `${order.clOrdId}X` }, receipt);
        },
      });
    },
  },
  { name: 'a send repeated after a reconnect', expects: 'sent-twice', venue: resending },
  { name: 'a fill counted twice', expects: 'fill-counted-twice', house: (house) => ({ ...house, journal: doubling(house.journal) }) },
  {
    name: 'a fill dropped', expects: 'fill-lost',
    venue(venue) {
      const now = every(4);
      return hearing(venue, (report, tell) => { if (report.kind !== 'filled' || !now()) tell(report); });
    },
  },
  {
    name: 'a halt that stops no sends', expects: 'sent-under-halt',
    house(house) {
      const { switches } = house.state.risk;
      switches.get = () => undefined;
      return house;
    },
  },
  {
    name: 'a hash corrupted in the store', expects: 'chain-broken',
    store: (store, stored) => ({
      ...store,
      append: async (lines) => {
        await store.append(lines);
        const [line] = stored.splice(150, 1);
        if (line !== undefined) stored.splice(150, 0, { ...line, hash: leafHash(line.hash) });
      },
    }),
  },
  {
    name: 'a reservation that leaks', expects: 'reservation',
    fold(state, { kind, body }) {
      if (kind !== 'order.canceled') return;
      const { account, strategy, symbol } = body as { account: string; strategy: string; symbol: string };
      const owner = state.risk.accounts.get(account);
      if (owner !== undefined) reserve(owner, strategy, symbol, 'buy', ONE);
    },
  },
  {
    name: 'limits that nobody keeps', expects: 'exposure',
    fold(state) {
      const { policy } = state.risk;
      if (policy === null || policy.policy.limits.grossXEquity > 100) return;
      const loose = { grossXEquity: 1_000, netXEquity: 1_000, sectorXEquity: 1_000, nameXEquity: 1_000, leverageX: 1_000, volatilityAnnual: 9 };
      state.risk.policy = { ...policy, policy: { ...policy.policy, limits: { ...policy.policy.limits, ...loose } } };
    },
  },
  { name: 'time running backwards', expects: 'time-backwards', store: backdated },
];
