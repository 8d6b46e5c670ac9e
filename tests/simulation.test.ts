import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { addFired, FAULTS, nothingFired } from './simulation/faults.ts';
import { PLANTS } from './simulation/planted.ts';
import { runSeed } from './simulation/run.ts';

const SEEDS = process.env['DEPTH'] === 'long' ? 1_000 : 15;
const COMMANDS = 500;
/** Enough for each plant to have had its chance. */
const PLANTED_SEEDS = 12;

t.test('the real flows in a world that lies', { timeout: 0 }, async (t) => {
  const fired = nothingFired();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { findings, fired: more, commands } = await runSeed(seed, COMMANDS);
    t.same(findings, [], `seed ${String(seed)}; replay it with: npm run simulate -- --seed ${String(seed)}`);
    t.equal(commands, COMMANDS);
    addFired(fired, more);
  }
  t.same(FAULTS.filter((fault) => fired[fault] === 0), [], 'every fault fired');
});

t.test('a run too short for every fault says that this is why it fails', (t) => {
  const MAIN = fileURLToPath(new URL('simulation/main.js', import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [MAIN, '--seeds', '2', '--commands', '5'], { encoding: 'utf8' });
  t.equal(status, 1);
  t.match(stdout, /^2 seeds, 10 commands, \d+ records, 0 failed$/m);
  t.match(stdout.trimEnd().split('\n').at(-1), /^this run fails: never fired, so never tried: \w+(?:, \w+)*; more seeds make them fire, 100 are the default$/);
  t.end();
});

t.test('the same seed gives the same log', async (t) => {
  const [first, second] = [await runSeed(77, 200), await runSeed(77, 200)];
  t.equal(first.head, second.head);
  t.same(first.fired, second.fired);
  t.not((await runSeed(78, 200)).head, first.head);
});

t.test('each planted fault is found, by name', async (t) => {
  t.equal(PLANTS.length, 10);
  for (const plant of PLANTS) {
    const names = new Set<string>();
    for (let seed = 1; seed <= PLANTED_SEEDS && !names.has(plant.expects); seed++) {
      for (const { name } of (await runSeed(seed, COMMANDS, plant)).findings) names.add(name);
    }
    t.ok(names.has(plant.expects), `${plant.name}: found ${[...names].join(', ')}`);
  }
});
