import t from 'tap';
import { emptyRiskState } from '../../risk/books.ts';
import { gatesOf, type Gates } from '../../risk/gates.ts';
import type { RiskState, Switch } from '../../risk/state.ts';
import type { Scope, SwitchState } from '../../risk/records.ts';
import { FIRM, isLoosening, isScope, scopesOf, SCOPE_KINDS, stateOf, switchKey } from '../../risk/switches.ts';
import { START } from './histories.ts';
import { sample } from './sample.ts';

const STATES: readonly SwitchState[] = ['active', 'reducing', 'halted'];
const everything = { venue: 'PAPER', account: 'ACC1', strategy: 'alpha-1', trader: 'TRADER1', symbol: 'SPY' };

function flipped(...entries: readonly (readonly [Scope, SwitchState])[]): RiskState {
  const state = emptyRiskState();
  for (const [scope, position] of entries) {
    const entry: Switch = { scope, state: position, since: START, by: 'officer-1', reason: 'test', engagement: 1 };
    state.switches.set(switchKey(scope), entry);
  }
  return state;
}

t.test('an order touches every kind of scope, from wide to narrow', (t) => {
  t.same(scopesOf(everything).map(switchKey), ['firm:*', 'venue:PAPER', 'account:ACC1', 'strategy:alpha-1', 'trader:TRADER1', 'instrument:SPY']);
  t.same(scopesOf({ ...everything, venue: null, trader: null, symbol: null }).map(switchKey), ['firm:*', 'account:ACC1', 'strategy:alpha-1']);
  t.same(scopesOf(everything).map((scope) => scope.kind), SCOPE_KINDS);
  t.end();
});

const OPEN: Gates = { halted: null, armed: null, reducing: null };
const gates = (...entries: readonly (readonly [Scope, SwitchState])[]): Gates => gatesOf(flipped(...entries), sample.policy, everything);

t.test('each scope alone stops the order, and only its own id does', (t) => {
  for (const scope of scopesOf(everything)) {
    for (const position of ['reducing', 'halted'] as const) t.same(gates([scope, position]), { ...OPEN, [position]: scope });
    t.same(gates([{ ...scope, id: 'OTHER' }, 'halted']), OPEN);
  }
  t.end();
});

t.test('every state that is met is named; of equals, the widest scope', (t) => {
  const instrument: Scope = { kind: 'instrument', id: 'SPY' };
  t.same(gates([FIRM, 'reducing'], [instrument, 'halted']), { ...OPEN, halted: instrument, reducing: FIRM });
  t.same(gates([instrument, 'halted'], [FIRM, 'halted']), { ...OPEN, halted: FIRM });
  t.same(gates([FIRM, 'active'], [instrument, 'reducing']), { ...OPEN, reducing: instrument });
  t.equal(stateOf(emptyRiskState(), FIRM), 'active', 'a switch that never flipped');
  t.end();
});

t.test('what loosens', (t) => {
  const table = STATES.flatMap((from) => STATES.map((to) => [from, to, isLoosening(from, to)]));
  t.same(table, [
    ['active', 'active', false], ['active', 'reducing', false], ['active', 'halted', false],
    ['reducing', 'active', true], ['reducing', 'reducing', false], ['reducing', 'halted', false],
    ['halted', 'active', true], ['halted', 'reducing', true], ['halted', 'halted', false],
  ]);
  t.end();
});

t.test('scopes of outsiders are checked by kind', (t) => {
  for (const { kind, id } of [...scopesOf(everything), { kind: 'trader', id: 'j.doe@desk' }, { kind: 'instrument', id: 'BTC-USD' }]) t.ok(isScope(kind, id));
  const hostile: readonly (readonly [unknown, unknown])[] = [
    ['firm', 'ACC1'], ['account', '*'], ['account', 'acc1'], ['strategy', 'ALPHA'], ['instrument', ''], ['constructor', '*'], ['__proto__', '*'],
    ['firm', ['*']], [['firm'], '*'], [null, null], ['trader', 'a b'],
  ];
  for (const [kind, id] of hostile) t.notOk(isScope(kind, id), JSON.stringify([kind, id]));
  t.end();
});
