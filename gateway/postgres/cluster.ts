/**
 * The embedded PostgreSQL: made on the first start, spawned in a session of its own (a Ctrl-C at the terminal reaches the gateway
 * alone, which drains and then stops it), restarted when it dies, adopted when a killed gateway left it running.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pg, { type ClientConfig } from 'pg';
import { packagedNative, reachableBinaries, type Binaries } from './binaries.ts';
import { clusterHome, clusterPassword, isThere, makeCluster, socketFolder, SUPERUSER, type Home } from './home.ts';
import { databaseUsers, ownerOf, type Identity } from './user.ts';

export interface Cluster {
  /** Of the superuser: for migrations and for making the gateway's own login, never for the log. */
  readonly connection: ClientConfig;
  /** Whether it ran already. */
  readonly adopted: boolean;
  /** Fast shutdown (open transactions roll back, everything committed is flushed), awaited. Never call it without the lease: another gateway may use it. */
  readonly stop: () => Promise<void>;
  /** For a start that is given up: what this process has started and nobody else uses is stopped, all else left as it is. */
  readonly leave: () => Promise<void>;
}

export interface ClusterOptions {
  readonly dataDir: string;
  readonly log: (line: string) => void;
}

const TOO_MANY_CONNECTIONS = '53300';
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 60_000;
const POLL_MS = 50;
const WATCH_MS = 1_000;
const AGAIN_MS = 1_000;
const USE_ENDS_MS = 1_000;

/**
 * For a small machine; durability settings are PostgreSQL's own defaults: fsync, full_page_writes and synchronous_commit on. A new segment of
 * WAL holds commits up for 50 ms while it is written full of zeros, an old one used again does not: so there are few of them.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '', port: '5432', unix_socket_permissions: '0700', max_connections: '30', shared_buffers: '128MB', max_wal_size: '512MB', jit: 'off',
  timezone: 'UTC', log_timezone: 'UTC', log_checkpoints: 'off',
};

/** What a start needs to know, found out once. */
interface Site {
  readonly home: Home;
  readonly binaries: Binaries;
  readonly server: Identity | null;
  readonly log: (line: string) => void;
}

/** A running postmaster: a child of ours, or one found. */
interface Postmaster {
  readonly pid: number;
  readonly sockets: string;
  readonly child: ChildProcess | null;
}

/** Ready within about a second, half of it initdb on the first start. `dataDir` exists. Errors: one line saying what to do. */
export async function startPostgres(options: ClusterOptions): Promise<Cluster> {
  const { site, password } = await prepare(options);
  const found = await bring(site);
  const connection = superuser(found, password);
  const endWatch = keepRunning(site, found);
  return {
    connection, adopted: found.child === null,
    stop: async () => { await shutDown(site, await endWatch()); },
    leave: async () => { await leaveUnused(connection, site, await endWatch()); },
  };
}

/**
 * For a command beside the gateway, or without it: the server that runs, or one started for as long as `use` takes. It is not watched,
 * and is left running when a gateway has come to use it meanwhile.
 */
export async function visitPostgres<T>(options: ClusterOptions, use: (connection: ClientConfig) => Promise<T>): Promise<T> {
  const { site, password } = await prepare(options);
  const found = await bring(site);
  const connection = superuser(found, password);
  try {
    return await use(connection);
  } finally {
    await leaveUnused(connection, site, found);
  }
}

async function leaveUnused(connection: ClientConfig, site: Site, postmaster: Postmaster): Promise<void> {
  if (postmaster.child !== null && !(await isUsed(connection, site))) await shutDown(site, postmaster);
}

async function prepare({ dataDir, log }: ClusterOptions): Promise<{ readonly site: Site; readonly password: string }> {
  const users = await databaseUsers(dataDir);
  const home = await clusterHome(dataDir, users, log);
  const password = await clusterPassword(dataDir);
  const binaries = await reachableBinaries(await packagedNative(), home.path, users?.server ?? null, log);
  await makeCluster(home, binaries, users, password);
  return { site: { home, binaries, server: users === null ? null : await ownerOf(home.data), log }, password };
}

const superuser = ({ sockets }: Postmaster, password: string): ClientConfig => ({ host: sockets, port: 5432, user: SUPERUSER, password, database: 'postgres' });

/**
 * Whether others are connected. Our own connections end a moment after we have closed them. A server that does not let us in serves nobody,
 * unless it has no room.
 */
