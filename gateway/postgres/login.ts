/** How the gateway itself talks to the database: as a writer, that adds rows to the log and can do nothing else to it. */
import { createHmac } from 'node:crypto';
import type { ClientConfig } from 'pg';
import { openPool } from '../../compliance/tables.ts';

const LOGIN = 'portcullis_gateway';

/**
 * Embedded: a login of its own, after `migrate`. Its password follows from the superuser's: nothing more to keep, and a second gateway
 * that is about to be refused the lease changes nothing for the first.
 */
export async function writerLogin(superuser: ClientConfig, log: (line: string) => void): Promise<ClientConfig> {
  if (typeof superuser.password !== 'string') throw new TypeError('the superuser of an embedded PostgreSQL has a password');
  const password = createHmac('sha256', superuser.password).update(LOGIN).digest('base64url');
  const pool = openPool(superuser, (error) => { log(error.message); });
  try {
    const { rowCount } = await pool.query('SELECT FROM pg_roles WHERE rolname = $1', [LOGIN]);
    if (rowCount === 0) await pool.query(`CREATE ROLE ${LOGIN} LOGIN IN ROLE portcullis_writer PASSWORD '${password}'`); // base64url: no quote in it
  } finally {
    await pool.end();
  }
  return { ...superuser, user: LOGIN, password };
}

/** A database of the operator's: every session begins in the writer's role. */
export const writerSession = (connection: ClientConfig): ClientConfig => ({ ...connection, options: '-c role=portcullis_writer' });
