/** `portcullis token --role R --sub S [--account A]… [--ttl SECONDS]`: prints a token of the local issuer and nothing else. */
import { Command, InvalidArgumentError } from 'commander';
import type { Role } from '../../risk/domain/record.ts';
import { issueToken, openIssuer } from '../auth/issuer.ts';

const TTL_SECONDS = 8 * 3600;

export interface TokenOptions {
  readonly role: string;
  readonly sub: string;
  readonly account: readonly string[];
  readonly ttl: number;
  readonly json?: boolean;
}

/** The token, by the key of `dataDir`. Throws IssuerError with one line on anything that no verifier would take. */
export async function makeToken(options: TokenOptions, dataDir: string, nowMs: number): Promise<string> {
  // `issueToken` checks the grant by the verifier's own predicates, the role among them.
  const grant = { role: options.role as Role, sub: options.sub, accounts: options.account, ttlSeconds: options.ttl };
  return issueToken(openIssuer(dataDir), grant, nowMs);
}

function seconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('a whole number of seconds is needed');
  return Number(text);
}

/** The command; `print` writes one line, `nowMs` is the wall clock. */
export function tokenCommand(dataDir: () => string, print: (line: string) => void, nowMs: () => number): Command {
  return new Command('token')
    .description('print a token of the local development issuer')
    .requiredOption('--role <role>', 'strategy, risk_officer, compliance, regulator or admin')
    .requiredOption('--sub <sub>', 'whom the token speaks for')
    .option('--account <account>', 'an account that it reaches; may be repeated', (account: string, all: string[]) => [...all, account], [])
    .option('--ttl <seconds>', 'how long it lives, at most a day', seconds, TTL_SECONDS)
    .option('--json', 'one JSON object')
    .action(async (options: TokenOptions) => {
      const token = await makeToken(options, dataDir(), nowMs());
      print(options.json === true ? JSON.stringify({ token }) : token);
    });
}
