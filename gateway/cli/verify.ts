/** `portcullis verify`: recomputes everything and names the first broken record. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { storedReads } from '../../compliance/store.ts';
import { openTables } from '../../compliance/tables.ts';
import { evidenceAt, evidenceInFile, evidenceInStore, verifyEvidence, type Verification } from '../../compliance/verify.ts';
import { loadConfig } from '../config.ts';
import { readLogFile } from '../log-id.ts';
import { visitDatabase } from '../postgres.ts';
import { logKey } from './log.ts';

type Environment = Readonly<Record<string, string | undefined>>;

interface Options {
  readonly url?: string;
  readonly token?: string;
  readonly key?: string;
  readonly json?: boolean;
}

export function verifyCommand(environment: Environment, print: (line: string) => void): Command {
  return new Command('verify')
    .description('recompute every hash, link and root of a log, and name the first fault')
    .argument('[path]', 'a DATA_DIR, or a file with one canonical record a line; a file has no checkpoint, so only its consistency is proven')
    .option('--url <url>', 'a running gateway instead of a file')
    .option('--token <token>', 'a token of compliance, regulator or risk_officer; else PORTCULLIS_TOKEN')
    .option('--key <key>', "the log's verifier key that you trust (portcullis log key); without it only consistency is proven")
    .option('--json', 'one JSON object')
    .action(async (path: string | undefined, options: Options) => {
      const result = await verified(path, options, environment);
      print(options.json === true ? JSON.stringify(result) : textOf(result));
      if (result.fault !== null) process.exitCode = 1;
    });
}

async function verified(path: string | undefined, { url, token, ...options }: Options, environment: Environment): Promise<Verification> {
  const key = options.key ?? null;
  if ((path === undefined) === (url === undefined)) throw new Error('say what to verify: a path, or --url');
  if (path !== undefined) return statSync(path).isDirectory() ? await verifyFolder(path, key, environment) : await verifyEvidence(evidenceInFile(path), key);
  const shown = token ?? environment['PORTCULLIS_TOKEN'];
  if (shown === undefined) throw new Error('--url needs a token: --token, or PORTCULLIS_TOKEN');
  return asShown(await verifyEvidence(evidenceAt(url as string, shown), key));
}

/** What looks like a hole may be what the token does not reach. */
function asShown(result: Verification): Verification {
  const { fault } = result;
  if (fault?.code !== 'GAP') return result;
  return { ...result, fault: { ...fault, detail: `${fault.detail}; a token that names accounts is shown their records alone: take one that names none` } };
}

/** The log of a DATA_DIR, out of its database, beside a running gateway or without one. */
async function verifyFolder(dataDir: string, key: string | null, environment: Environment): Promise<Verification> {
  const named = readLogFile(dataDir);
  if (named === null) throw new Error(`${dataDir} holds no log`);
  const { databaseUrl } = loadConfig(environment);
  const complain = (line: string): void => { console.error(line); };
  return await visitDatabase({ url: databaseUrl ?? undefined, dataDir, log: complain }, async (writer) => {
    const tables = openTables(writer, (error) => { complain(error.message); });
    try {
      return await verifyEvidence(evidenceInStore(storedReads(tables, named.log), publishedIn(dataDir, named.log)), key);
    } finally {
      await tables.destroy();
    }
  });
}

/** What the folder itself says about its log: the published checkpoint, and the key that its own gateway signs with. */
function publishedIn(dataDir: string, log: string): { readonly note: string; readonly key: string } | null {
  if (!existsSync(join(dataDir, 'checkpoint'))) return null;
  return { note: readFileSync(join(dataDir, 'checkpoint'), 'utf8'), key: logKey(dataDir, log) };
}

/** Who gives a key asks for proof: where nothing is proven by it, the last line claims no more than was found. */
function textOf(result: Verification): string {
  const { size, head, proven, pinned, fault } = result;
  if (fault !== null) return `broken at seq ${String(fault.seq)}: ${fault.code}: ${fault.detail}`;
  return `${String(size)} records, head ${head}\n${trustIn(result)}\n${pinned && proven === 0 ? 'consistent' : 'verified'}`;
}

function trustIn({ size, proven, pinned, checkpoint }: Verification): string {
  if (!pinned) return 'no key given: consistency only';
  if (!checkpoint) return 'no checkpoint came with them, so your key proves nothing: consistency only';
  const tail = size - proven;
  return `${String(proven)} records proven by the checkpoint of the key you gave${tail > 0 ? `; the last ${String(tail)} are after it and unproven` : ''}`;
}
