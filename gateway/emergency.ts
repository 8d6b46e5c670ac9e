/** What may be done while the log cannot be written: a halt, a withdrawal, cancels. The proof goes to a file of its own before the venue is told. */
import type { EmergencyKind, EmergencyLog } from '../compliance/emergency.ts';
import { isOpen } from '../execution/order-state.ts';
import type { Clock } from '../execution/time.ts';
import type { Receipt } from '../risk/domain/proof.ts';
import type { Draft, Json } from '../risk/domain/record.ts';
import { cancelBody, cancelDrafts, sendCancels, type CancelBody } from './flows/cancel.ts';
import type { House } from './house.ts';

/** A record of what may be done although the log cannot be written. */
export type EmergencyDraft = Draft<EmergencyKind>;

export interface EmergencyAct {
  record(drafts: readonly EmergencyDraft[]): void;
}

/**
 * Writes to the emergency file, synchronously: when it returns, the proof is on disk. A file that cannot be written either (one full disk
 * holds both) keeps nothing from being done: `say` tells the operator.
 */
export function emergencyAct(file: EmergencyLog, clock: Clock, say: (line: string) => void): EmergencyAct {
  return {
    record(drafts) {
      try {
        file.append(clock.now(), drafts.map(({ kind, actor, body }) => ({ kind, body: { actor, body } as unknown as Json })));
      } catch (error) {
        say(`the emergency file cannot be written; what it was to prove is done all the same: ${(error as Error).message}`);
      }
    },
  };
}

/**
 * Records in the log, or, as soon as the log cannot be written, in the emergency file too; then there is no receipt. The proof is on
 * disk when it returns, but where neither can be written. A crash after it may leave it in both: adoption repeats nothing.
 */
export async function recordInAnyCase(house: House, drafts: readonly EmergencyDraft[]): Promise<Receipt | null> {
  const takes = house.journal.accepts('reserved'); // a log that is closed does not: the next start adopts
  const receipts = takes ? await house.unlessUnwritable(house.journal.append(drafts).durable) : null;
  if (receipts === null) house.emergency.record(drafts);
  return receipts?.[0] ?? null;
}

/**
 * Hands on cancels that stand in an appended unit: once it is durable, or, as soon as the log cannot be written, once the emergency file
 * has them. Memory counts them as asked for, so nobody else would ask.
 */
export async function cancelInAnyCase(house: House, cancels: readonly CancelBody[], durable: Promise<unknown>): Promise<void> {
  if (cancels.length === 0) return;
  if ((await house.unlessUnwritable(durable)) === null) house.emergency.record(cancelDrafts(cancels, null));
  sendCancels(house, cancels);
}

/**
 * The log could not be written for too long, or is not ours any more: everything that works is cancelled, also what was asked to be and
 * may not have left: a cancel may be sent twice.
 */
export function emergencyCancel(house: House, reason: string): void {
  const cancels = [...house.state.execution.children.values()].filter(({ state }) => isOpen(state)).map((child) => cancelBody(child, reason));
  if (cancels.length === 0) return;
  const drafts = cancelDrafts(cancels, null);
  house.emergency.record(drafts);
  sendCancels(house, cancels);
  // Queued as well: memory shows what was asked, and the log will, once it can be written.
  if (house.journal.accepts('reserved')) house.journal.append(drafts).durable.catch(house.fail);
}
