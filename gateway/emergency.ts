/** What may be done while the log cannot be written: a halt, and cancels. The proof goes to a file of its own before the venue is told. */
import type { EmergencyKind, EmergencyLog } from '../compliance/emergency.ts';
import { SYSTEM } from '../compliance/records.ts';
import type { Clock } from '../execution/time.ts';
import type { Actor, Json } from '../risk/domain/record.ts';
import type { SwitchFlipped } from '../risk/records.ts';
import { actOnCancels, cancelBody, cancelDrafts, isCancellable, type CancelBody } from './flows/cancel.ts';
import type { House } from './house.ts';

export interface EmergencyAct {
  record(actor: Actor, flipped: SwitchFlipped | null, cancels: readonly CancelBody[]): void;
}

/** Writes to the emergency file, synchronously: when it returns, the proof is on disk. */
export function emergencyAct(file: EmergencyLog, clock: Clock): EmergencyAct {
  return {
    record(actor, flipped, cancels) {
      const at = clock.now();
      const write = (kind: EmergencyKind, body: unknown): void => { file.append(at, kind, { actor, body } as unknown as Json); };
      if (flipped !== null) write('switch.flipped', flipped);
      for (const body of cancels) write('cancel.requested', body);
    },
  };
}

/** The log could not be written for too long, or is not ours any more: everything that works is cancelled. */
export function emergencyCancel(house: House, reason: string): void {
  const cancels = [...house.state.execution.children.values()].filter(isCancellable).map((child) => cancelBody(child, reason));
  if (cancels.length === 0) return;
  // Queued as well: memory shows what was asked, and the log will, once it can be written.
  if (house.journal.accepts('reserved')) house.journal.append(cancelDrafts(cancels, null)).durable.catch(house.fail);
  actOnCancels(house, SYSTEM, null, cancels);
}
