/** Told to stop in the midst of its start, a gateway leaves nothing running. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { isAlive, until } from '../crash/processes.ts';
import { ROOT, temporaryFolder } from '../doubles/gateway.ts';

t.test('SIGINT once PostgreSQL runs, and before it is ready', async (t) => {
  const { path, remove } = await temporaryFolder();
  t.teardown(remove);
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, ['dist/gateway/main.js'], { cwd: ROOT, env: { PATH, HOME, PORT: '0', DEMO: 'off', DATA_DIR: path }, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const file = join(path, 'postgres', 'data', 'postmaster.pid');
  await until('PostgreSQL begins', () => existsSync(file) && Number(readFileSync(file, 'utf8').split('\n')[0]) > 0);
  const postmaster = Number(readFileSync(file, 'utf8').split('\n')[0]);
  child.kill('SIGINT');
  t.strictSame(await ended, [0, null]);
  t.match(lines[0], /^stopping as soon as the start is done/);
  t.notOk(isAlive(postmaster), 'with its PostgreSQL');
});
