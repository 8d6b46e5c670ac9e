/**
 * Published checkpoints, one a tree size, append-only; and snapshots of the fold, which can always be made again and may be removed.
 */
import { sql, type Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    CREATE TABLE portcullis.checkpoints (
      log text COLLATE "C" NOT NULL,
      size bigint NOT NULL CHECK (size >= 0),
      note text NOT NULL,
      PRIMARY KEY (log, size)
    );
    SELECT portcullis.guard('portcullis.checkpoints', true);
    CREATE TABLE portcullis.snapshots (
      log text COLLATE "C" NOT NULL,
      size bigint NOT NULL CHECK (size >= 0),
      fold text COLLATE "C" NOT NULL,
      hash bytea NOT NULL,
      body text NOT NULL,
      CONSTRAINT snapshots_hash CHECK (hash = sha256(convert_to(body, 'UTF8'))),
      PRIMARY KEY (log, size, fold)
    );
    GRANT SELECT, INSERT ON portcullis.checkpoints TO portcullis_writer;
    GRANT SELECT, INSERT, DELETE ON portcullis.snapshots TO portcullis_writer`.execute(db);
}
