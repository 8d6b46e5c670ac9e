/**
 * Ends what a site has started, and removes its folder, once nobody holds its stdin open any more: after a teardown as after a test that
 * was itself killed. `node reaper.js DATA_DIR`; the pids of gateways and venues come as lines.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { askWho } from '../../execution/venues/paper/who.ts';
import { isAlive, until } from './processes.ts';

const [, , dataDir = ''] = process.argv;

/** First the gateways, so that nobody starts anything again. */
async function reap(pids: readonly number[]): Promise<void> {
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  await until('the gateways are dead', () => pids.filter(isAlive));
  const config = join(dataDir, 'paper', 'process.json');
  if (existsSync(config)) {
    const venue = await askWho((JSON.parse(readFileSync(config, 'utf8')) as { socketPath: string }).socketPath);
    if (venue !== null) process.kill(venue.pid, 'SIGKILL');
    await venue?.gone;
  }
  const file = join(dataDir, 'postgres', 'data', 'postmaster.pid');
  const postmaster = existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0;
  if (postmaster > 1 && isAlive(postmaster)) {
    process.kill(postmaster, 'SIGCONT');
    process.kill(postmaster, 'SIGQUIT'); // its children end with it
    await until('PostgreSQL is dead', () => !isAlive(postmaster));
  }
  rmSync(dataDir, { recursive: true, force: true });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined); // those of the test's whole group
const lines = (await text(process.stdin)).split('\n').filter((line) => line !== '');
await reap(lines.map(Number));
