/**
 * The one connection that writes a log. It holds the log's lease, a session-level advisory lock: a second gateway on the same log finds
 * it taken and does not start. The lock ends with the session, so nothing is left behind by a crash.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg, { type ClientConfig } from 'pg';

/** Somebody else writes this log. */
export class LeaseHeld extends Error {
  override readonly name = 'LeaseHeld';
}

export interface LaneOptions {
  /** As the writer role: INSERT and SELECT only. */
  readonly connection: ClientConfig;
  readonly log: string;
  /** Names this process among those that may hold the lease. PostgreSQL shows the first 63 bytes of it, with the log before it. */
  readonly instance: string;
  /** No answer for so long is an unknown outcome: the connection is given up. */
  readonly deadlineMs: number;
  /** A connection broke: told once, for the operator; whoever uses it learns of it by itself. */
  readonly onLost: (error: Error) => void;
}

const OLDEST_SERVER = 140_000;
const LEASE_POLL_MS = 50;

/** Connects, checks the server and takes the lease, waiting at most `leaseWaitMs` for a predecessor that is ending. */
export async function openLane(options: LaneOptions, leaseWaitMs: number): Promise<pg.Client> {
  const { connection, deadlineMs } = options;
  const client = new pg.Client({
    ...connection, application_name: applicationName(options), connectionTimeoutMillis: deadlineMs, query_timeout: deadlineMs, keepAlive: true,
  });
  client.on('error', options.onLost);
  try {
    await client.connect();
    await checkServer(client);
    await takeLease(client, options, leaseWaitMs);
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}

const applicationName = ({ log, instance }: LaneOptions): string => `portcullis ${log} ${instance}`.slice(0, 63);

/** Refuses a server that may forget what it has acknowledged, or that lacks what the statements use. */
async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ version: string; fsync: string; commit: string; pages: string; encoding: string; standby: boolean }>(
    `SELECT current_setting('server_version_num') AS version, current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
            current_setting('full_page_writes') AS pages, current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby`);
  for (const { version, fsync, commit, pages, encoding, standby } of rows) {
    if (Number(version) < OLDEST_SERVER) throw new Error('the log needs PostgreSQL 14 or newer');
    if (fsync !== 'on') throw new Error('the database runs with fsync off: it would forget records that it acknowledged');
    if (commit === 'off') throw new Error('the database runs with synchronous_commit off: it would forget records that it acknowledged');
    if (pages !== 'on') throw new Error('the database runs with full_page_writes off: a crash could tear the log');
    if (encoding !== 'UTF8') throw new Error(`the database is encoded in ${encoding}: the log needs UTF8`);
    if (standby) throw new Error('the database is a standby: the log needs the primary');
  }
}

const TAKE = "SELECT pg_try_advisory_lock(hashtextextended('portcullis/' || $1, 0)) AS taken";

/** Sessions that hold the lease. Of another user's the start is hidden from us, and may be the name: null. */
const HOLDERS = `SELECT a.pid, a.application_name AS name, a.backend_start AS since FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.objsubid = 1 AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended('portcullis/' || $1, 0)`;

async function takeLease(client: pg.Client, options: LaneOptions, waitMs: number): Promise<void> {
  const { log } = options;
  for (let waited = 0; ; waited += LEASE_POLL_MS) {
    const { rows } = await client.query<{ taken: boolean }>(TAKE, [log]);
    if (rows[0]?.taken === true) return;
    const holders = await client.query<{ pid: number; name: string | null; since: Date | null }>(HOLDERS, [log]);
    for (const { pid, name, since } of holders.rows) {
      // Our own earlier session, whose end the server has not noticed yet: what it still does is read back by seq.
      if (name === applicationName(options)) await client.query('SELECT pg_terminate_backend($1)', [pid]);
      else if (waited >= waitMs) {
        const who = `${name ?? 'unnamed'}, since ${since?.toISOString() ?? 'a time that is hidden from us'}`;
        throw new LeaseHeld(`another gateway writes the log ${log}: ${who}; stop it first`);
      }
    }
    await sleep(LEASE_POLL_MS);
  }
}
