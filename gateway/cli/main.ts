/** `npm run -s portcullis -- COMMAND`: beside a running gateway on the same DATA_DIR. Exit status 0 only on success. */
import { Command } from 'commander';
import { originOf } from '../../compliance/checkpoint.ts';
import { formatVerifierKey, verifierOf } from '../../compliance/note.ts';
import { openKeyFile } from '../auth/key-file.ts';
import { loadConfig } from '../config.ts';
import { readLogFile } from '../log-id.ts';
import { officerCommands } from './officer.ts';
import { tokenCommand } from './token.ts';
import { verifyCommand } from './verify.ts';

const print = (line: string): void => { console.log(line); };
const dataDir = (): string => loadConfig(process.env).dataDir;

function logCommand(): Command {
  const key = new Command('key').description("print the log's C2SP verifier key").action(() => {
    const { log } = readLogFile(dataDir()) ?? { log: null };
    if (log === null) throw new Error('there is no log in this DATA_DIR yet: start the gateway once');
    print(formatVerifierKey(verifierOf(originOf(log), openKeyFile(dataDir(), 'log.key.pem').publicKey)));
  });
  return new Command('log').description('the log of this DATA_DIR').addCommand(key);
}

const program = new Command('portcullis').description('commands beside a running gateway').showHelpAfterError()
  .addCommand(tokenCommand(dataDir, print, Date.now))
  .addCommand(verifyCommand(process.env, print))
  .addCommand(logCommand());
for (const command of officerCommands(process.env, print)) program.addCommand(command);

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
