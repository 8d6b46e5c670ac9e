/**
 * Types that one function alone can make are the proof that something happened. They are declared here; `Approved` is made in
 * risk/decide.ts and `Receipt` in compliance/sequencer.ts, and the tidy test sees to it that nobody else casts to them.
 */

declare const approved: unique symbol;
declare const durable: unique symbol;

/** A value that passed every check of the policy in force. */
export type Approved<T> = T & { readonly [approved]: true };

/** The record at `seq` is durable: `hash` is its RFC 6962 leaf hash, hex. */
export interface Receipt {
  readonly log: string;
  readonly seq: number;
  readonly hash: string;
  readonly [durable]: true;
}
