/** The environment, read once into one frozen value. An unknown `PORTCULLIS_*` or a malformed value stops the start with one line. */

/** Its message is the one line that the operator reads; it never repeats a value, since a value may be a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type MarketSource = { readonly kind: 'synthetic' } | { readonly kind: 'replay'; readonly path: string };

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** Null: the embedded database. */
  readonly databaseUrl: string | null;
  readonly policy: string;
  readonly universe: string;
  readonly market: MarketSource;
  readonly demo: boolean;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** How many times as fast as the wall clock a market runs; `max` waits for nothing. */
  readonly marketSpeed: number | 'max';
  readonly marketSeed: number;
  readonly paper: 'inprocess' | 'process';
}

export const DEFAULT_DATA_DIR = './data';

export type Environment = Readonly<Record<string, string | undefined>>;
type Reader<T> = (text: string) => T | undefined;

const SEED_MAX = 2 ** 32 - 1;
const SPEED_MAX = 1_000_000;

function integer(min: number, max: number): Reader<number> {
  return (text) => {
    const value = /^(?:0|[1-9]\d{0,9})$/.test(text) ? Number(text) : NaN;
    return value >= min && value <= max ? value : undefined;
  };
}
function oneOf<const W extends string>(words: readonly W[]): Reader<W> {
  return (text) => words.find((word) => word === text);
}
const path: Reader<string> = (text) => (text.length > 0 && text.length <= 4096 && !text.includes('\0') ? text : undefined);
const market: Reader<MarketSource> = (text) => {
  if (text === 'synthetic') return { kind: 'synthetic' };
  const source = text.startsWith('replay:') ? path(text.slice('replay:'.length)) : undefined;
  return source === undefined ? undefined : { kind: 'replay', path: source };
};
const speed: Reader<number | 'max'> = (text) => (text === 'max' ? 'max' : integer(1, SPEED_MAX)(text));

/** Only a database on this machine is reached without a verified certificate. */
const databaseUrl: Reader<string> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) return undefined;
  const hosts = [url.hostname, ...url.searchParams.getAll('host')].filter((host) => host !== '');
  const local = hosts.every((host) => isLoopback(host) || decodeURIComponent(host).startsWith('/'));
  return local || url.searchParams.get('sslmode') === 'verify-full' ? text : undefined;
};

const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$|^[0-9A-Fa-f:.]{2,45}$/;
const host: Reader<string> = (text) => (HOST.test(text) ? text : undefined);

/** Names of this machine that no other one can reach. */
export function isLoopback(name: string): boolean {
  const bare = name.startsWith('[') ? name.slice(1, -1) : name;
  return bare === 'localhost' || bare === '::1' || /^127(?:\.\d{1,3}){3}$/.test(bare);
}

const FORMS = {
  PORT: 'an integer from 0 to 65535',
  HOST: 'a host name or an address',
  DATA_DIR: 'a path',
  DATABASE_URL: 'a postgres:// URL, beyond this machine with sslmode=verify-full',
  POLICY: 'a path',
  UNIVERSE: 'a path',
  MARKET: 'synthetic or replay:PATH',
  DEMO: 'on or off',
  LOG_LEVEL: LOG_LEVELS.join(', '),
  PORTCULLIS_MARKET_SPEED: `an integer from 1 to ${SPEED_MAX}, or max`,
  PORTCULLIS_MARKET_SEED: `an integer from 0 to ${SEED_MAX}`,
  PORTCULLIS_PAPER: 'inprocess or process',
} as const;

/** Read by commands only; known here so that it stops no start. */
const FOR_COMMANDS = ['PORTCULLIS_TOKEN'];

/**
 * Reads and checks the settings (README, "Settings"). Throws ConfigError on the first fault.
 * The development issuer signs for whoever can read its folder, so the gateway is reached from this machine only.
 */
export function loadConfig(env: Environment): Config {
  for (const name of Object.keys(env)) {
    if (name.startsWith('PORTCULLIS_') && !Object.hasOwn(FORMS, name) && !FOR_COMMANDS.includes(name)) {
      throw new ConfigError(`${name.replace(/[^A-Z0-9_]/g, '?').slice(0, 64)} is not a setting`);
    }
  }
  function read<T>(name: keyof typeof FORMS, reader: Reader<T>, absent: T): T {
    const text = env[name];
    if (text === undefined) return absent;
    const value = reader(text);
    if (value === undefined) throw new ConfigError(`${name} must be ${FORMS[name]}`);
    return value;
  }
  const config: Config = {
    port: read('PORT', integer(0, 65_535), 8080),
    host: read('HOST', host, '127.0.0.1'),
    dataDir: read('DATA_DIR', path, DEFAULT_DATA_DIR),
    databaseUrl: read<string | null>('DATABASE_URL', databaseUrl, null),
    policy: read('POLICY', path, 'policies/default.yaml'),
    universe: read('UNIVERSE', path, 'policies/universe.yaml'),
    market: read<MarketSource>('MARKET', market, { kind: 'synthetic' }),
    demo: read('DEMO', oneOf(['on', 'off']), 'on') === 'on',
    logLevel: read('LOG_LEVEL', oneOf(LOG_LEVELS), 'info'),
    marketSpeed: read('PORTCULLIS_MARKET_SPEED', speed, 1),
    marketSeed: read('PORTCULLIS_MARKET_SEED', integer(0, SEED_MAX), 1),
    paper: read('PORTCULLIS_PAPER', oneOf(['inprocess', 'process']), 'inprocess'),
  };
  if (!isLoopback(config.host)) throw new ConfigError('HOST must be a loopback address while tokens come from the development issuer');
  return Object.freeze(config);
}
