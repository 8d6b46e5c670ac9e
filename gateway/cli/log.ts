/** `portcullis log key | fork`: the log of a DATA_DIR. */
import { Command } from 'commander';
import { originOf } from '../../compliance/checkpoint.ts';
import { formatVerifierKey, verifierOf } from '../../compliance/note.ts';
import { openKeyFile } from '../auth/key-file.ts';
import type { Config } from '../config.ts';
import { forkLog } from '../fork.ts';
import { readLogFile } from '../log-id.ts';
import { visitDatabase } from '../postgres.ts';

interface Options {
  readonly json?: boolean;
}

/** The C2SP verifier key by which this folder's gateway signs a log. */
export const logKey = (dataDir: string, log: string): string =>
  formatVerifierKey(verifierOf(originOf(log), openKeyFile(dataDir, 'log.key.pem').publicKey));

export function logCommand(config: () => Config, print: (line: string) => void): Command {
  const key = new Command('key').description("print the log's C2SP verifier key").option('--json', 'one JSON object').action(({ json }: Options) => {
    const { dataDir } = config();
    const named = readLogFile(dataDir);
    if (named === null) throw new Error('there is no log in this DATA_DIR yet: start the gateway once');
    const verifierKey = logKey(dataDir, named.log);
    print(json === true ? JSON.stringify({ log: named.log, key: verifierKey }) : verifierKey);
  });
  const fork = new Command('fork').description('begin a new log that names the old one, where a start is refused because the old one is not what was published')
    .option('--json', 'one JSON object')
    .action(async ({ json }: Options) => {
      const { dataDir, databaseUrl } = config();
      const complain = (line: string): void => { console.error(line); };
      const forked = await visitDatabase({ url: databaseUrl ?? undefined, dataDir, log: complain }, (writer) => forkLog(dataDir, writer));
      const { log, forkOf } = forked;
      print(json === true ? JSON.stringify(forked) : `the next start begins the log ${log}, which names ${String(forkOf.size)} records of ${forkOf.log}; `
        + 'its books begin anew: what the venues still work or hold from before is not in them');
    });
  return new Command('log').description('the log of this DATA_DIR').addCommand(key).addCommand(fork);
}
