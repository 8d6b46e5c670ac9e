import { spawn } from 'node:child_process';
import { chmod, lstat, mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatProcessConfig, parseProcessConfig, type ProcessConfig } from './process-config.ts';
import { askWho, type Present } from './who.ts';

export interface SpawnOptions {
  readonly dataDir: string;
  readonly config: Pick<ProcessConfig, 'id' | 'paper' | 'marketSeed' | 'instruments'>;
}

export interface PaperProcess {
  readonly socketPath: string;
  readonly pid: number;
  readonly journalPath: string;
  /** Ends the process and waits until its journal is closed. Nothing happens when it is gone already. */
  stop(): Promise<void>;
}

/** A unix socket's path is at most 104 bytes on macOS, 108 on Linux, with its terminating zero. */
const SOCKET_PATH_BYTES_MAX = 100;
const SERVER = fileURLToPath(new URL('./server.js', import.meta.url));

/**
 * Finds the paper process of `dataDir`, or starts one. It runs in a session of its own and outlives its gateway; the next gateway
 * adopts it, or replaces it when the configuration is another. Everything of it stands in `dataDir/paper` (0700): `process.json`,
 * `journal.ndjson`, `process.log`, and the socket unless its path is too long. Call it under the gateway's lease of `dataDir`.
 */
export async function spawnPaperProcess({ dataDir, config }: SpawnOptions): Promise<PaperProcess> {
  const folder = join(dataDir, 'paper');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const configPath = join(folder, 'process.json');
  const previous = await readConfig(configPath);
  if (previous !== null) {
    const present = await askWho(previous.socketPath);
    const same = formatProcessConfig(previous) === formatProcessConfig({ ...previous, ...config });
    if (present !== null && same) {
      present.end();
      return processOf(previous, present.pid);
    }
    if (present !== null) await end(present);
  }
  // The old path where it is still ours: clients of a process that was killed come back to it by themselves.
  const socketPath = previous !== null && (await isOurs(dirname(previous.socketPath))) ? previous.socketPath : await socketPathIn(folder);
  const next: ProcessConfig = { ...config, socketPath, journalPath: join(folder, 'journal.ndjson') };
  await writeFile(`${configPath}.new`, formatProcessConfig(next), { mode: 0o600, flush: true });
  await rename(`${configPath}.new`, configPath); // a crash leaves the old one or the new one: half a file would stop every later start
  return processOf(next, await launch(folder, configPath));
}

function processOf({ socketPath, journalPath }: ProcessConfig, pid: number): PaperProcess {
  return {
    socketPath, pid, journalPath,
    async stop() {
      const present = await askWho(socketPath);
      if (present !== null) await end(present);
      const folder = dirname(socketPath);
      if (folder !== dirname(journalPath)) await rm(folder, { recursive: true, force: true }); // below the system's tmp, made for the socket alone
    },
  };
}

/** The pid is the process's own word, given on a connection that still stands: never another's that took its number. */
async function end(present: Present): Promise<void> {
  process.kill(present.pid, 'SIGTERM');
  await present.gone;
}

/** Null when there was none yet. */
async function readConfig(path: string): Promise<ProcessConfig | null> {
  try {
    return parseProcessConfig(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Whether a folder is there, belongs to this user and lets nobody else in: one below the system's `tmp` may have become another's. */
async function isOurs(folder: string): Promise<boolean> {
  try {
    const found = await lstat(folder);
    return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function socketPathIn(folder: string): Promise<string> {
  const path = join(folder, 'paper.sock');
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path;
  return join(await mkdtemp(join(tmpdir(), 'portcullis-')), 'paper.sock');
}

/** Starts the process and waits for its one line. Rejects, with the log's place, when it ends before. */
async function launch(folder: string, configPath: string): Promise<number> {
  const logPath = join(folder, 'process.log');
  const log = await open(logPath, 'a', 0o600);
  const child = spawn(process.execPath, [SERVER, configPath], { detached: true, stdio: ['ignore', 'pipe', log.fd] });
  await log.close();
  const { stdout, pid } = child;
  await new Promise<void>((resolve, reject) => {
    stdout?.once('data', () => { resolve(); });
    child.once('error', reject);
    child.once('exit', (code) => { reject(new Error(`the paper process ended with ${String(code)}: see ${logPath}`)); });
  });
  if (pid === undefined) throw new Error('a paper process without a pid');
  stdout?.destroy(); // from here on its end shows as a closed connection
  child.unref();
  return pid;
}
