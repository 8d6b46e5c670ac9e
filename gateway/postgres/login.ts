/** How the gateway itself talks to the database: as a writer, that adds rows to the log and can do nothing else to it. */
import { randomBytes } from 'node:crypto';
import pg, { type ClientConfig } from 'pg';

const LOGIN = 'portcullis_gateway';

/** Embedded: a login of its own, whose password lives only in this process and is changed at every start. After `migrate`. */
export async function writerLogin(superuser: ClientConfig): Promise<ClientConfig> {
  const password = randomBytes(24).toString('base64url');
  const client = new pg.Client(superuser);
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [LOGIN]);
    if (rowCount === 0) await client.query(`CREATE ROLE ${LOGIN} IN ROLE portcullis_writer`);
    await client.query(`ALTER ROLE ${LOGIN} LOGIN PASSWORD '${password}'`); // base64url: no quote in it
  } finally {
    await client.end();
  }
  return { ...superuser, user: LOGIN, password };
}

/** A database of the operator's: every session begins in the writer's role. */
export const writerSession = (connection: ClientConfig): ClientConfig => ({ ...connection, options: '-c role=portcullis_writer' });
