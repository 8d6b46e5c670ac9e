import t from 'tap';
import type { EmergencyLog } from '../../compliance/emergency.ts';
import { cancelDrafts } from '../../gateway/flows/cancel.ts';
import { emergencyAct } from '../../gateway/emergency.ts';
import { instant } from '../../risk/domain/time.ts';

const clock = { now: () => instant('2026-11-20T09:30:00Z') };
const cancels = cancelDrafts([{ account: 'ACC1', clOrdId: 'C1', parent: 'P1', reason: 'a test', strategy: 's1', symbol: 'SPY', venue: 'PAPER' }], null);

t.test('a file that cannot be written either is told, and keeps nothing from being done', (t) => {
  const said: string[] = [];
  const full: EmergencyLog = { entries: () => [], append: () => { throw new Error('ENOSPC: no space left on device'); }, archive: () => undefined, close: () => undefined };
  emergencyAct(full, clock, (line) => said.push(line)).record(cancels);
  t.strictSame(said, ['the emergency file cannot be written; what it was to prove is done all the same: ENOSPC: no space left on device']);
  t.end();
});
