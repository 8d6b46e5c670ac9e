/**
 * RFC 8785 canonical JSON, and the bytes of a record.
 *
 * A record's canonical text is one object whose keys stand in the order of their UTF-16 code units:
 *   {"actor":{…},"at":"…","body":{…},"cause":…,"kind":"…","log":"…","prev":"…","seq":…,"v":…}
 * No white space; numbers as ECMAScript prints them; strings escaped as JSON.stringify does. There is no raw newline in it, so a
 * file holds one record a line. A version may add keys to a body; it never changes the envelope.
 */
import { hash } from 'node:crypto';
import type { Actor, Json } from '../risk/domain/record.ts';

/** Tiles of the log hold no longer record (C2SP tlog-tiles: a 16-bit length). */
export const RECORD_BYTES_MAX = 65_535;

/**
 * The canonical text of a JSON value. Throws RangeError for what has none: a non-finite double, −0 (records forbid it), undefined,
 * a lone surrogate. Fixed shapes are written with their keys in order: what is in order already, the engine prints at half the cost.
 */
export function canonicalize(value: Json): string {
  return isInOrder(value) ? JSON.stringify(value) : canonicalText(value);
}

/** Whether `JSON.stringify` prints the canonical text. False also for what has none: then `canonicalText` says why. */
function isInOrder(value: Json): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value !== 'object') return false;
  if (isList(value)) {
    for (const item of value) if (!isInOrder(item)) return false; // `every` would step over a hole
    return true;
  }
  let before = '';
  for (const key in value) { // a list of the keys would be garbage for every object of every record
    if (key < before || !key.isWellFormed() || !isInOrder(value[key] as Json)) return false;
    before = key;
  }
  return true;
}

function canonicalText(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || Object.is(value, -0)) throw new RangeError('a record holds finite doubles and no -0');
    return String(value);
  }
  if (typeof value !== 'object') throw new RangeError(`a record holds no ${typeof value}`);
  if (isList(value)) return `[${Array.from(value, canonicalText).join(',')}]`; // a hole is undefined: `map` would leave it out
  return canonicalObject(value);
}

const isList = (value: readonly Json[] | { readonly [key: string]: Json }): value is readonly Json[] => Array.isArray(value);

function canonicalObject(object: { readonly [key: string]: Json }): string {
  let text = '{';
  for (const key of Object.keys(object).sort()) {
    if (text.length > 1) text += ',';
    text += `${canonicalString(key)}:${canonicalText(object[key] as Json)}`;
  }
  return `${text}}`;
}

/** Texts of only these characters need no escape; almost all in a record are. */
const PLAIN = /^[ !#-[\]-~]*$/;

function canonicalString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new RangeError('a record holds no lone surrogate');
  return JSON.stringify(text);
}

export interface Envelope {
  readonly actor: Actor;
  readonly at: string;
  readonly cause: number | null;
  readonly kind: string;
  readonly log: string;
  readonly prev: string;
  readonly seq: number;
  readonly v: number;
}

/** A record's canonical text, its length in UTF-8, and its leaf hash. */
export interface CanonicalRecord {
  readonly canonical: string;
  readonly bytes: number;
  readonly hash: string;
}

/** The record whose body is canonical already. The leaf is written in one piece: a character put before a long text copies it. */
export function canonicalRecord(envelope: Envelope, body: string): CanonicalRecord {
  const { actor, at, cause, kind, log, prev, seq, v } = envelope;
  const head = `{"actor":{"id":${canonicalString(actor.id)},"role":"${actor.role}"},"at":"${at}"`;
  const tail = `"cause":${String(cause)},"kind":"${kind}","log":"${log}","prev":"${prev}","seq":${String(seq)},"v":${String(v)}}`;
  const leaf = `\u0000${head},"body":${body},${tail}`;
  return { canonical: leaf.slice(1), bytes: Buffer.byteLength(leaf) - 1, hash: hash('sha256', leaf, 'hex') };
}

/** RFC 6962 leaf hash of a record, hex: SHA-256(0x00 ‖ canonical bytes). One hash serves the chain and the tree. */
export function leafHash(canonical: string): string {
  return hash('sha256', `\u0000${canonical}`, 'hex');
}

/** SHA-256 of a canonical JSON value, hex: content addresses and request hashes. */
export function contentHash(value: Json): string {
  return hash('sha256', canonicalize(value), 'hex');
}
