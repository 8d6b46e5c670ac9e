import fc from 'fast-check';
import t from 'tap';
import { canonicalize } from '../../compliance/canonical.ts';
import { dumpRisk, loadRisk } from '../../risk/dump.ts';
import type { Json } from '../../risk/domain/record.ts';
import { exposureOf } from '../../risk/exposure.ts';
import type { RiskState } from '../../risk/state.ts';
import { switchKey } from '../../risk/switches.ts';
import { applied, history, START } from './histories.ts';
import { sample } from './sample.ts';

/** Through text, as a snapshot goes. */
const stored = (state: RiskState): Json => JSON.parse(canonicalize(dumpRisk(state))) as Json;

const flips = fc.array(fc.record({
  scope: fc.constantFrom({ kind: 'firm' as const, id: '*' }, { kind: 'instrument' as const, id: 'SPY' }, { kind: 'trader' as const, id: 'j.doe@desk' }),
  state: fc.constantFrom('active' as const, 'reducing' as const, 'halted' as const),
  reason: fc.string({ unit: 'grapheme', maxLength: 20 }), engagement: fc.integer({ min: 1, max: 1000 }),
}), { maxLength: 5 });

const anyState = fc.tuple(history, flips, fc.boolean()).map(([steps, switches, inForce]) => {
  const { state, at } = applied(steps);
  if (inForce) state.policy = sample;
  for (const entry of switches) state.switches.set(switchKey(entry.scope), { ...entry, since: START, by: 'officer-1' });
  return { state, at };
});

t.test('a state comes back whole: books, order, sums, mirrors', (t) => {
  fc.assert(fc.property(anyState, ({ state }) => {
    t.same(loadRisk(stored(state)), state);
  }), { numRuns: 40 });
  t.end();
});

t.test('dump ∘ load ∘ dump is dump', (t) => {
  fc.assert(fc.property(anyState, ({ state }) => {
    const once = canonicalize(dumpRisk(state));
    return canonicalize(dumpRisk(loadRisk(JSON.parse(once) as Json))) === once;
  }), { numRuns: 40 });
  t.end();
});

t.test('a loaded account has the same exposure, bit for bit', (t) => {
  fc.assert(fc.property(anyState, ({ state, at }) => {
    const loaded = loadRisk(stored(state));
    for (const [id, account] of state.accounts) {
      for (const view of ['released', 'planned'] as const) t.strictSame(exposureOf(loaded.accounts.get(id)!, sample, at, view), exposureOf(account, sample, at, view));
    }
  }), { numRuns: 40 });
  t.end();
});

t.test('the order of accounts, lines and books is part of the dump', (t) => {
  fc.assert(fc.property(anyState, ({ state }) => {
    const loaded = loadRisk(stored(state));
    const order = (from: RiskState): unknown => [
      [...from.switches.keys()], [...from.accounts].map(([id, account]) => [id, [...account.lines].map(([symbol, line]) => [symbol, [...line.books.keys()]])]),
    ];
    return JSON.stringify(order(loaded)) === JSON.stringify(order(state));
  }), { numRuns: 40 });
  t.end();
});

t.test('a dump that is damaged is refused', (t) => {
  const dump = stored(applied([]).state) as { readonly accounts: readonly Record<string, unknown>[] };
  t.throws(() => loadRisk({ ...dump, accounts: [{ ...dump.accounts[0], cash: '1e3' }] }), RangeError);
  t.throws(() => loadRisk({ ...dump, accounts: [{ ...dump.accounts[0], markedAt: 'yesterday' }] }), RangeError);
  t.end();
});
