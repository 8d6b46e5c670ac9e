/** What must hold after every crash. Each check gives the faults that it found, in words. */
import { isDeepStrictEqual } from 'node:util';
import { openCheckpoint } from '../../compliance/checkpoint.ts';
import { verifyConsistency } from '../../compliance/merkle.ts';
import { parseVerifierKey, type Verifier } from '../../compliance/note.ts';
import { readPaperJournal, type JournalEntry } from '../../execution/venues/paper/journal.ts';
import { encodeOrder, encodeReport } from '../../execution/venues/paper/codec.ts';
import { formatDecimal } from '../../risk/domain/decimal.ts';
import { send, type Load, type Noun } from './load.ts';
import { isReport, LogReader, Recount, type Stored } from './log.ts';
import { until } from './processes.ts';
import { type Answer, type Site } from './site.ts';

type Faults = string[];

/** The record that an acknowledged request's receipt must name. */
const RECORD: Readonly<Record<Noun, readonly string[]>> = {
  order: ['order.decided'], amend: ['order.decided'], target: ['target.decided'], switch: ['switch.flipped'], cancel: ['cancel.requested'],
  release: ['approval.requested'], approval: ['approval.given', 'approval.refused'],
};

interface ReceiptView {
  readonly log: string;
  readonly seq: number;
  readonly hash: string;
}
export const receiptOf = (answer: Answer): ReceiptView | null => (answer.body['receipt'] as ReceiptView | null | undefined) ?? null;

/** Every receipt that was given away names a record that is still there; what was done without one, past a log that could not be written, is there too. */
export function acknowledgedIsThere(records: readonly Stored[], load: Load): Faults {
  const kept = new Set(records.flatMap(({ kind, body }) => (kind === 'switch.flipped' ? [`switch ${String(body['requestId'])}`] : kind === 'cancel.requested' ? [`cancel ${String(body['parent'])}`] : [])));
  const parents = new Map(records.filter(({ kind }) => kind === 'order.decided').map(({ body }) => [body['clOrdId'], body['parent']]));
  return load.acknowledged.flatMap(({ noun, id, answer }) => {
    const receipt = receiptOf(answer);
    if (receipt === null) {
      const isDone = noun === 'switch' ? answer.status === 201 : noun === 'cancel' && answer.body['state'] === 'pending_cancel';
      return isDone && !kept.has(`${noun} ${String(noun === 'switch' ? id : parents.get(id))}`) ? [`${noun} ${id} was done without a receipt and is not in the log`] : [];
    }
    const record = records[receipt.seq];
    if (record?.hash !== receipt.hash) return [`${noun} ${id}: record ${String(receipt.seq)} is not what was acknowledged`];
    return RECORD[noun].includes(record.kind) ? [] : [`${noun} ${id}: record ${String(receipt.seq)} is ${record.kind}`];
  });
}

/** No answer may be a defect of ours. */
export const STATUS_OF_DEFECT = 500;
export function noDefects(load: Load): Faults {
  return load.acknowledged.filter(({ answer }) => answer.status === STATUS_OF_DEFECT || answer.status === 400)
    .map(({ noun, id, answer }) => `${noun} ${id} was answered ${answer.text}`);
}

/** Records that are committed together are there together. */
export function unitsAreWhole(records: readonly Stored[], from: number): Faults {
  return records.slice(from).flatMap(({ seq, kind, body }) => {
    const follows = (count: number, wanted: string): Faults =>
      records.slice(seq + 1, seq + 1 + count).filter((next) => next.kind === wanted && next.cause === seq).length === count ? [] : [`${kind} at ${String(seq)} lacks its ${wanted}`];
    if (kind === 'order.decided' && body['decision'] === 'accepted') return follows(1, 'slice.released');
    if (kind === 'target.decided') return follows(body['legs'] as number, 'leg.decided');
    if (kind === 'approval.given') return follows(1, 'switch.flipped');
    return kind === 'break.found' ? [`a break at ${String(seq)}: ${JSON.stringify(body)}`] : [];
  });
}

const REPEATABLE: ReadonlySet<Noun> = new Set(['order', 'target', 'switch']);

/** A repeat of what was acknowledged gets the same answer. */
export async function repeatsAgree(site: Site, load: Load): Promise<Faults> {
  const faults: Faults = [];
  const asked = load.acknowledged.filter(({ noun, answer }) => REPEATABLE.has(noun) && receiptOf(answer) !== null);
  await each(asked, async (one) => {
    const again = await send(site, one);
    const expected = one.noun !== 'switch' && one.answer.status === 201 ? 200 : one.answer.status;
    const same = one.noun === 'switch' ? isDeepStrictEqual(receiptOf(again), receiptOf(one.answer)) : isDeepStrictEqual(again.body, one.answer.body);
    if (again.status !== expected || !same) faults.push(`${one.noun} ${one.id}: ${one.answer.text} is now ${String(again.status)} ${again.text}`);
  });
  return faults;
}

