import t from 'tap';
import { ConfigError, isLoopback, loadConfig } from '../../gateway/config.ts';

t.test('nothing set is the documented default', (t) => {
  t.same(loadConfig({ HOME: '/root', PATH: '/bin' }), {
    port: 8080, host: '127.0.0.1', dataDir: './data', databaseUrl: null, policy: 'policies/default.yaml', universe: 'policies/universe.yaml',
    market: { kind: 'synthetic' }, demo: true, logLevel: 'info', marketSpeed: 1, marketSeed: 1, paper: 'inprocess',
  });
  t.ok(Object.isFrozen(loadConfig({})));
  t.end();
});

t.test('good values', (t) => {
  const config = loadConfig({
    PORT: '0', HOST: '::1', MARKET: 'replay:/tmp/x', DEMO: 'off', PORTCULLIS_MARKET_SPEED: 'max', PORTCULLIS_MARKET_SEED: '42', PORTCULLIS_PAPER: 'process',
    PORTCULLIS_TOKEN: 'a.b.c', DATABASE_URL: 'postgres://u:p@localhost/db',
  });
  t.match(config, { port: 0, host: '::1', market: { kind: 'replay', path: '/tmp/x' }, demo: false, marketSpeed: 'max', marketSeed: 42, paper: 'process' });
  t.notMatch(JSON.stringify(config), /a\.b\.c/);
  for (const url of ['postgresql://u@127.0.0.1:5432/db', 'postgres:///db?host=/var/run/postgresql', 'postgres://u:p@db.example/x?sslmode=verify-full']) {
    t.equal(loadConfig({ DATABASE_URL: url }).databaseUrl, url);
  }
  t.end();
});

t.test('a malformed value or an unknown setting stops with one line that repeats no value', (t) => {
  const bad: Record<string, readonly string[]> = {
    PORT: ['', '65536', '-1', '080', '80a', '1e3'], HOST: ['', 'a b', '0.0.0.0', 'example.com', '::', '127.0.0.1.evil.example'], DATA_DIR: ['', 'a\0b'],
    DATABASE_URL: ['secret', 'mysql://secret@localhost/x', 'postgres://u:secret@db.example/x', 'postgres://u:secret@db.example/x?sslmode=require',
      'postgres://u:secret@localhost/x?host=db.example'],
    MARKET: ['', 'replay', 'replay:', 'live'], DEMO: ['true', 'ON', ''], LOG_LEVEL: ['loud'], PORTCULLIS_MARKET_SPEED: ['0', '-1', '1.5', 'MAX'],
    PORTCULLIS_MARKET_SEED: ['-1', '4294967296', 'x'], PORTCULLIS_PAPER: ['thread'], PORTCULLIS_NEW: ['1'], PORTCULLIS_TOKENS: ['x'],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      try {
        loadConfig({ [name]: value });
        t.fail(`${name}=${value} was accepted`);
      } catch (error) {
        t.type(error, ConfigError);
        const { message } = error as ConfigError;
        t.match(message, name);
        t.notMatch(message, /\n|secret/);
      }
    }
  }
  t.end();
});

t.test('loopback names', (t) => {
  for (const name of ['localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]']) t.ok(isLoopback(name), name);
  for (const name of ['0.0.0.0', '::', '128.0.0.1', '127.0.0.1.example', 'localhost.example', '']) t.notOk(isLoopback(name), name);
  t.end();
});
