/**
 * The risk room's part of the fold: it copies what records say and decides nothing. Fills, reservations and what a decision reserves
 * are folded by execution, through `risk/books.ts`.
 */
import { hash } from 'node:crypto';
import { accountOf, fund, openAccount, setMark, settle } from './books.ts';
import { parseDecimal } from './domain/decimal.ts';
import type { LogRecord } from './domain/record.ts';
import { policyFromJson } from './policy-file.ts';
import type { AccountMarked, PolicyActivated, RiskRecords, SwitchFlipped } from './records.ts';
import type { RiskState } from './state.ts';
import { switchKey } from './switches.ts';
import { universeFromJson } from './universe.ts';

/** The text of a blob by its SHA-256, hex; null when it is not there. */
export type Blobs = (hash: string) => string | null;

export const RISK_KINDS = [
  'policy.activated', 'strategy.registered', 'account.funded', 'account.marked', 'switch.flipped',
] as const satisfies readonly (keyof RiskRecords)[];
type RiskKind = (typeof RISK_KINDS)[number];

type Folds = { readonly [K in RiskKind]: (state: RiskState, record: LogRecord<K, RiskRecords[K]>, blobs: Blobs) => void };

const FOLDS: Folds = {
  'policy.activated': (state, { body }, blobs) => {
    activate(state, body, blobs);
  },
  // The registration stands in the policy, which attribution is read from; the record names it for the reader of the log.
  'strategy.registered': () => undefined,
  'account.funded': (state, { body, at }) => {
    fund(state.accounts.get(body.account) ?? openAccount(state, body.account, body.currency, at), parseDecimal(body.amount));
  },
  'account.marked': (state, { body, at }) => {
    mark(state, body, at);
  },
  'switch.flipped': (state, record) => {
    flip(state, record);
  },
};

const isRiskKind = (kind: string): kind is RiskKind => (RISK_KINDS as readonly string[]).includes(kind);

/**
 * Folds one record into the state; kinds that are not `RISK_KINDS` change nothing. Throws RangeError for a version that no upcaster
 * reads and for a blob that is absent or is not what its hash says: a start on such a log must stop.
 */
export function foldRisk(state: RiskState, record: LogRecord, blobs: Blobs): void {
  if (!isRiskKind(record.kind)) return;
  if (record.v !== 1) throw new RangeError(`${record.kind} of version ${record.v} is not known to this build`);
  const fold = FOLDS[record.kind] as (state: RiskState, record: LogRecord, blobs: Blobs) => void;
  fold(state, record, blobs);
}

function activate(state: RiskState, body: PolicyActivated, blobs: Blobs): void {
  const policy = policyFromJson(JSON.parse(readBlob(blobs, body.hash)));
  const universe = universeFromJson(JSON.parse(readBlob(blobs, body.universeHash)));
  state.policy = { policy, hash: body.hash, universeHash: body.universeHash, universe };
}

/** The database is not trusted for integrity: a blob is what its hash says or it is nothing. */
function readBlob(blobs: Blobs, expected: string): string {
  const text = blobs(expected);
  if (text === null) throw new RangeError('a blob that a record names is missing');
  if (hash('sha256', text, 'hex') !== expected) throw new RangeError('a blob is not what its hash says');
  return text;
}

function mark(state: RiskState, body: AccountMarked, at: LogRecord['at']): void {
  const account = accountOf(state, body.account);
  account.equity = parseDecimal(body.equity);
  account.peak = parseDecimal(body.peak);
  account.markedAt = at;
  // Live, the keys stand as the flow wrote them; at a restart, as canonical JSON sorts them. New lines must come in one order.
  for (const symbol of Object.keys(body.marks).sort()) setMark(account, symbol, parseDecimal(body.marks[symbol] as string));
  settle(account, at);
}

function flip(state: RiskState, { body, at, actor }: LogRecord<'switch.flipped', SwitchFlipped>): void {
  const { scope, state: position, reason, engagement } = body;
  state.switches.set(switchKey(scope), { scope, state: position, since: at, by: actor.id, reason, engagement });
}
