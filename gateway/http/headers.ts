/** What every answer carries, and which hosts, origins and media are ours. */
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../config.ts';
import { Refusal } from './errors.ts';

/** On every answer, errors of the protocol included. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
};

export const JSON_TYPE = 'application/json; charset=utf-8';
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
export const TEXT_TYPE = 'text/plain; charset=utf-8';

const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/i;
const ASCII_CAPITAL = /[A-Z]/;
const ASCII_CAPITALS = /[A-Z]/g;
const lower = (text: string): string => (ASCII_CAPITAL.test(text) ? text.replace(ASCII_CAPITALS, (letter) => letter.toLowerCase()) : text);

/**
 * Whether the `Host` names this gateway: its own HOST or a name of this machine, on any port, since a tunnel may lead here. A page that
 * rebinds its own name to our address still sends that name.
 */
export function isOurHost(host: string, ourName: string): boolean {
  const name = AUTHORITY.exec(host)?.[1];
  return name !== undefined && (isLoopback(lower(name)) || lower(name) === lower(ourName));
}

/** Whether a request has more than one `Host` (RFC 9112 §3.2): Node shows the first of them, and what lies before us may go by another. */
export function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 4 && lower(name) === 'host') hosts += 1;
  }
  return hosts > 1;
}

/** Whether a page of `origin` may speak to us: programs send none, and of pages only our own. Call it after `isOurHost`. */
export function isOurOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin === undefined || (host !== undefined && lower(origin) === `http://${lower(host)}`);
}

const JSON_MEDIA = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;

/** Whether a body announced by these headers is JSON as it stands, without encoding. */
export function isOurMedia(contentType: string | undefined, contentEncoding: string | undefined): boolean {
  return contentEncoding === undefined && (contentType === 'application/json' || (contentType !== undefined && JSON_MEDIA.test(contentType)));
}

const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i;

/** The token of an `Authorization` header; null when there is no header of that form. */
export function bearerOf(authorization: string | undefined): string | null {
  return authorization === undefined ? null : (BEARER.exec(authorization)?.[1] ?? null);
}

const SOCKET_KEY = /^[+/0-9A-Za-z]{22}==$/;

/** RFC 6455 §4.2.1. Throws Refusal INVALID_BODY: the library would refuse in its own words. */
export function checkHandshake({ upgrade, 'sec-websocket-version': version, 'sec-websocket-key': key = '' }: IncomingHttpHeaders): void {
  if (upgrade?.toLowerCase() === 'websocket' && version === '13' && SOCKET_KEY.test(key)) return;
  throw new Refusal('INVALID_BODY', 'The handshake is not that of RFC 6455');
}