async function isUsed(connection: ClientConfig, { log }: Site): Promise<boolean> {
  const client = new pg.Client(connection);
  client.on('error', (error) => { log(error.message); });
  try {
    await client.connect();
  } catch (error) {
    log((error as Error).message);
    return (error as { readonly code?: string }).code === TOO_MANY_CONNECTIONS;
  }
  try {
    for (let waited = 0; ; waited += POLL_MS) {
      const { rowCount } = await client.query("SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
      if (rowCount === 0) return false;
      if (waited >= USE_ENDS_MS) return true;
      await sleep(POLL_MS);
    }
  } finally {
    await client.end();
  }
}

/** Adopts the postmaster of this data folder, or starts one; tries again while a dying predecessor is still in the way. */
async function bring(site: Site, sockets?: string): Promise<Postmaster> {
  for (let waited = 0; ; waited += POLL_MS) {
    const found = await findPostmaster(site);
    if (found === 'leaving' && waited < START_DEADLINE_MS) await sleep(POLL_MS);
    else if (found !== null && found !== 'leaving') return found;
    else {
      const started = await spawnPostmaster(site, sockets ?? (await socketFolder(site.home, site.server)));
      if (typeof started !== 'string') return started;
      if (waited >= START_DEADLINE_MS || !/lock file|shared memory block/.test(started)) throw new Error(`the embedded PostgreSQL did not start: ${started}`);
      await sleep(POLL_MS);
    }
  }
}

/** Reads postmaster.pid: its lines are pid, data folder, start time, port, socket folder, address, shared memory key, status. */
async function findPostmaster({ home, log }: Site): Promise<Postmaster | 'leaving' | null> {
  const file = join(home.data, 'postmaster.pid');
  if (!(await isThere(file))) return null;
  const lines = (await readFile(file, 'utf8')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isAlive(pid)) return null; // stale: PostgreSQL removes it itself
  if (await isStranger(pid, home.data)) {
    log(`process ${String(pid)} is not the postmaster that ${file} names: the file is left over from another boot, removing it`);
    await rm(file, { force: true });
    return null;
  }
  if (lines[7]?.trim() !== 'ready') return 'leaving'; // stopping, or starting for another gateway
  return { pid, sockets: lines[4] ?? '', child: null };
}

/** A pid is given again after a reboot or in a fresh container. Only Linux tells: a postmaster's command line names its data folder. */
async function isStranger(pid: number, data: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const command = await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => null); // it ended meanwhile, or may not be looked at
  return command !== null && !command.split('\0').includes(data);
}

/** A process that may not be signalled is another user's, so it is no postmaster of ours: PostgreSQL judges alike. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH' || (error as NodeJS.ErrnoException).code === 'EPERM') return false;
    throw error;
  }
}

/** The postmaster once it accepts connections, or its last words. */
async function spawnPostmaster({ home, binaries, server, log }: Site, sockets: string): Promise<Postmaster | string> {
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(binaries.postgres, ['-D', home.data, '-k', sockets, ...settings], {
    ...server, cwd: '/', detached: true, env: { LC_ALL: 'C' }, stdio: ['ignore', 'ignore', 'pipe'],
  });
  const fatal: string[] = [];
  const lines = createInterface({ input: child.stderr });
  const ready = new Promise<'ready'>((resolve) => {
    lines.on('line', (line) => {
      if (/(FATAL|PANIC|ERROR|WARNING): /.test(line)) log(`postgres: ${line}`);
      if (line.includes('FATAL: ')) fatal.push(line);
      if (line.includes('ready to accept connections')) resolve('ready');
    });
  });
  const ended = once(lines, 'close').then(() => fatal.join(' ') || 'it ended without a word');
  const failed = once(child, 'error').then(([error]) => (error as Error).message);
  const outcome = await Promise.race([ready, ended, failed]);
  if (outcome !== 'ready' || child.pid === undefined) return outcome;
  return { pid: child.pid, sockets, child };
}

/**
 * Starts it again when it dies, on the same socket, until the returned function ends that; it gives the postmaster of then. A start that
 * fails is told and tried again: a full disk, of which a server dies, has room again one day. Meanwhile the log is unreachable and the sequencer in its emergency.
 */
function keepRunning(site: Site, first: Postmaster): () => Promise<Postmaster> {
  let current = first;
  const stopping = new AbortController();
  const watch = async (): Promise<void> => {
    for (;;) {
      await gone(current, stopping.signal, WATCH_MS);
      if (stopping.signal.aborted) return;
      site.log('the embedded PostgreSQL ended by itself; starting it again');
      try {
        current = await bring(site, current.sockets);
      } catch (error) {
        site.log((error as Error).message);
        await pause(AGAIN_MS, stopping.signal);
      }
    }
  };
  const watching = watch();
  return async () => {
    stopping.abort();
    await watching;
    return current;
  };
}

/** Fast shutdown, awaited. */
async function shutDown({ home }: Site, postmaster: Postmaster): Promise<void> {
  const { pid, sockets } = postmaster;
  if (isAlive(pid)) process.kill(pid, 'SIGINT');
  await gone(postmaster, AbortSignal.timeout(STOP_DEADLINE_MS), POLL_MS);
  if (isAlive(pid)) throw new Error(`the embedded PostgreSQL (process ${String(pid)}) has not stopped; its data are safe`);
  if (dirname(sockets) !== home.path) await rm(sockets, { recursive: true, force: true });
}

/** Resolves when the postmaster has ended, or the signal is aborted. One that was found is no child: it can only be looked at. */
async function gone({ pid, child }: Postmaster, signal: AbortSignal, pollMs: number): Promise<void> {
  if (child === null) {
    while (!signal.aborted && isAlive(pid)) await pause(pollMs, signal);
  } else if (child.exitCode === null && child.signalCode === null && !signal.aborted) {
    await Promise.race([once(child, 'exit'), once(signal, 'abort')]);
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch((error: unknown) => {
  if (!signal.aborted) throw error;
});
