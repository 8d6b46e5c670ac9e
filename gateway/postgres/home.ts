/**
 * Where the embedded cluster lives and how it is made. Each step is atomic or repeated, so that a crash on any line, or two starts at
 * once, leave one whole cluster: the password and the data folder appear under their names only when complete.
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, link, mkdir, mkdtemp, readFile, realpath, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.ts';
import { handOver, isPassable, type Identity, type Users } from './user.ts';

const run = promisify(execFile);

/** Bytes of a unix socket's address, its terminator left out: 107 on Linux, 103 on macOS. */
const SOCKET_PATH_MAX = 103;
const SOCKET_NAME = '/.s.PGSQL.5432';

export const SUPERUSER = 'portcullis';

export interface Home {
  readonly path: string;
  readonly data: string;
}

export const isThere = (path: string): Promise<boolean> => stat(path).then(() => true, (error: unknown) => {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
  throw error;
});

/**
 * `DATA_DIR/postgres`. Where root's DATA_DIR lies below a folder that the server's user may not pass (/root is 0700), the cluster is
 * kept under /var/lib/portcullis, and `DATA_DIR/postgres` is a link to it.
 */
export async function clusterHome(dataDir: string, users: Users | null, log: (line: string) => void): Promise<Home> {
  const path = join(dataDir, 'postgres');
  if (users !== null) {
    await chmod(dataDir, (await stat(dataDir)).mode | 0o011);
    if (!(await isThere(path)) && !(await isPassable(await realpath(dataDir)))) {
      const away = join('/var/lib/portcullis', createHash('sha256').update(await realpath(dataDir)).digest('hex').slice(0, 16));
      await mkdir(dirname(away), { recursive: true, mode: 0o755 });
      await mkdir(away, { recursive: true, mode: 0o711 });
      await symlink(away, path);
      log(`the database's user may not pass the folders above ${dataDir}: its files lie in ${away}`);
    }
  }
  await mkdir(path, { recursive: true, mode: 0o711 });
  const real = await realpath(path);
  await chmod(real, users === null ? 0o700 : 0o711);
  return { path: real, data: join(real, 'data') };
}

/** The superuser's password, made once. */
export async function clusterPassword(dataDir: string): Promise<string> {
  const path = join(dataDir, 'postgres.password');
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  if (!(await isThere(path))) {
    await writeFile(draft, randomBytes(24).toString('base64url'), { mode: 0o600, flush: true });
    await link(draft, path).catch(ignoreCode('EEXIST')); // another start was first: its password counts
    await rm(draft);
  }
  if (((await stat(path)).mode & 0o077) !== 0) throw new Error(`${path} is readable by others: chmod 600 it, and change the password`);
  return await readFile(path, 'utf8');
}

/** initdb into a draft folder, renamed when whole. */
export async function makeCluster(home: Home, binaries: Binaries, users: Users | null, password: string): Promise<void> {
  if (await isThere(home.data)) return;
  const draft = await mkdtemp(`${home.data}.draft-`);
  const passwordFile = `${draft}.password`;
  try {
    await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' });
    if (users !== null) for (const path of [draft, passwordFile]) await chown(path, users.initdb.uid, users.initdb.gid);
    await run(binaries.initdb, ['-D', draft, '-U', SUPERUSER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C',
      '--no-instructions'], { ...users?.initdb, cwd: '/', env: { LC_ALL: 'C' } });
    if (users !== null) await handOver(draft, users.server);
    await rename(draft, home.data).catch(ignoreCode('ENOTEMPTY', 'EEXIST')); // another start was first: its cluster counts
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

/** The folder of the socket: beside the data where its address is short enough, else a fresh one in the system's temporary folder. */
export async function socketFolder(home: Home, server: Identity | null): Promise<string> {
  const beside = join(home.path, 'run');
  const fits = Buffer.byteLength(beside + SOCKET_NAME) <= SOCKET_PATH_MAX;
  const folder = fits ? beside : await mkdtemp(join(tmpdir(), 'portcullis-'));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (server !== null) await chown(folder, server.uid, server.gid);
  return folder;
}

function ignoreCode(...codes: readonly string[]): (error: unknown) => void {
  return (error) => {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  };
}
