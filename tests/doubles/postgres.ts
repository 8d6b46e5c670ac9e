/** A PostgreSQL for one test file: the embedded one, in a temporary folder, migrated. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { startPostgres } from '../../gateway/postgres/cluster.ts';
import { writerLogin } from '../../gateway/postgres/login.ts';
import { migrate } from '../../gateway/postgres/migrate.ts';

export interface TestDatabase {
  readonly owner: ClientConfig;
  readonly writer: ClientConfig;
  readonly dataDir: string;
  remove(): Promise<void>;
}

/** Give `remove` to `t.teardown`. */
export async function testDatabase(): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
  const { connection, stop } = await startPostgres({ dataDir, log: () => undefined });
  await migrate(connection, () => undefined);
  return {
    owner: connection,
    writer: await writerLogin(connection, () => undefined),
    dataDir,
    async remove() {
      await stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
