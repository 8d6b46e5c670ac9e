/**
 * The log: one row a record, its canonical text as it was hashed.
 *
 * Invariants that the database itself enforces:
 *  - (log, seq) is given once: a second writer collides;
 *  - `hash` is the RFC 6962 leaf hash of `canonical`; a blob is stored under the SHA-256 of its text;
 *  - rows are added, never changed: UPDATE, DELETE and TRUNCATE are granted to nobody and trapped even for the owner;
 *  - rows lie in ranges of 50 million seq, so that a whole archived range can be detached, which is the only removal.
 *
 * `at` (to the microsecond) and `subject` are for finding, never for proof.
 */
import { sql, type Kysely } from 'kysely';

/** Group roles without a login; whoever migrates owns the tables. Roles belong to the whole server, so they may be there already. */
const roles = sql`
  DO $$
  DECLARE wanted text;
  BEGIN
    FOREACH wanted IN ARRAY ARRAY['portcullis_writer', 'portcullis_reader'] LOOP
      IF to_regrole(wanted) IS NULL THEN EXECUTE format('CREATE ROLE %I NOLOGIN; GRANT %1$I TO CURRENT_USER', wanted); END IF;
    END LOOP;
  END $$`;

const tables = sql`
  CREATE TABLE portcullis.records (
    log text COLLATE "C" NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 0),
    hash bytea NOT NULL,
    at timestamptz NOT NULL,
    subject text COLLATE "C",
    canonical text NOT NULL CHECK (octet_length(canonical) <= 65535),
    CONSTRAINT records_hash CHECK (hash = sha256('\\x00'::bytea || convert_to(canonical, 'UTF8'))),
    PRIMARY KEY (log, seq)
  ) PARTITION BY RANGE (seq);
  CREATE INDEX records_subject ON portcullis.records (log, subject) WHERE subject IS NOT NULL;
  CREATE INDEX records_at ON portcullis.records USING brin (at);
  CREATE TABLE portcullis.blobs (
    hash bytea PRIMARY KEY,
    text text NOT NULL,
    CONSTRAINT blobs_hash CHECK (hash = sha256(convert_to(text, 'UTF8')))
  )`;

const guards = sql`
  CREATE FUNCTION portcullis.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'append-only: % on %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
  END $$;
  CREATE FUNCTION portcullis.guard(guarded regclass, rows boolean) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    IF rows THEN
      EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION portcullis.refuse_change()', guarded);
    END IF;
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION portcullis.refuse_change()', guarded);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER no_truncate', guarded);
  END $$;
  SELECT portcullis.guard('portcullis.records', true), portcullis.guard('portcullis.blobs', true)`;

/**
 * Adds the next range when the spare one is in use. The writer calls it, as the owner; it takes no argument, so nothing can be made with
 * it but the next range. Row triggers come down from the parent; a range truncated by its own name needs a trigger of its own.
 */
const ranges = sql`
  CREATE FUNCTION portcullis.extend_records() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DECLARE
    rows_each CONSTANT bigint := 50000000;
    last_range bigint;
    in_use boolean := true;
  BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('portcullis.extend_records', 0));
    SELECT max(substring(relname FROM '[0-9]+$')::bigint) INTO last_range
      FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'portcullis.records'::regclass;
    IF last_range IS NOT NULL THEN
      EXECUTE format('SELECT EXISTS (SELECT FROM portcullis.%I)', 'records_' || to_char(last_range, 'FM00000')) INTO in_use;
    END IF;
    FOR n IN coalesce(last_range + 1, 0) .. CASE WHEN NOT in_use THEN last_range ELSE coalesce(last_range, 0) + 1 END LOOP
      EXECUTE format('CREATE TABLE portcullis.%I PARTITION OF portcullis.records FOR VALUES FROM (%s) TO (%s)',
        'records_' || to_char(n, 'FM00000'), n * rows_each, (n + 1) * rows_each);
      PERFORM portcullis.guard(format('portcullis.%I', 'records_' || to_char(n, 'FM00000'))::regclass, false);
    END LOOP;
  END $$;
  SELECT portcullis.extend_records()`;

const grants = sql`
  REVOKE ALL ON SCHEMA portcullis FROM PUBLIC;
  REVOKE ALL ON ALL FUNCTIONS IN SCHEMA portcullis FROM PUBLIC;
  GRANT USAGE ON SCHEMA portcullis TO portcullis_writer, portcullis_reader;
  GRANT SELECT, INSERT ON portcullis.records, portcullis.blobs TO portcullis_writer;
  GRANT EXECUTE ON FUNCTION portcullis.extend_records() TO portcullis_writer`;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const step of [roles, tables, guards, ranges, grants]) await step.execute(db);
}
