/**
 * Whose processes the embedded PostgreSQL is. PostgreSQL refuses to run as root, so root gives it an uid of its own that no other daemon
 * has: one without a name. Only `initdb` asks for a name, so it runs as `nobody`, and what it made is handed over.
 */
import { createHash } from 'node:crypto';
import { chown, lchown, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

export interface Users {
  /** Runs the server and owns its files. */
  readonly server: Identity;
  /** Runs initdb. */
  readonly initdb: Identity;
}

/** Debian's policy reserves 30000–59999 and gives none of them out. */
const FIRST_UID = 50_000;
const UIDS = 9_000;

/** Null for an ordinary user: everything then runs as that user. */
export async function databaseUsers(dataDir: string): Promise<Users | null> {
  if (process.getuid?.() !== 0) return null;
  const passwd = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const named = passwd.find(([name]) => name === 'nobody') ?? passwd.find(([name]) => name === 'postgres');
  if (named === undefined) throw new Error('as root, the embedded PostgreSQL needs a user `nobody` or `postgres`: make one, or set DATABASE_URL');
  const taken = new Set(passwd.map(([, , uid]) => Number(uid)));
  let uid = FIRST_UID + (createHash('sha256').update(await realpath(dataDir)).digest().readUInt16BE() % UIDS);
  while (taken.has(uid)) uid += 1;
  return { server: { uid, gid: uid }, initdb: { uid: Number(named[2]) >>> 0, gid: Number(named[3]) >>> 0 } };
}

/** Owner of a cluster that exists already: its server goes on under the same uid. Root itself owns none. */
export async function ownerOf(path: string): Promise<Identity | null> {
  const { uid, gid } = await stat(path);
  return uid === 0 ? null : { uid, gid };
}

/** Whether a stranger to the folder may walk down to it: every folder above and itself lets others pass. */
export async function isPassable(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o001) === 0) return false;
  return dirname(path) === path || isPassable(dirname(path));
}

/** Hands a tree over; links themselves, never what they point at. */
export async function handOver(path: string, to: Identity): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) await lchown(join(entry.parentPath, entry.name), to.uid, to.gid);
  await chown(path, to.uid, to.gid);
}
