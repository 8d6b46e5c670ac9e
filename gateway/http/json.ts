/** JSON from strangers: UTF-8 without a byte order mark, no key that reaches a prototype. And JSON to them. */
import { isUtf8 } from 'node:buffer';
import { Refusal } from './errors.ts';

const BANNED_KEYS = ['__proto__', 'constructor', 'prototype'] as const;
/** A text without these words and without escapes has no banned key; only the others are searched. */
const SUSPECT = /__proto__|constructor|prototype|\\u/;

/** Parses the bytes of a body. Throws Refusal INVALID_BODY on anything but one clean JSON text. */
export function parseJsonBytes(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new Refusal('INVALID_BODY', 'The body is not UTF-8');
  return parseJson(bytes.toString('utf8'));
}

/** Parses a text. Throws Refusal INVALID_BODY. The byte order mark is no JSON, and JSON.parse says so. */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal('INVALID_BODY', 'The body is not JSON');
  }
  if (SUSPECT.test(text) && hasBannedKey(value)) throw new Refusal('INVALID_BODY', 'A key of the body is not allowed');
  return value;
}

/** Iterative: depth is the sender's choice. */
function hasBannedKey(root: unknown): boolean {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (BANNED_KEYS.some((key) => Object.hasOwn(value, key))) return true;
    for (const child of Object.values(value)) open.push(child);
  }
  return false;
}

/** A body that is JSON text already, sent as it stands. A whole body only: inside another value it would be an object like any other. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The JSON text of an answer's body. */
export const jsonText = (body: unknown): string => (body instanceof JsonText ? body.text : JSON.stringify(body));

/** The JSON text of an object that is not empty, with one more member whose value is text already. */
export const textWith = (object: object, key: string, valueText: string): string => `${JSON.stringify(object).slice(0, -1)},"${key}":${valueText}}`;
