/** DATABASE_URL: judged before anything is sent to it; its text, and so its password, never appears in a message. */
import type { ClientConfig } from 'pg';

/** What a URL may say besides user, password, host, port and database. */
const KNOWN = new Set(['host', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey']);
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Errors: one line for the operator. A server beyond this machine must prove its name: sslmode=verify-full. */
export function databaseUrl(text: string): ClientConfig {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) throw new Error('DATABASE_URL is not a postgres:// URL');
  const names = [...url.searchParams.keys()];
  for (const [i, name] of names.entries()) {
    if (KNOWN.has(name) && names.indexOf(name) === i) continue;
    throw new Error(`DATABASE_URL: a parameter is unknown or repeated; known are ${[...KNOWN].join(', ')}`);
  }
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname).replace(/^\[(.*)\]$/, '$1');
  if (host === '') throw new Error('DATABASE_URL names no server'); // pg would take PGHOST, which nobody has judged
  const local = host.startsWith('/') || LOOPBACK.test(host);
  if (!local && url.searchParams.get('sslmode') !== 'verify-full') {
    throw new Error(`DATABASE_URL: the server ${host} is not on this machine, so sslmode=verify-full is required`);
  }
  return { connectionString: text };
}
