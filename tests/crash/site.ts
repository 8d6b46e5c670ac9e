/** One DATA_DIR with its real processes: the gateway, its PostgreSQL, its paper venue. Each can be killed; all are ended with the test. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { Test } from 'tap';
import { issueToken, openIssuer } from '../../gateway/auth/issuer.ts';
import { originOf } from '../../compliance/checkpoint.ts';
import { formatVerifierKey, verifierOf } from '../../compliance/note.ts';
import { openKeyFile } from '../../gateway/auth/key-file.ts';
import { askWho } from '../../execution/venues/paper/who.ts';
import { isAlive, until } from './processes.ts';
import type { Role } from '../../risk/domain/record.ts';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = fileURLToPath(new URL('../../gateway/main.js', import.meta.url));
const CLI = fileURLToPath(new URL('../../gateway/cli/main.js', import.meta.url));
const REAPER = fileURLToPath(new URL('./reaper.js', import.meta.url));

/** A gateway's process: what it said, and its end. */
export class Gateway {
  readonly child: ChildProcess;
  readonly said: string[] = [];
  /** Exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Its URL; rejects with what it said when it ends before. */
  readonly ready: Promise<string>;

  constructor(child: ChildProcess) {
    this.child = child;
    this.ended = once(child, 'close').then(([code, signal]) => (code as number | null) ?? (signal as NodeJS.Signals));
    this.ready = new Promise((resolve, reject) => {
      for (const stream of [child.stdout!, child.stderr!]) {
        createInterface({ input: stream }).on('line', (line) => {
          this.said.push(line);
          const [, url] = /^Portcullis is ready at (\S+)$/.exec(line) ?? [];
          if (url !== undefined) resolve(url);
        });
      }
      void this.ended.then((end) => { reject(new Error(`the gateway ended with ${String(end)}: ${this.said.join(' | ')}`)); });
    });
    this.ready.catch(() => undefined); // one that is killed while it starts never is ready; whoever waits for it is told
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | NodeJS.Signals> {
    this.child.kill(signal);
    return this.ended;
  }
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  /** As it came. */
  readonly text: string;
}

export class Site {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'portcullis-crash-'));
  readonly #environment: Readonly<Record<string, string>>;
  /** Ends everything when this process does, however it ends. */
  readonly #reaper: ChildProcess;
  readonly #tokens = new Map<string, Promise<string>>();
  /** Of the gateway that was last ready. */
  url = '';

  constructor(t: Test, environment: Readonly<Record<string, string>> = {}) {
    this.#environment = environment;
    this.#reaper = spawn(process.execPath, [REAPER, this.dataDir], { stdio: ['pipe', 'ignore', 'inherit'] });
    const reaped = once(this.#reaper, 'exit');
    t.teardown(async () => {
      this.#reaper.stdin?.end();
      await reaped;
    });
  }

  /** Does not wait until it is ready. */
  launch(): Gateway {
    const { PATH = '', HOME = '' } = process.env;
    const env = { PATH, HOME, PORT: '0', DATA_DIR: this.dataDir, DEMO: 'off', PORTCULLIS_PAPER: 'process', ...this.#environment };
    const gateway = new Gateway(spawn(process.execPath, [MAIN], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] }));
    this.#owe(gateway.child);
    return gateway;
  }

  /** A gateway that takes work. */
  async start(): Promise<Gateway> {
    const gateway = this.launch();
    this.url = await gateway.ready;
    await this.untilReady();
    return gateway;
  }

  untilReady(): Promise<void> {
    return until('ready', async () => (await this.ask('GET', '/health/ready')).status === 200);
  }

  /** Rejects when the connection ends without an answer. */
  async ask(method: string, path: string, body?: unknown, role: Role = 'strategy', sub = 'load'): Promise<Answer> {
    const authorization = `Bearer ${await this.token(role, sub)}`;
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { authorization, 'content-type': 'application/json' } };
    const answer = await fetch(this.url + path, { method, headers: { authorization }, ...sent });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') === true;
    return { status: answer.status, text, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} };
  }

  token(role: Role, sub: string): Promise<string> {
    const key = `${role} ${sub}`;
    const known = this.#tokens.get(key);
    if (known !== undefined) return known;
    const token = issueToken(openIssuer(this.dataDir), { role, sub, accounts: ['ACC1'], ttlSeconds: 8 * 3600 }, Date.now());
    this.#tokens.set(key, token);
    return token;
  }

  /** Exit status and last line of a command of the CLI. */
  async command(...words: readonly string[]): Promise<{ readonly status: number; readonly last: string }> {
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, [CLI, ...words], { cwd: ROOT, env: { PATH, DATA_DIR: this.dataDir }, stdio: ['ignore', 'pipe', 'pipe'] });
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => lines.push(line));
    const [status] = (await once(child, 'close')) as [number];
    return { status, last: lines.at(-1) ?? '' };
  }

  get log(): string {
    return readFileSync(join(this.dataDir, 'log'), 'utf8').trim();
  }
  get key(): string {
    return formatVerifierKey(verifierOf(originOf(this.log), openKeyFile(this.dataDir, 'log.key.pem').publicKey));
  }
  /** The checkpoint that was last published; empty before the first. */
  get checkpoint(): string {
    const file = join(this.dataDir, 'checkpoint');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
  get venueJournal(): string {
    return join(this.dataDir, 'paper', 'journal.ndjson');
  }

  /** Null while it does not run. */
  get postmaster(): { readonly pid: number; readonly sockets: string } | null {
    const file = join(this.dataDir, 'postgres', 'data', 'postmaster.pid');
    if (!existsSync(file)) return null;
    const lines = readFileSync(file, 'utf8').split('\n');
    const pid = Number(lines[0]);
    return isAlive(pid) ? { pid, sockets: lines[4] ?? '' } : null;
  }

  /** As the superuser. */
  async database(): Promise<pg.Client> {
    const postmaster = this.postmaster;
    if (postmaster === null) throw new Error('PostgreSQL does not run');
    const password = readFileSync(join(this.dataDir, 'postgres.password'), 'utf8');
    const client = new pg.Client({ host: postmaster.sockets, port: 5432, user: 'portcullis', password, database: 'postgres' });
    client.on('error', () => undefined); // told by the query that fails
    await client.connect();
    return client;
  }

  /** The pid is the venue's own word; null when none answers. */
  async venuePid(): Promise<number | null> {
    const config = join(this.dataDir, 'paper', 'process.json');
    if (!existsSync(config)) return null;
    const { socketPath } = JSON.parse(readFileSync(config, 'utf8')) as { socketPath: string };
    const present = await askWho(socketPath);
    present?.end();
    return present?.pid ?? null;
  }

  async killVenue(): Promise<void> {
    const pid = await this.venuePid();
    if (pid === null) return;
    process.kill(pid, 'SIGKILL');
    await until('the venue is dead', () => !isAlive(pid));
  }

  #owe({ pid }: ChildProcess): void {
    this.#reaper.stdin?.write(`${String(pid)}\n`);
  }
}
