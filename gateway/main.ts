/** `npm start`: reads the settings, starts the gateway, says where it is, and stops it with grace. */
import { mkdirSync, readFileSync } from 'node:fs';
import { hash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { destination, pino, type Logger } from 'pino';
import { loadConfig, type Config } from './config.ts';
import { startDemo } from './demo.ts';
import { startGateway, type Gateway } from './start.ts';
import { welcome } from './welcome.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** It takes one for each request. */
const DEMO_TOKEN_SECONDS = 60;

const STDERR = 2;

/** For the person at the terminal; the operator's log goes to stderr, one JSON object a line. */
const say = (line: string): void => { console.log(line); };

/** The terminal or the collector of our words is gone. There is nobody to tell, and it is no reason to leave the desk. */
const unheard = (): void => undefined;

/** What the first record of a start says about the build. */
function nodeOf(): { version: string; commit: string | null; lockfileHash: string } {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string };
  return { version, commit: process.env['GIT_COMMIT'] ?? null, lockfileHash: hash('sha256', readFileSync(`${ROOT}package-lock.json`, 'utf8')) };
}

/** The process has lost its footing: what was in flight is for recovery. The cancels of this turn are on their way before it ends. */
const fatalTo = (log: Logger) => (error: unknown): void => {
  log.fatal(error instanceof Error ? (error.stack ?? error.message) : String(error));
  setImmediate(() => process.exit(1));
};

async function run(): Promise<void> {
  process.umask(0o077);
  const config = loadConfig(process.env);
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const stderr = destination({ fd: STDERR, sync: true });
  for (const stream of [process.stdout, stderr]) stream.on('error', unheard);
  const log = pino({ level: config.logLevel, base: null }, stderr);
  const fatal = fatalTo(log);
  const stopBy = takeSignals();
  const gateway = await startGateway(config, { node: nodeOf(), say: (line) => { log.info(line); }, fatal });
  for (const line of welcome(gateway.url, config.dataDir)) say(line);
  const demo = config.demo ? demonstrate(gateway, config) : null;
  const stop = stopOnce(fatal, async () => {
    demo?.stop();
    await gateway.stop();
  });
  stopBy(stop);
}

/** A start that is told to stop is stopped once it is one: in its midst PostgreSQL would be left behind. Told again, it ends as it is. */
function takeSignals(): (stop: () => void) => void {
  let asked = 0;
  let onSignal = (): void => {
    if (++asked > 1) process.exit(130);
    say('stopping as soon as the start is done; once more ends it as it is');
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => { onSignal(); });
  return (stop) => {
    onSignal = stop;
    if (asked > 0) stop();
  };
}

/** The first signal stops; those after it wait with it. */
function stopOnce(fatal: (error: unknown) => void, stop: () => Promise<void>): () => void {
  let stopping = false;
  return () => {
    if (stopping) return;
    stopping = true;
    say('stopping: what was taken is made durable first');
    stop().then(() => process.exit(0), fatal);
  };
}

function demonstrate(gateway: Gateway, { market }: Config): { stop(): void } {
  const token = (): Promise<string> => gateway.token({ sub: 'demo', role: 'strategy', accounts: ['ACC1'], ttlSeconds: DEMO_TOKEN_SECONDS });
  say(`  a demonstration strategy posts targets on ${market.kind} data; DEMO=off leaves it out`);
  return startDemo({ url: gateway.url, token, timers: gateway.house.timers, say, verified: () => gateway.verified() });
}

run().catch((error: unknown) => {
  console.error(`portcullis did not start: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
