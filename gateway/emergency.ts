/** What may be done while the log cannot be written: a halt, a withdrawal, cancels. The proof goes to a file of its own before the venue is told. */
import type { EmergencyKind, EmergencyLog } from '../compliance/emergency.ts';
import { SYSTEM } from '../compliance/records.ts';
import type { Clock } from '../execution/time.ts';
import type { Actor, Json } from '../risk/domain/record.ts';
import type { SwitchFlipped, TargetWithdrawn } from '../risk/records.ts';
import { cancelBody, cancelDrafts, isCancellable, sendCancels, type CancelBody } from './flows/cancel.ts';
import type { House } from './house.ts';

export interface EmergencyAct {
  record(actor: Actor, done: SwitchFlipped | TargetWithdrawn | null, cancels: readonly CancelBody[]): void;
}

/**
 * Writes to the emergency file, synchronously: when it returns, the proof is on disk. A file that cannot be written either (one full disk
 * holds both) keeps nothing from being done: `say` tells the operator.
 */
export function emergencyAct(file: EmergencyLog, clock: Clock, say: (line: string) => void): EmergencyAct {
  return {
    record(actor, done, cancels) {
      const at = clock.now();
      const write = (kind: EmergencyKind, body: unknown): void => { file.append(at, kind, { actor, body } as unknown as Json); };
      try {
        if (done !== null) write('scope' in done ? 'switch.flipped' : 'target.withdrawn', done);
        for (const body of cancels) write('cancel.requested', body);
      } catch (error) {
        say(`the emergency file cannot be written; what it was to prove is done all the same: ${(error as Error).message}`);
      }
    },
  };
}

/** The log could not be written for too long, or is not ours any more: everything that works is cancelled. */
export function emergencyCancel(house: House, reason: string): void {
  const cancels = [...house.state.execution.children.values()].filter(isCancellable).map((child) => cancelBody(child, reason));
  if (cancels.length === 0) return;
  house.emergency.record(SYSTEM, null, cancels);
  sendCancels(house, cancels);
  // Queued as well: memory shows what was asked, and the log will, once it can be written.
  if (house.journal.accepts('reserved')) house.journal.append(cancelDrafts(cancels, null)).durable.catch(house.fail);
}
