/** The command as a process: what a shell and a script see of it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { lineOf } from '../../../gateway/cli/line.ts';

const MAIN = fileURLToPath(new URL('../../../gateway/cli/main.js', import.meta.url));

interface Seen {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}
const run = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Seen> => new Promise((resolve) => {
  const child = execFile(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'], ...env } }, (_, stdout, stderr) => {
    resolve({ status: child.exitCode ?? -1, stdout, stderr });
  });
});

t.test('whatever is wrong is one line, and the status says so', async (t) => {
  const DATA_DIR = t.testdir({ broken: { log: 'no log\n' }, 'text.ndjson': 'no record\n' });
  const wrong: readonly (readonly [args: readonly string[], env: Readonly<Record<string, string>>])[] = [
    [['verify'], {}], [['verify', `${DATA_DIR}/absent`], {}], [['verify', DATA_DIR], {}], [['verify', `${DATA_DIR}/broken`], {}],
    [['verify', '--url', 'http://127.0.0.1:1', '--token', 'x'], {}], [['verify', `${DATA_DIR}/text.ndjson`, '--key', 'x'], {}],
    [['log', 'key'], {}], [['log', 'fork'], {}], [['log', 'fork'], { DATABASE_URL: 'postgres://127.0.0.1:1/x' }], [['migrate'], { DATABASE_URL: 'http://x' }],
    [['migrate'], { DATABASE_URL: 'postgres://127.0.0.1:1/x' }],
    [['kill', '--reason', 'r'], {}], [['kill', '--reason', 'r', '--url', 'http://127.0.0.1:1', '--token', 'x'], {}], [['kill'], {}], [['dance'], {}],
    [['token', '--role', 'king', '--sub', 'x'], {}], [['log', 'key'], { PORTCULLIS_TYPO: '1' }],
  ];
  const seen = await Promise.all(wrong.map(([args, env]) => run(args, { DATA_DIR, ...env })));
  for (const [i, { status, stdout, stderr }] of seen.entries()) {
    const args = wrong[i]![0];
    t.match(stderr, /^[^\n]{8,400}\n$/, `${args.join(' ')}: ${stderr}`);
    t.notMatch(stderr, /\bat .*:\d+:\d+|node:internal/);
    t.equal(stdout, '');
    t.equal(status, 1, args.join(' '));
  }
  const broken = await run(['verify', `${DATA_DIR}/text.ndjson`], { DATA_DIR });
  t.match(broken, { status: 1, stdout: /^broken at seq 0: NOT_CANONICAL: [^\n]+\n$/, stderr: '' });
});

t.test('for programs', async (t) => {
  const DATA_DIR = t.testdir({ log: `${'a'.repeat(16)}\n` });
  const { status, stdout } = await run(['log', 'key', '--json'], { DATA_DIR });
  t.equal(status, 0);
  t.match(JSON.parse(stdout), { log: 'a'.repeat(16), key: /^portcullis\/a{16}\+[0-9a-f]{8}\+/ });
  t.match(JSON.parse((await run(['token', '--role', 'regulator', '--sub', 'x', '--json'], { DATA_DIR })).stdout), { token: /^ey/ });
});

t.test('the line of an error', (t) => {
  t.equal(lineOf(new Error('a\n  b')), 'a b');
  t.equal(lineOf(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })), 'fetch failed: connect ECONNREFUSED');
  t.equal(lineOf(new AggregateError([new Error('one'), new Error('two')], '')), 'one');
  t.equal(lineOf('text'), 'text');
  t.end();
});