/** What was in flight is there as a whole, or was never heard of: asked again it is answered, with a receipt, at the one seq it has. */
export async function inFlightIsResolved(site: Site, records: readonly Stored[], load: Load): Promise<{ readonly there: number; readonly faults: Faults }> {
  const decided = new Map(records.filter(({ kind, body }) => kind === 'order.decided' ? body['amends'] !== true : RECORD.target.includes(kind) || RECORD.switch.includes(kind))
    .map(({ seq, body }) => [String(body['clOrdId'] ?? body['targetId'] ?? body['requestId']), seq]));
  const faults: Faults = [];
  let there = 0;
  await each(load.inFlight.filter(({ noun }) => REPEATABLE.has(noun)), async (one) => {
    const seq = decided.get(one.id);
    if (seq !== undefined) there += 1;
    const answer = await send(site, one);
    const answeredSeq = receiptOf(answer)?.seq;
    const fresh = seq === undefined && answeredSeq !== undefined && answeredSeq >= records.length;
    const isRight = [200, 201, 409, 422].includes(answer.status) && (answer.status === 409 ? one.noun === 'switch' : fresh || answeredSeq === seq);
    if (!isRight) faults.push(`${one.noun} ${one.id} in flight, found at ${String(seq)}, is answered ${String(answer.status)} ${answer.text}`);
  });
  return { there, faults };
}

const AT_ONCE = 8;

async function each<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const item of rest) await run(item);
  }));
}

/** No order reached the venue without its record, none twice, and none other than its record says. */
export function ordersHaveRecords(journal: readonly JournalEntry[], records: readonly Stored[], log: string): Faults {
  const faults: Faults = [];
  const seen = new Set<string>();
  for (const entry of journal) {
    if (entry.kind !== 'order') continue;
    const { order, receipt } = entry;
    const { clOrdId, ...terms } = encodeOrder(order);
    const record = records[receipt.seq];
    if (seen.has(clOrdId)) faults.push(`the venue received ${clOrdId} twice`);
    seen.add(clOrdId);
    if (receipt.log !== log || record?.hash !== receipt.hash || record.kind !== 'slice.released' || record.body['clOrdId'] !== clOrdId) {
      faults.push(`the venue received ${clOrdId} without its record: ${JSON.stringify(receipt)}`);
    } else if (Object.entries(terms).some(([field, value]) => !isDeepStrictEqual(record.body[field], value))) faults.push(`the venue received another ${clOrdId} than its record says`);
  }
  return faults;
}

const COMPARED = ['clOrdId', 'origClOrdId', 'execId', 'lastQty', 'lastPx', 'cumQty', 'leavesQty', 'fee', 'liquidity', 'reason', 'venueAt'] as const;
const KIND: Readonly<Record<string, string>> = { cancelRejected: 'order.rejected' };

/** Every report of the venue after `after` stands in the log once, in its order, with its quantities and prices. Waits until the last one is there. */
export async function reportsAgree(log: LogReader, journal: readonly JournalEntry[], after: number): Promise<Faults> {
  const said = journal.filter((entry) => entry.kind === 'report').map(({ report }) => encodeReport(report));
  const recorded = (): Stored[] => log.records.filter((record) => isReport(record) && record.body['sourceSeq'] !== 0);
  await until('the log has what the venue said', async () => {
    await log.advance();
    return (recorded().at(-1)?.body['sourceSeq'] ?? 0) as number >= said.length;
  });
  const records = recorded();
  return said.slice(after).flatMap((report, i) => {
    const record = records[after + i];
    const differs = COMPARED.filter((field) => field in report && record?.body[field] !== report[field as keyof typeof report]);
    const isKind = record?.kind === (KIND[report.kind] ?? `order.${report.kind}`);
    return isKind && record.body['sourceSeq'] === report.sourceSeq && differs.length === 0 ? [] : [`report ${JSON.stringify(report)} is recorded as ${JSON.stringify(record)}`];
  });
}

const OPEN = ['pending', 'new', 'partially_filled', 'pending_cancel', 'unknown'];

interface Books {
  readonly cash: string;
  readonly positions: Readonly<Record<string, string>>;
  /** cumQty by id: the caller's of a direct order, ours of a target's slice. */
  readonly working: Readonly<Record<string, string>>;
}

