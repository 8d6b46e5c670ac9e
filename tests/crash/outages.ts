/** Ways in which the database cannot be written. Each begins for real, and gives what ends it. */
import { execFile } from 'node:child_process';
import { statSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isAlive } from './processes.ts';
import type { Site } from './site.ts';

export interface Outage {
  readonly name: string;
  readonly begin: (site: Site) => Promise<() => Promise<void>>;
}

const run = promisify(execFile);

/** The postmaster and every process of it: the server's own list, taken after the postmaster can make no more. */
async function processes(site: Site, before: (postmaster: number) => void): Promise<readonly number[]> {
  const client = await site.database();
  const { pid } = site.postmaster!;
  before(pid);
  const { rows } = await client.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
  await client.end();
  return [pid, ...rows.map((row) => row.pid)];
}

/** Neither yes nor no: connections are taken by the kernel, and nobody answers. */
const standsStill: Outage = {
  name: 'PostgreSQL stands still',
  async begin(site) {
    const pids = await processes(site, (postmaster) => process.kill(postmaster, 'SIGSTOP'));
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    return () => {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
      return Promise.resolve();
    };
  },
};

/**
 * What the server says when a table cannot grow: an error, and the connection lives on; reads go on. The gateway's own next checkpoint
 * meets the kernel's ENOSPC. The error is raised by a trigger, since a file system of a size of its own takes root to make.
 */
const diskFull: Outage = {
  name: 'the disk is full: every write is refused',
  async begin(site) {
    const client = await site.database();
    await client.query(`CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$`);
    await client.query('CREATE TRIGGER disk_full BEFORE INSERT ON portcullis.records EXECUTE FUNCTION disk_full()');
    const checkpoint = join(site.dataDir, 'checkpoint.new');
    symlinkSync('/dev/full', checkpoint);
    return async () => {
      unlinkSync(checkpoint);
      await client.query('DROP FUNCTION disk_full() CASCADE');
      await client.end();
    };
  },
};

/** The writer's connection ends in the midst of its commits, again and again; between two cuts it may come through. */
const cutAgain: Outage = {
  name: 'the connection is cut, again and again',
  async begin(site) {
    const client = await site.database();
    const over = new AbortController();
    const cutting = (async () => {
      while (!over.signal.aborted) await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'portcullis_gateway'");
    })();
    return async () => {
      over.abort();
      await cutting;
      await client.end();
    };
  },
};

/** It is back within a second or two: the gateway brings it. */
const killed: Outage = {
  name: 'PostgreSQL is killed',
  begin(site) {
    process.kill(site.postmaster!.pid, 'SIGKILL');
    return Promise.resolve(() => Promise.resolve());
  },
};

/** No write of the server succeeds (RLIMIT_FSIZE 0): it panics at the next commit, and cannot recover; the gateway brings another. */
const cannotWrite: Outage = {
  name: 'no write of PostgreSQL succeeds',
  async begin(site) {
    for (const pid of await processes(site, () => undefined)) {
      const { uid, gid } = statSync(join(site.dataDir, 'postgres', 'data'));
      const limited = run('prlimit', ['--pid', String(pid), '--fsize=0:'], process.getuid?.() === 0 ? { uid, gid } : {}); // its owner may, without any capability
      await limited.catch((error: unknown) => { if (isAlive(pid)) throw error; }); // a worker that has ended meanwhile
    }
    return () => Promise.resolve();
  },
};

/** The log is surely not written until they are ended. */
export const SILENT: readonly Outage[] = [standsStill, diskFull];
/** Between two blows a batch may come through; or the gateway itself ends them. */
export const PASSING: readonly Outage[] = [cutAgain, killed, cannotWrite];
