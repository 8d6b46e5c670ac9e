/** Brings the database to this version's shape. */
import { Kysely, Migrator, PostgresDialect, sql } from 'kysely';
import type { ClientConfig } from 'pg';
import { openPool } from '../../compliance/tables.ts';
import { migrations } from '../../migrations/index.ts';

const SCHEMA = 'portcullis';

/**
 * Names of the migrations done, in order; empty when there was nothing to do. Errors: one line; a migration that fails leaves nothing of
 * itself.
 */
export async function migrate(owner: ClientConfig, log: (line: string) => void): Promise<readonly string[]> {
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: openPool(owner, (error) => { log(error.message); }) }) });
  try {
    await requireRoles(db);
    const migrator = new Migrator({ db, provider: migrations, migrationTableSchema: SCHEMA });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) throw new Error(`the database could not be migrated: ${(error as Error).message}`, { cause: error });
    return results.filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName);
  } finally {
    await db.destroy();
  }
}

/** A plain user cannot make the roles that keep the gateway from changing the log: then somebody who may has to, once. */
async function requireRoles(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ user: string; fit: boolean }>`
    SELECT current_user AS user, rolsuper
      OR (rolcreaterole AND to_regrole('portcullis_writer') IS NULL AND to_regrole('portcullis_reader') IS NULL)
      OR (to_regrole('portcullis_reader') IS NOT NULL AND coalesce(pg_has_role(current_user, to_regrole('portcullis_writer'), 'MEMBER'), false)) AS fit
    FROM pg_roles WHERE rolname = current_user`.execute(db);
  const unfit = rows.find(({ fit }) => !fit);
  if (unfit === undefined) return;
  throw new Error(`database user "${unfit.user}" may not make the roles of the log; let an administrator run once: `
    + `CREATE ROLE portcullis_writer NOLOGIN; CREATE ROLE portcullis_reader NOLOGIN; GRANT portcullis_writer TO "${unfit.user}";`);
}
