/** The registry of migrations, in their order. A name, once shipped, never changes. */
import type { Migration, MigrationProvider } from 'kysely';
import * as log from './0001-log.ts';
import * as checkpoints from './0002-checkpoints.ts';
import * as views from './0003-views.ts';
import * as leaner from './0004-leaner.ts';
import * as hash from './0005-hash.ts';

const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-log': log,
  '0002-checkpoints': checkpoints,
  '0003-views': views,
  '0004-leaner': leaner,
  '0005-hash': hash,
};

export const migrations: MigrationProvider = { getMigrations: () => Promise.resolve(MIGRATIONS) };