async function shownBooks(site: Site): Promise<Books> {
  const [account, positions] = await Promise.all(['', '/positions'].map((path) => site.ask('GET', `/v1/accounts/ACC1${path}`, undefined, 'risk_officer', 'ann')));
  const orders: { clOrdId: string; state: string; cumQty: string }[] = [];
  for (let after: number | null = -1; after !== null;) {
    const page = await site.ask('GET', `/v1/orders?after=${String(after)}`);
    orders.push(...(page.body['items'] as typeof orders));
    after = page.body['next'] as number | null;
  }
  const open = orders.filter(({ state }) => OPEN.includes(state));
  return {
    cash: account!.body['cash'] as string,
    positions: sorted((positions!.body['items'] as { symbol: string; qty: string }[]).map(({ symbol, qty }) => [symbol, qty])),
    working: sorted(open.map(({ clOrdId, cumQty }) => [clOrdId, cumQty])),
  };
}

function countedBooks(records: readonly Stored[]): Books {
  const count = new Recount();
  for (const record of records) count.add(record);
  const working = new Map<string, string>();
  for (const [id, { parent, cumQty, isOpen }] of count.children) if (isOpen) working.set(count.direct.get(parent) ?? id, formatDecimal(cumQty));
  return {
    cash: formatDecimal(count.cash), working: sorted([...working]),
    positions: sorted([...count.positions].filter(([, qty]) => qty !== 0n).map(([symbol, qty]) => [symbol, formatDecimal(qty)])),
  };
}

const sorted = (entries: readonly (readonly [string, string])[]): Record<string, string> => Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));

const LOOKS = 50;

/** What the gateway shows is what the records add up to, at a moment in which nothing moved. */
export async function booksAgree(site: Site, log: LogReader): Promise<Faults> {
  let difference = 'nothing stood still';
  for (let look = 0; look < LOOKS; look++) {
    await log.advance();
    const shown = await shownBooks(site);
    const moved = (await log.advance()).some(({ kind }) => /^(order|slice)\./.test(kind));
    const counted = countedBooks(log.records);
    if (isDeepStrictEqual(shown, counted)) return [];
    if (!moved) difference = `shown ${JSON.stringify(shown)}, counted ${JSON.stringify(counted)}`;
  }
  return [`the books: ${difference}`];
}

/** Nothing stays of which nobody knows what became of it. */
export async function nothingIsUnknown(site: Site): Promise<void> {
  await until('nothing is pending or unknown', async () => {
    const open = await Promise.all(['pending', 'unknown', 'pending_cancel'].map((state) => site.ask('GET', `/v1/orders?state=${state}`)));
    return open.flatMap(({ body }) => body['items'] as unknown[]);
  });
}

/** What was published before is a prefix of what is published now. */
export async function checkpointGrows(site: Site, before: string): Promise<Faults> {
  const verifier = parseVerifierKey(site.key) as Verifier;
  const asRegulator = (path: string): Promise<Answer> => site.ask('GET', path, undefined, 'regulator', 'reg');
  const older = before === '' ? null : openCheckpoint(before, verifier);
  if (older === null) return before === '' ? [] : ['the checkpoint before the crash is not of this log'];
  const newer = openCheckpoint((await asRegulator('/v1/audit/checkpoint')).text, verifier);
  if (newer === null) return ['the checkpoint after the crash is not of this log'];
  const proof = await asRegulator(`/v1/audit/proof/consistency?from=${String(older.size)}&to=${String(newer.size)}`);
  const hashes = (proof.body['hashes'] as string[] | undefined)?.map((hash) => Buffer.from(hash, 'base64')) ?? [];
  return verifyConsistency(older.size, newer.size, older.root, newer.root, hashes) ? [] : [`checkpoint ${String(newer.size)} does not contain ${String(older.size)}: ${proof.text}`];
}

/** The command that a regulator would run. */
export async function verifies(site: Site): Promise<Faults> {
  const { status, last } = await site.command('verify', '--url', site.url, '--key', site.key, '--token', await site.token('regulator', 'reg'));
  return status === 0 && last === 'verified' ? [] : [`verify: ${String(status)} ${last}`];
}

/** Everything that holds whatever was asked. What was looked at once is not looked at again: the chain holds it. */
export class Auditor {
  readonly log: LogReader;
  readonly #site: Site;
  #records = 0;
  #reports = 0;

  constructor(site: Site) {
    this.#site = site;
    this.log = new LogReader(site);
  }

  async look(): Promise<Faults> {
    const { log } = this;
    const journal = readPaperJournal(this.#site.venueJournal);
    const faults = await reportsAgree(log, journal, this.#reports);
    this.#reports = journal.filter(({ kind }) => kind === 'report').length;
    faults.push(...unitsAreWhole(log.records, this.#records), ...ordersHaveRecords(journal, log.records, this.#site.log));
    this.#records = log.records.length;
    return [...faults, ...await booksAgree(this.#site, log), ...await verifies(this.#site)];
  }
}
