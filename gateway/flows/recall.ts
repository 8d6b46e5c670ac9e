import { orderKey, targetKey } from '../../execution/state.ts';
import { recall as recallIn } from '../../execution/window.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { LogRecord } from '../../risk/domain/record.ts';
import type { House } from '../house.ts';

export type Known<B> =
  | { readonly kind: 'new' }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'repeat'; readonly decided: LogRecord<string, B>; readonly receipt: Receipt };

const KEYS = { order: orderKey, target: targetKey } as const;

/** Whether memory remembers the id, or has forgotten nothing yet: then there is no need to look it up. */
export function isSettled(house: House, noun: 'order' | 'target', account: string, id: string): boolean {
  return !house.state.execution.forgotten || recallIn(house.state.execution.ids, KEYS[noun](account, id)) !== undefined;
}

/**
 * What the log knows of an id. A repeat gets the same answer, made from the same records, once they are durable; the same id with
 * another body is a conflict. Ids are remembered as long as the log: those that memory has forgotten are looked up.
 */
export async function recall<B extends { readonly requestHash: string }>(
  house: House, noun: 'order' | 'target', account: string, id: string, requestHash: string,
): Promise<Known<B>> {
  const [earlier] = isSettled(house, noun, account, id) ? [] : ((await house.lookUp(`${noun}:${account}/${id}`)) as readonly LogRecord<string, B>[]);
  // While we looked, the same id may have been decided: memory is asked in the turn that decides.
  const entry = recallIn(house.state.execution.ids, KEYS[noun](account, id));
  const seq = entry?.seq ?? earlier?.seq;
  if (seq === undefined) return { kind: 'new' };
  if ((entry?.requestHash ?? earlier?.body.requestHash) !== requestHash) return { kind: 'conflict' };
  const receipt = await house.journal.whenDurable(seq);
  const [decided] = (await house.records(seq, seq + 1)) as readonly LogRecord<string, B>[];
  if (decided === undefined) throw new Error(`record ${String(seq)} is durable and cannot be read`);
  return { kind: 'repeat', decided, receipt };
}
