import type { Ns } from './time.ts';

export type Role = 'strategy' | 'risk_officer' | 'compliance' | 'regulator' | 'admin';

/** Who caused a record. `id` is the token's `sub`; the gateway itself is `portcullis`, a venue its id. */
export interface Actor {
  readonly id: string;
  readonly role: Role | 'system' | 'venue';
}

/** JSON as it stands in a record: doubles finite and never −0, exact values as decimal strings. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What a flow hands to the journal. The journal adds log, seq, at and prev. */
export interface Draft<K extends string = string, B = unknown> {
  readonly kind: K;
  readonly v: number;
  readonly actor: Actor;
  /** The seq that led to it. `'first'` names the first record of the same unit, whose seq is not known before. */
  readonly cause: number | null | 'first';
  readonly body: B;
}

/** A record as reducers see it, live and at a restart alike. */
export interface LogRecord<K extends string = string, B = unknown> {
  readonly log: string;
  readonly seq: number;
  readonly at: Ns;
  readonly kind: K;
  readonly v: number;
  readonly actor: Actor;
  readonly cause: number | null;
  readonly body: B;
}
