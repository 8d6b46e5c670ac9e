/** The log in PostgreSQL. Appends go over one connection of their own, one statement a batch; reads over a small pool. */
import { sql } from 'kysely';
import type pg from 'pg';
import { copyLines } from './copy.ts';
import { LogUnreadable, type LogStore, type StoredLine, type StoredRecord } from './journal.ts';
import { openLane, type LaneOptions } from './lane.ts';
import type { FiledRecord } from './filed.ts';
import { openTables, type Database, type Tables } from './tables.ts';

/** There is a record at that seq already: ours, from a commit of unknown outcome, or somebody else's. */
export class SeqTaken extends Error {
  override readonly name = 'SeqTaken';
}

/** The record before the batch is not there. */
export class GapRefused extends Error {
  override readonly name = 'GapRefused';
}

export interface PostgresStore extends LogStore {
  /** For what is not the log: snapshots. */
  readonly tables: Database;
  close(): Promise<void>;
}

const UNIQUE_VIOLATION = '23505';
const CHECK_VIOLATION = '23514';
const LEASE_WAIT_MS = 3_000;
/** A read on a connection that a network has swallowed must not keep who asked, nor the recovery of the log, waiting. */
const READ_DEADLINE_MS = 10_000;
/** A server that stands still does not close its connections: a stop goes on, to the server's own end. */
const CLOSED_WITHIN_MS = 2_000;
/** Hashes fetched at once: 2 MiB of them. */
const HASH_PAGE = 65_536;

/**
 * Connects, checks the server and takes the log's lease. Errors: `LeaseHeld`, one line otherwise. Afterwards a lost connection rejects the
 * append at hand, whose outcome is then unknown, and the next append connects again.
 */
export async function postgresStore(options: LaneOptions): Promise<PostgresStore> {
  const onLost = (error: Error): void => {
    lane = null;
    options.onLost(error);
  };
  let lane: pg.Client | null = null;
  lane = await openLane({ ...options, onLost }, LEASE_WAIT_MS);
  try {
    await lane.query('SELECT portcullis.extend_records()');
  } catch (error) {
    await lane.end();
    throw error;
  }
  const tables = openTables({ ...options.connection, query_timeout: READ_DEADLINE_MS }, options.onLost);

  /** What follows the last record that this session has stored. A new session may meet a server that lost what another had acknowledged. */
  let nextSeq: number | null = null;
  const append = async (lines: readonly StoredLine[]): Promise<void> => {
    const [first] = lines;
    if (first === undefined) return;
    if (lane === null) nextSeq = null;
    const client = (lane ??= await openLane({ ...options, onLost }, 0));
    try {
      if (first.seq !== nextSeq) await refuseGap(client, options.log, first.seq);
      await insert(client, options.log, lines);
      nextSeq = first.seq + lines.length;
    } catch (error) {
      if (error instanceof GapRefused) throw error;
      // What the server says ends the statement. Where it ends the session too, `onLost` hears of it.
      if (isPostgresError(error)) throw error.code === UNIQUE_VIOLATION ? seqTaken(lines, error) : error;
      lane = null; // broken or silent: a late answer must not meet the next append
      await client.end();
      throw error;
    }
  };

  return {
    append,
    ...storedReads(tables, options.log),
    async putBlob(hash, text) {
      await tables.insertInto('blobs').values({ hash: Buffer.from(hash, 'hex'), text }).onConflict((conflict) => conflict.doNothing()).execute();
    },
    tables,
    async close() {
      const last = lane;
      lane = null;
      await within(CLOSED_WITHIN_MS, Promise.all([tables.destroy(), last?.end()]));
    },
  };
}

/** Resolves with `ended`, or without it when it takes too long. */
async function within(ms: number, ended: Promise<unknown>): Promise<void> {
  let late: NodeJS.Timeout | undefined;
  try {
    await Promise.race([ended, new Promise((resolve) => { late = setTimeout(resolve, ms); })]);
  } finally {
    clearTimeout(late);
  }
}

/** A standby that was behind and took over must not be written past the hole. */
async function refuseGap(client: pg.Client, log: string, seq: number): Promise<void> {
  if (seq === 0) return;
  const { rowCount } = await client.query('SELECT FROM portcullis.records WHERE log = $1 AND seq = $2', [log, seq - 1]);
  if (rowCount === 0) throw new GapRefused(`the record before seq ${String(seq)} is not in the store`);
}

