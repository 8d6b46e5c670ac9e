/** The real gateway as a child process, as `npm start` runs it: its own folder, its own PostgreSQL, a free port. And the command line beside it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseRecord } from '../../compliance/fold.ts';
import { issueToken, openIssuer } from '../../gateway/auth/issuer.ts';
import type { LogRecord, Role } from '../../risk/domain/record.ts';
import { Client } from './stream.ts';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown;
}
export interface Bearer {
  readonly sub?: string;
  readonly accounts?: readonly string[];
  readonly ttlSeconds?: number;
}

export interface TestGateway {
  readonly url: string;
  readonly dataDir: string;
  /** What it has printed so far, a line each. */
  readonly lines: readonly string[];
  /** A token of its issuer; by default of the person `<role>-1`, a strategy's with the account ACC1. */
  token(role: Role, bearer?: Bearer): Promise<string>;
  call(token: string | null, method: string, path: string, body?: unknown): Promise<Reply>;
  /** An open socket of /v1/stream with this token. */
  socket(token: string): Promise<Client>;
  /** Every record of the log so far, or those of one kind, read page by page as a compliance officer does. */
  records(kind?: string): Promise<readonly LogRecord[]>;
  /** The first line that matches, printed already or to come; rejects when the process ends without it. */
  said(pattern: RegExp): Promise<string>;
  /** SIGTERM, and the exit status once it has ended. The folder stays. */
  stop(): Promise<number | null>;
}

/** A start that takes longer has gone wrong: it is ended, and the caller sees what it said. */
const START_DEADLINE_MS = 60_000;

/** Variables of this process that a child may see: no loader of the test runner, no setting of ours. */
const inherited = (): NodeJS.ProcessEnv => Object.fromEntries(['PATH', 'HOME', 'TMPDIR', 'LANG', 'GIT_COMMIT'].map((name) => [name, process.env[name]]));

/** A folder for one test; give `remove` to `t.teardown` before the gateway's `stop`: teardowns run last first. */
export async function temporaryFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'portcullis-e2e-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Starts `node dist/gateway/main.js` on `dataDir` with these settings (demonstration off unless they say otherwise), and waits until it is ready. */
export async function startGatewayProcess(dataDir: string, settings: Readonly<Record<string, string>> = {}): Promise<TestGateway> {
  const env = { ...inherited(), PORT: '0', DEMO: 'off', DATA_DIR: dataDir, ...settings };
  const child = spawn(process.execPath, ['dist/gateway/main.js'], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const lines: string[] = [];
  const waiting = new Set<(line: string | null) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const tell of [...waiting]) tell(line);
    });
  }
  child.once('close', () => { for (const tell of [...waiting]) tell(null); });
  const said = (pattern: RegExp): Promise<string> => {
    const known = lines.find((line) => pattern.test(line));
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve, reject) => {
      const ended = (): void => { reject(new Error(`the gateway ended without saying ${String(pattern)}:\n${lines.join('\n')}`)); };
      if (child.exitCode !== null) ended();
      const tell = (line: string | null): void => {
        if (line !== null && !pattern.test(line)) return;
        waiting.delete(tell);
        if (line === null) ended();
        else resolve(line);
      };
      waiting.add(tell);
    });
  };
  const tooLate = setTimeout(() => child.kill('SIGKILL'), START_DEADLINE_MS);
  const ready = await said(/^Portcullis is ready at /).finally(() => { clearTimeout(tooLate); });
  const url = ready.slice(ready.indexOf('http'));
  const issuer = openIssuer(dataDir);
  const token: TestGateway['token'] = (role, { sub = `${role}-1`, accounts = role === 'strategy' ? ['ACC1'] : [], ttlSeconds = 3600 } = {}) =>
    issueToken(issuer, { role, sub, accounts, ttlSeconds }, Date.now());
  return {
    url, dataDir, lines, said, token,
    call: (bearer, method, path, body) => callAt(url, bearer, method, path, body),
    socket: (bearer) => new Client(url, { authorization: `Bearer ${bearer}` }).open(),
    records: async (kind) => recordsAt(url, await token('compliance', { sub: 'reader' }), kind),
    async stop() {
      child.kill('SIGTERM');
      const [code] = await exited;
      return code;
    },
  };
}

async function callAt(url: string, token: string | null, method: string, path: string, body: unknown): Promise<Reply> {
  const headers: Record<string, string> = {};
  if (token !== null) headers['authorization'] = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const payload = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const answer = await fetch(`${url}${path}`, { method, headers, ...payload });
  const text = await answer.text();
  const isJson = (answer.headers.get('content-type') ?? '').includes('json');
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
}

async function recordsAt(url: string, token: string, kind: string | undefined): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (let after: number | null = -1; after !== null;) {
    const path = `/v1/audit/records?limit=1000&after=${String(after)}${kind === undefined ? '' : `&kind=${kind}`}`;
    const { body } = await callAt(url, token, 'GET', path, undefined);
    const { items, next } = body as { items: { canonical: string }[]; next: number | null };
    records.push(...items.map(({ canonical }) => parseRecord(canonical)));
    after = next;
  }
  return records;
}

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `portcullis …` beside the gateway of `dataDir`, run to its end. */
export async function portcullis(dataDir: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Said> {
  const env = { ...inherited(), DATA_DIR: dataDir, ...environment };
  const child = spawn(process.execPath, ['dist/gateway/cli/main.js', ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => { said.stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said.stderr += text; });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}
