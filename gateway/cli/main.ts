/** `npm run -s portcullis -- COMMAND`: beside a running gateway on the same DATA_DIR. Exit status 0 only on success. */
import { Command } from 'commander';
import { loadConfig, type Config } from '../config.ts';
import { lineOf } from './line.ts';
import { logCommand } from './log.ts';
import { migrateCommand } from './migrate.ts';
import { officerCommands } from './officer.ts';
import { tokenCommand } from './token.ts';
import { verifyCommand } from './verify.ts';

const print = (line: string): void => { console.log(line); };
const config = (): Config => loadConfig(process.env);

process.umask(0o077);
const program = new Command('portcullis').description('commands beside a running gateway')
  .addCommand(tokenCommand(() => config().dataDir, print, Date.now))
  .addCommand(verifyCommand(process.env, print))
  .addCommand(logCommand(config, print))
  .addCommand(migrateCommand(config, print));
for (const command of officerCommands(process.env, print)) program.addCommand(command);

try {
  await program.parseAsync();
} catch (error) {
  console.error(lineOf(error));
  process.exitCode = 1;
}