const seqTaken = (lines: readonly StoredLine[], cause: Error): SeqTaken => new SeqTaken(`seq ${String(lines[0]?.seq)} or one after it is taken`, { cause });

/** By its code alone: the server may say its severity in another language. */
interface PostgresError extends Error {
  readonly code: string;
  readonly constraint: string | undefined;
}
const isPostgresError = (error: unknown): error is PostgresError => error instanceof Error && 'severity' in error && 'code' in error;

/** Once in 50 million records the range is not there yet. */
async function insert(client: pg.Client, log: string, lines: readonly StoredLine[]): Promise<void> {
  try {
    await copyLines(client, log, lines);
  } catch (error) {
    if (!isPostgresError(error) || error.code !== CHECK_VIOLATION || error.constraint !== undefined) throw error;
    await client.query('SELECT portcullis.extend_records()');
    await copyLines(client, log, lines);
  }
}

const stored = ({ seq, hash, canonical }: Pick<Tables['records'], 'seq' | 'hash' | 'canonical'>): StoredRecord =>
  ({ seq: Number(seq), hash: hash.toString('hex'), canonical });

/** What can be asked of a stored log: all that a reader needs who never writes, and takes no lease. */
export interface LogReads extends Omit<LogStore, 'append' | 'putBlob'> {
  /** As `read`, with what the rows are found by: the verification compares it. */
  filed(from: number, limit: number): Promise<readonly FiledRecord[]>;
}

/** No connection, no room, stopped, or failing below us. What the server refuses of our asking is a defect and stays one. */
const PASSING = /^(?:08|28|3D|53|57|58)/;

const unreadable = (cause: unknown): never => {
  if (isPostgresError(cause) && !PASSING.test(cause.code)) throw cause;
  throw new LogUnreadable(`the log cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
};

export function storedReads(tables: Database, log: string): LogReads {
  const records = tables.selectFrom('records').where('log', '=', log).orderBy('seq');
  return {
    async read(from, limit) {
      const rows = await records.select(['seq', 'hash', 'canonical']).where('seq', '>=', String(from)).limit(limit).execute().catch(unreadable);
      return rows.map(stored);
    },
    async filed(from, limit) {
      const rows = await records.select(['seq', 'hash', 'canonical', 'subject', sql<string>`(extract(epoch FROM at) * 1000000)::bigint`.as('atUs')])
        .where('seq', '>=', String(from)).limit(limit).execute().catch(unreadable);
      return rows.map((row) => ({ ...stored(row), subject: row.subject, atUs: BigInt(row.atUs) }));
    },
    async search(from, to, texts, limit) {
      const within = records.select(['seq', 'hash', 'canonical']).where('seq', '>=', String(from)).where('seq', '<', String(to));
      const asked = texts.reduce((query, text) => query.where(sql<number>`strpos(canonical, ${text})`, '>', 0), within);
      return (await asked.limit(limit).execute().catch(unreadable)).map(stored);
    },
    async size() {
      const row = await tables.selectFrom('records').select('seq').where('log', '=', log).orderBy('seq', 'desc').limit(1).executeTakeFirst().catch(unreadable);
      return row === undefined ? 0 : Number(row.seq) + 1;
    },
    async bySubject(subject) {
      const rows = await records.select(['seq', 'hash', 'canonical']).where('subject', '=', subject).execute().catch(unreadable);
      return rows.map(stored);
    },
    async hashes(from, to) {
      const all: Buffer[] = [];
      for (let at = from; at < to; at += HASH_PAGE) {
        const end = Math.min(to, at + HASH_PAGE);
        const page = await tables.selectFrom('records').where('log', '=', log).where('seq', '>=', String(at)).where('seq', '<', String(end))
          .select(sql<Buffer | null>`string_agg(hash, ''::bytea ORDER BY seq)`.as('joined')).executeTakeFirstOrThrow().catch(unreadable);
        const joined = page.joined ?? Buffer.alloc(0);
        for (let i = 0; i < joined.length; i += 32) all.push(joined.subarray(i, i + 32));
      }
      return all;
    },
    async getBlob(hash) {
      const row = await tables.selectFrom('blobs').select('text').where('hash', '=', Buffer.from(hash, 'hex')).executeTakeFirst().catch(unreadable);
      return row?.text ?? null;
    },
  };
}
