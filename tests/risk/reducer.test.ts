import t from 'tap';
import { emptyRiskState } from '../../risk/books.ts';
import { dumpRisk } from '../../risk/dump.ts';
import type { Json, LogRecord } from '../../risk/domain/record.ts';
import { PolicyError } from '../../risk/reader.ts';
import { foldRisk, RISK_KINDS } from '../../risk/reducer.ts';
import { goldens } from './golden.ts';
import { START } from './histories.ts';
import { sample, sampleBlobs } from './sample.ts';

const actor = { id: 'officer-1', role: 'risk_officer' } as const;
const record = (kind: string, body: unknown, v = 1): LogRecord => ({ log: 'L', seq: 0, at: START, kind, v, actor, cause: null, body });
const none = (): null => null;
const activated = record('policy.activated', { id: 'default', version: 1, hash: sample.hash, universeHash: sample.universeHash });

t.test('golden records of every kind and version are still read', (t) => {
  t.same(goldens.map(({ name }) => name), RISK_KINDS.map((kind) => `${kind}.v1`).sort());
  for (const { name, records, blobs, dump } of goldens) {
    const state = emptyRiskState();
    t.equal(records.at(-1)?.kind, name.replace(/\.v\d+$/, ''));
    for (const entry of records) foldRisk(state, entry, (hash) => blobs[hash] ?? null);
    t.same(dumpRisk(state), dump, name);
  }
  t.end();
});

t.test('the sample comes in force by its hashes', (t) => {
  const state = emptyRiskState();
  foldRisk(state, activated, sampleBlobs);
  t.same(state.policy?.policy, sample.policy);
  t.same([...(state.policy?.universe ?? [])], [...sample.universe]);
  t.end();
});

t.test('a start on a log with a hole stops', (t) => {
  const state = emptyRiskState();
  t.throws(() => { foldRisk(state, activated, none); }, RangeError, 'no blobs');
  t.throws(() => { foldRisk(state, activated, (hash) => (hash === sample.hash ? sampleBlobs(hash) : null)); }, RangeError, 'no universe');
  t.throws(() => { foldRisk(state, activated, (hash) => `${sampleBlobs(hash) ?? ''} `); }, RangeError, 'a blob that was touched');
  t.throws(() => { foldRisk(state, activated, () => sampleBlobs(sample.hash)); }, RangeError, 'a blob under another name');
  t.equal(state.policy, null, 'and nothing came in force');
  t.end();
});

t.test('a blob of the right hash with another content is refused by the same rules as a file', (t) => {
  // SHA-256 of `{}`.
  const hash = '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a';
  t.throws(() => { foldRisk(emptyRiskState(), record('policy.activated', { id: 'x', version: 1, hash, universeHash: hash }), () => '{}'); }, PolicyError);
  t.end();
});

t.test('an unknown version stops, an unknown kind is another room’s', (t) => {
  const state = emptyRiskState();
  for (const kind of RISK_KINDS) for (const v of [0, 2]) t.throws(() => { foldRisk(state, record(kind, {}, v), none); }, RangeError, `${kind} ${v}`);
  for (const kind of ['target.decided', 'order.filled', 'toString', '__proto__']) foldRisk(state, record(kind, {}, 7), none);
  t.same(dumpRisk(state), { policy: null, accounts: [], switches: [] });
  t.end();
});

t.test('a mark of an account that was never funded stops', (t) => {
  t.throws(() => { foldRisk(emptyRiskState(), record('account.marked', { account: 'ACC9', equity: '1', peak: '1', marks: {} }), none); }, RangeError);
  t.end();
});

t.test('marks make lines in one order, however their keys stand', (t) => {
  const folded = (marks: Record<string, string>): Json => {
    const state = emptyRiskState();
    foldRisk(state, record('account.funded', { account: 'ACC1', currency: 'USD', amount: '1' }), none);
    foldRisk(state, record('account.marked', { account: 'ACC1', equity: '1', peak: '1', marks }), none);
    return dumpRisk(state);
  };
  t.same(folded({ SPY: '1', BAC: '2', 10: '3' }), folded({ BAC: '2', 10: '3', SPY: '1' }));
  t.end();
});
