/** `portcullis migrate`: brings the database (DATABASE_URL, or the embedded one) to this version's shape and says what it did. */
import { mkdirSync } from 'node:fs';
import { Command } from 'commander';
import type { Config } from '../config.ts';
import { migrateDatabase } from '../postgres.ts';

export function migrateCommand(config: () => Config, print: (line: string) => void): Command {
  return new Command('migrate').description('bring the database to the shape of this version; a start does the same').option('--json', 'one JSON object')
    .action(async ({ json }: { readonly json?: boolean }) => {
      const { dataDir, databaseUrl } = config();
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      const migrated = await migrateDatabase({ url: databaseUrl ?? undefined, dataDir, log: (line) => { console.error(line); } });
      print(json === true ? JSON.stringify({ migrated }) : migrated.length === 0 ? 'nothing to migrate' : `migrated: ${migrated.join(', ')}`);
    });
}
