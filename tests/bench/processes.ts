/** The processes of a run: two servers with a probe in each, and the load generator. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LoadPlan, LoadResult } from './load.ts';
import type { Block, Usage } from './probe.ts';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const GATEWAY = here('../../gateway/main.js');
const YARDSTICK = here('./yardstick.js');
const LOAD = here('./load.js');
const PROBE = new URL('./probe.js', import.meta.url).href;

export interface Server {
  readonly port: number;
  usage(): Promise<Usage>;
  /** After a garbage collection. */
  collected(): Promise<Usage>;
  /** Blocks of the event loop while `run` runs. */
  blocksOf<T>(run: () => Promise<T>): Promise<{ readonly result: T; readonly blocks: readonly Block[] }>;
  stop(): Promise<void>;
}

type Setting = Readonly<Record<string, string>>;

/** As `npm start` starts it, with its flags of Node. `PROFILE=DIR` keeps a CPU profile of it there. */
export function startGateway(env: Setting): Promise<Server> {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  const flags = scripts.start.split(' ').filter((word) => word.startsWith('--'));
  const folder = process.env['PROFILE'];
  const profile = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  return startServer(GATEWAY, [], env, /ready at http:\/\/[^:]+:(\d+)/, [...flags, ...profile]);
}
export const startYardstick = (plan: object): Promise<Server> => startServer(YARDSTICK, [JSON.stringify(plan)], {}, /READY http:\/\/[^:]+:(\d+)/, []);

/** Its output is shown only when it does not start. */
async function startServer(file: string, args: readonly string[], env: Setting, ready: RegExp, flags: readonly string[]): Promise<Server> {
  const execArgv = ['--expose-gc', '--import', PROBE, ...flags];
  const child = fork(file, args, { env: { ...inherited(), ...env }, execArgv, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const port = await new Promise<number>((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        output = (output + text.toString()).slice(-4000);
        const match = ready.exec(output);
        if (match !== null) resolve(Number(match[1]));
      });
    }
    child.once('exit', () => { reject(new Error(`${file} ended: ${output}`)); });
  });
  return {
    port,
    usage: () => ask<Usage>(child, 'usage'),
    collected: () => ask<Usage>(child, 'collected'),
    async blocksOf(run) {
      await ask(child, 'watch');
      const result = await run();
      return { result, blocks: await ask<readonly Block[]>(child, 'blocks') };
    },
    stop: () => stop(child),
  };
}

/** The servers under test see none of our own settings. */
const inherited = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'], HOME: process.env['HOME'] });

export interface LoadGenerator {
  run(plan: LoadPlan): Promise<LoadResult>;
  stop(): Promise<void>;
}

export function startLoad(): LoadGenerator {
  const child = fork(LOAD, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return { run: (plan) => ask<LoadResult>(child, plan), stop: () => stop(child) };
}

/** One question at a time: the next message is its answer. */
async function ask<T>(child: ChildProcess, question: string | object): Promise<T> {
  const ended = new AbortController();
  const answer = once(child, 'message', { signal: ended.signal });
  const dead = once(child, 'exit', { signal: ended.signal }).then(() => { throw new Error('a process under test has ended'); });
  child.send(question);
  try {
    const [value] = (await Promise.race([answer, dead])) as [T];
    return value;
  } finally {
    answer.catch(() => undefined); // the one that lost the race is called off
    dead.catch(() => undefined);
    ended.abort();
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
