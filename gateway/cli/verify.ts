/** `portcullis verify`: recomputes everything and names the first broken record. */
import { Command } from 'commander';
import { evidenceAt, evidenceInFile, verifyEvidence, type Verification } from '../../compliance/verify.ts';

interface VerifyOptions {
  readonly url?: string;
  readonly token?: string;
  readonly key?: string;
  readonly json?: boolean;
}

export function verifyCommand(environment: Readonly<Record<string, string | undefined>>, print: (line: string) => void): Command {
  return new Command('verify')
    .description('recompute every hash, link and root of a log, and name the first fault')
    .argument('[path]', 'a file with one canonical record a line')
    .option('--url <url>', 'a running gateway instead of a file')
    .option('--token <token>', 'a token of compliance, regulator or risk_officer; else PORTCULLIS_TOKEN')
    .option('--key <key>', "the log's verifier key that you trust (portcullis log key); without it only consistency is proven")
    .option('--json', 'one JSON object')
    .action(async (path: string | undefined, options: VerifyOptions) => {
      const result = await verifyEvidence(evidenceOf(path, options, environment), options.key ?? null);
      print(options.json === true ? JSON.stringify(result) : textOf(result));
      if (result.fault !== null) process.exitCode = 1;
    });
}

function evidenceOf(path: string | undefined, { url, token }: VerifyOptions, environment: Readonly<Record<string, string | undefined>>) {
  if ((path === undefined) === (url === undefined)) throw new Error('say what to verify: a path, or --url');
  if (path !== undefined) return evidenceInFile(path);
  const shown = token ?? environment['PORTCULLIS_TOKEN'];
  if (shown === undefined) throw new Error('--url needs a token: --token, or PORTCULLIS_TOKEN');
  return evidenceAt(url as string, shown);
}

function textOf({ size, head, proven, pinned, fault }: Verification): string {
  if (fault !== null) return `broken at seq ${String(fault.seq)}: ${fault.code}: ${fault.detail}`;
  const tail = size - proven;
  const trust = pinned ? `${String(proven)} records proven by the checkpoint of the key you gave` : 'no key given: consistency only';
  return `${String(size)} records, head ${head}\n${trust}${tail > 0 && pinned ? `; the last ${String(tail)} are after it and unproven` : ''}\nverified`;
}
