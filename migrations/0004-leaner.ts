/**
 * A batch is checked faster: one check of a row instead of three (a record without a range is refused already, so no seq is below 0).
 * Published checkpoints lie in DATA_DIR, and the log says each; their table was never written.
 *
 * The rows that are there were checked by what is dropped here, so they are not read again.
 */
import { sql, type Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    ALTER TABLE portcullis.records
      DROP CONSTRAINT records_seq_check, DROP CONSTRAINT records_canonical_check, DROP CONSTRAINT records_hash,
      ADD CONSTRAINT records_hash CHECK (octet_length(canonical) <= 65535 AND hash = sha256('\\x00'::bytea || convert_to(canonical, 'UTF8'))) NOT VALID;
    DROP TABLE portcullis.checkpoints`.execute(db);
}
