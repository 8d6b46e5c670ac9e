/** Random histories over all rooms, and the logs that hold them. */
import type { LogReads } from '../../compliance/store.ts';
import type { StoredLine } from '../../compliance/journal.ts';
import { fold, parseRecord, subjectOf, type State } from '../../compliance/fold.ts';
import { EMPTY_HEAD } from '../../compliance/recover.ts';
import { seal, type Head } from '../../compliance/seal.ts';
import type { Scope } from '../../risk/records.ts';
import { FIRM, switchKey } from '../../risk/switches.ts';
import { ACTS, historiesOf, pickOf, worldOf, type Act, type Step } from '../execution/histories.ts';
import { World, type AnyRecord } from '../execution/world.ts';
import { sample, sampleBlobs } from '../risk/sample.ts';

const SCOPES: readonly Scope[] = [FIRM, { kind: 'account', id: 'ACC1' }, { kind: 'instrument', id: 'AAA' }];
const STATES = ['active', 'reducing', 'halted'] as const;

const last = <K extends AnyRecord['kind']>(world: World, kind: K): Extract<AnyRecord, { kind: K }> | undefined =>
  world.records.findLast((record): record is Extract<AnyRecord, { kind: K }> => record.kind === kind);

/** What the other two rooms have to say. */
const MORE: readonly Act[] = [
  (w, pick) => { w.log('account.funded', { account: pick % 3 === 0 ? 'ACC2' : 'ACC1', amount: `${(pick % 500) - 100}.25`, currency: 'USD' }); },
  (w, pick, size) => {
    const marks = pick % 4 === 0 ? { BBB: `${size}.5`, AAA: '101.125' } : { AAA: `${size}` };
    w.log('account.marked', { account: 'ACC1', equity: `${1_000_000 + size}`, peak: '1000050', marks });
  },
  (w, pick, size) => {
    const scope = pickOf(SCOPES, pick)!;
    const previous = w.records.findLast((r) => r.kind === 'switch.flipped' && switchKey(r.body.scope) === switchKey(scope));
    w.log('switch.flipped', {
      approval: null, cancel: 'none', engagement: size, previous: previous?.kind === 'switch.flipped' ? previous.body.state : 'active', reason: 'r',
      requestId: pick % 2 === 0 ? `R-${w.seq}` : null, scope, state: pickOf(STATES, size)!,
    });
  },
  (w, pick, size) => {
    w.log('approval.requested', {
      action: 'release', engagement: size, expiresAt: '2026-11-20T10:00:00.000000000Z', from: 'halted', hash: 'h', id: `A${w.seq}`, person: 'p', reason: 'r',
      scope: pickOf(SCOPES, pick)!, to: 'active',
    });
  },
  (w, pick) => {
    const asked = last(w, 'approval.requested');
    if (asked === undefined) return;
    w.log(pick % 2 === 0 ? 'approval.given' : 'approval.refused', { hash: 'h', id: asked.body.id, person: 'q', reason: 'r' });
  },
  (w) => { w.log('break.found', { clOrdId: 'X', sourceSeq: ++w.sourceSeq, venue: 'PAPER', what: 'w' }); },
  (w) => { w.log('alert.raised', { code: 'C', detail: 'd' }); },
];
const ALL_ACTS = [...ACTS, ...MORE];

export const histories = (maxLength: number): ReturnType<typeof historiesOf> => historiesOf(ALL_ACTS, maxLength);

/** The log of one history: it begins as every log does. */
export function logOf(history: readonly Step[], log = 'feedfacefeedface'): readonly StoredLine[] {
  const world = new World();
  world.log('policy.activated', { hash: sample.hash, id: 'default', universeHash: sample.universeHash, version: 1 });
  world.log('account.funded', { account: 'ACC1', amount: '1000000', currency: 'USD' });
  world.log('account.funded', { account: 'ACC2', amount: '5', currency: 'USD' });
  return sealed(worldOf(history, undefined, ALL_ACTS, world).records, log);
}

function sealed(records: readonly AnyRecord[], log: string): readonly StoredLine[] {
  let head: Head = EMPTY_HEAD;
  return records.map(({ kind, v, actor, body, at }) => {
    const [line] = seal(log, head, at, [{ kind, v, actor, cause: null, body }], subjectOf).lines;
    head = { size: head.size + 1, hash: line!.hash, at };
    return line!;
  });
}

/** A store that holds these lines and the sample's blobs. */
export const readsOf = (lines: readonly StoredLine[]): Pick<LogReads, 'read' | 'getBlob' | 'bySubject'> => ({
  read: (from, limit) => Promise.resolve(lines.slice(from, from + limit)),
  bySubject: (subject) => Promise.resolve(lines.filter((line) => line.subject === subject)),
  getBlob: (hash) => Promise.resolve(sampleBlobs(hash)),
});

/** Folds without any of the machinery of a restart. */
export function foldAll(state: State, lines: readonly StoredLine[]): State {
  for (const { canonical } of lines) fold(state, parseRecord(canonical), sampleBlobs);
  return state;
}
