import { orderKey, targetKey } from '../../execution/state.ts';
import { recall as recallIn } from '../../execution/window.ts';
import type { Receipt } from '../../risk/domain/proof.ts';
import type { LogRecord } from '../../risk/domain/record.ts';
import type { House } from '../house.ts';

type Noun = 'order' | 'target';
const KEYS = { order: orderKey, target: targetKey } as const;

/** Whether memory remembers the id, or has forgotten nothing yet: then there is no need to look it up. */
function isSettled(house: House, noun: Noun, account: string, id: string): boolean {
  return !house.state.execution.forgotten || recallIn(house.state.execution.ids, KEYS[noun](account, id)) !== undefined;
}

/** Look-ups under way, by subject. */
const underWay = new WeakMap<House['journal'], Map<string, Promise<number | null>>>();

/**
 * Ids are remembered as long as the log: the seq that decided one that memory has forgotten; null, at once, where memory knows better.
 * Who asks for an id that is being looked up waits for the same answer: a cancel goes on after the order that was sent before it.
 */
export function lookUpForgotten(house: House, noun: Noun, account: string, id: string): Promise<number | null> | null {
  if (isSettled(house, noun, account, id)) return null;
  const subject = `${noun}:${account}/${id}`;
  const asked = underWay.get(house.journal) ?? new Map<string, Promise<number | null>>();
  underWay.set(house.journal, asked);
  const found = asked.get(subject) ?? house.lookUp(subject).then(([first]) => first?.seq ?? null).finally(() => { asked.delete(subject); });
  asked.set(subject, found);
  return found;
}

/**
 * The seq of the decision that an id stands for; null when it is free. Asked in the turn that decides, with what was looked up before it:
 * between this line and the append nothing may wait, or one id gets two decisions.
 */
export function knownAs(house: House, noun: Noun, account: string, id: string, earlier: number | null): number | null {
  return recallIn(house.state.execution.ids, KEYS[noun](account, id)) ?? earlier;
}

/** The seq of the decision that an id stands for; null when it is free. For who only reads: it waits, so who decides asks `knownAs`. */
export async function decidedSeqOf(house: House, noun: Noun, account: string, id: string): Promise<number | null> {
  return knownAs(house, noun, account, id, await lookUpForgotten(house, noun, account, id));
}

/** The decision at a seq, once it is durable: the same records give the same answer, also to a repeat. */
export async function decisionAt<B>(house: House, seq: number): Promise<{ readonly decided: LogRecord<string, B>; readonly receipt: Receipt }> {
  const receipt = await house.journal.whenDurable(seq);
  const [decided] = (await house.records(seq, seq + 1)) as readonly LogRecord<string, B>[];
  if (decided === undefined) throw new Error(`record ${String(seq)} is durable and cannot be read`);
  return { decided, receipt };
}
