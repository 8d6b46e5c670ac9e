/** `npm run simulate -- --seeds 100 [--seed N] [--commands 500]` */
import { Command } from 'commander';
import { addFired, FAULTS, nothingFired } from './faults.ts';
import { runSeed, type SeedResult } from './run.ts';

const whole = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new Error('a whole number is wanted');
  return Number(text);
};

await new Command('simulate')
  .description('the real flows in a world that lies, by seed; whatever fails can be replayed')
  .option('--seeds <count>', 'how many seeds', whole, 100)
  .option('--seed <number>', 'the first seed; alone, the only one', whole)
  .option('--commands <count>', 'commands a seed', whole, 500)
  .action(async ({ seeds, seed, commands }: { readonly seeds: number; readonly seed?: number; readonly commands: number }, command: Command) => {
    const isOne = seed !== undefined && command.getOptionValueSource('seeds') === 'default';
    process.exitCode = await simulate(seed ?? 1, isOne ? 1 : seeds, commands);
  })
  .parseAsync();

async function simulate(first: number, seeds: number, commands: number): Promise<number> {
  const fired = nothingFired();
  let failed = 0;
  let records = 0;
  for (let seed = first; seed < first + seeds; seed++) {
    const result = await runSeed(seed, commands);
    addFired(fired, result.fired);
    records += result.lines.length;
    if (result.findings.length === 0) continue;
    failed++;
    tell(result, commands);
  }
  console.log(`${String(seeds)} seeds, ${String(seeds * commands)} commands, ${String(records)} records, ${String(failed)} failed`);
  for (const fault of FAULTS) console.log(`  ${fault.padEnd(20)} ${String(fired[fault])}`);
  const silent = seeds > 1 ? FAULTS.filter((fault) => fired[fault] === 0) : [];
  if (silent.length > 0) console.log(`this run fails: never fired, so never tried: ${silent.join(', ')}; more seeds make them fire, 100 are the default`);
  return failed > 0 || silent.length > 0 ? 1 : 0;
}

function tell({ seed, findings }: SeedResult, commands: number): void {
  console.log(`seed ${String(seed)} fails; replay it with: npm run simulate -- --seed ${String(seed)} --commands ${String(commands)}`);
  for (const { name, detail } of findings) console.log(`  ${name}: ${detail}`);
}
