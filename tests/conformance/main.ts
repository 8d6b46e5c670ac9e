/** `npm run conform -- FILE [--topic a,b]` */
import { Command } from 'commander';
import { conform } from './conform.ts';

new Command('conform')
  .description('hold the gateway against reference cases; the form is that of science-cases.json')
  .argument('<file>', 'reference cases')
  .option('--topic <topics>', 'only these, separated by commas', (topics: string) => topics.split(','))
  .action((file: string, { topic }: { readonly topic?: readonly string[] }) => {
    const { lines, status } = conform(file, topic ?? null);
    console.log(lines.join('\n'));
    process.exitCode = status;
  })
  .parse();
