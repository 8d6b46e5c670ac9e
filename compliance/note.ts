/**
 * Signed notes (C2SP signed-note) with Ed25519.
 *
 * A note is a text that ends in a newline, an empty line, and one line a signature:
 *   — <name> base64(key id ‖ signature)
 * The key id is the first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), a hint which key to try. A verifier key is the one
 * line `<name>+<key id, hex>+base64(0x01 ‖ public key)`. Later versions add signature types, which readers of this one pass over; the
 * text never changes under its signatures.
 */
import { createPublicKey, hash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** Whose signature is looked for: the name and public key that a verifier key holds. */
export interface Verifier {
  readonly name: string;
  /** Eight hexadecimal digits. */
  readonly keyId: string;
  readonly publicKey: KeyObject;
}
export interface NoteSignature {
  readonly name: string;
  readonly keyId: string;
  readonly signature: Buffer;
}
export interface Note {
  /** Ends in a newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const ED25519 = 1;
const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
const NOTE_LENGTH_MAX = 1_000_000;
const SIGNATURES_MAX = 100;
/** A name has neither spaces nor `+`. */
const NAME = /^[^\s+\p{Cc}\p{Surrogate}]+$/u;
const VERIFIER_KEY = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/;
const SIGNATURE_LINE = /^— (\S+) ([A-Za-z0-9+/=]+)$/;
/** Control characters but the newline, and lone surrogates, have no place in a note. */
const POISON = /[^\P{Cc}\n]|\p{Surrogate}/u;

/** Bytes of a base64 text with padding; null unless it is the one text of those bytes. */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

/** A key to verify by, of its name and an Ed25519 public (or private) key. Throws RangeError for an impossible name or another kind of key. */
export function verifierOf(name: string, key: KeyObject): Verifier {
  if (!NAME.test(name)) throw new RangeError('a key name has no white space and no +');
  if (key.asymmetricKeyType !== 'ed25519') throw new RangeError('notes are signed with Ed25519');
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return { name, keyId: keyIdOf(name, rawKeyOf(publicKey)), publicKey };
}

/** `<name>+<key id>+<base64>`: the line that is given to those who verify. */
export function formatVerifierKey({ name, keyId, publicKey }: Verifier): string {
  return `${name}+${keyId}+${typedKey(rawKeyOf(publicKey)).toString('base64')}`;
}

/** Reads a verifier key; null for anything that `formatVerifierKey` does not write. */
export function parseVerifierKey(text: string): Verifier | null {
  const [, name = '', keyId, encoded = ''] = VERIFIER_KEY.exec(text) ?? [];
  const bytes = decodeBase64(encoded);
  if (!NAME.test(name) || bytes?.length !== 1 + KEY_BYTES || bytes[0] !== ED25519) return null;
  const raw = bytes.subarray(1);
  if (keyIdOf(name, raw) !== keyId) return null;
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
  return { name, keyId, publicKey };
}

/** A text, signed. Throws RangeError for a text that no note can hold. */
export function signNote(text: string, name: string, privateKey: KeyObject): string {
  if (!text.endsWith('\n') || POISON.test(text) || text.length > NOTE_LENGTH_MAX) throw new RangeError('a note is lines of text without controls');
  const { keyId } = verifierOf(name, privateKey);
  const signature = Buffer.concat([Buffer.from(keyId, 'hex'), sign(null, Buffer.from(text), privateKey)]);
  return `${text}\n— ${name} ${signature.toString('base64')}\n`;
}

/** Takes a note apart without judging its signatures; null for what is no note. */
export function parseNote(note: string): Note | null {
  if (note.length > NOTE_LENGTH_MAX || POISON.test(note) || !note.endsWith('\n')) return null;
  const end = note.lastIndexOf('\n\n');
  if (end === -1) return null;
  const lines = note.slice(end + 2, -1).split('\n');
  if (lines.length > SIGNATURES_MAX) return null;
  const signatures = lines.map(parseSignature);
  if (signatures.some((s) => s === null)) return null;
  return { text: note.slice(0, end + 1), signatures: signatures.filter((s) => s !== null) };
}

function parseSignature(line: string): NoteSignature | null {
  const [, name = '', encoded = ''] = SIGNATURE_LINE.exec(line) ?? [];
  const bytes = decodeBase64(encoded);
  if (!NAME.test(name) || bytes === null || bytes.length <= KEY_ID_BYTES) return null;
  return { name, keyId: bytes.subarray(0, KEY_ID_BYTES).toString('hex'), signature: bytes.subarray(KEY_ID_BYTES) };
}

/**
 * Whether the verifier's key signed this note: at least one signature bears its name and id, and every one that does is good. Other
 * signatures say nothing for or against.
 */
export function isSignedBy(note: Note, verifier: Verifier): boolean {
  const own = note.signatures.filter(({ name, keyId }) => name === verifier.name && keyId === verifier.keyId);
  const text = Buffer.from(note.text);
  return own.length > 0 && own.every(({ signature }) => signature.length === SIGNATURE_BYTES && verify(null, text, verifier.publicKey, signature));
}

const typedKey = (raw: Buffer): Buffer => Buffer.concat([Buffer.from([ED25519]), raw]);
const rawKeyOf = (publicKey: KeyObject): Buffer => Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');

function keyIdOf(name: string, raw: Buffer): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), typedKey(raw)]), 'hex').slice(0, 2 * KEY_ID_BYTES);
}
