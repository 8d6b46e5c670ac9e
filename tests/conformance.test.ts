import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { differences } from './conformance/cases.ts';
import { conform } from './conformance/conform.ts';
import { needsShared, shared } from './shared.ts';

/** Proportional turnover scaling: a formula that production does not offer. */
const NOT_OFFERED = ['O-PROJ-5'];

t.test('the shared reference cases', needsShared('science-cases.json'), (t) => {
  const { lines, status } = conform(shared('science-cases.json'), null);
  const failed = lines.filter((line) => line.startsWith('FAIL'));
  t.same(failed.map((line) => line.split(' ')[1]), NOT_OFFERED, failed.join('\n'));
  t.match(lines.at(-2), /^left out, no adapter: .*\bvar-cvar\b/);
  t.equal(lines.at(-1), `16 passed, ${NOT_OFFERED.length} failed`);
  t.equal(status, 1);
  t.end();
});

const governorCase = (expected: object): object => ({
  id: 'G', topic: 'drawdown-governor', title: 'halfway', inputs: { drawdown: [0.1], soft: 0, hard: 0.2, power: 1 }, expected, tolerance: { abs: 1e-9 },
});
const RIGHT = governorCase({ governor: [0.5], naiveWrong: [1] });
const fileOf = (...cases: readonly object[]): string => JSON.stringify({ cases });
const other = (topic: string): object => ({ ...RIGHT, id: 'X', topic });
const PASS = 'pass G drawdown-governor, halfway';

t.test('one line a case, a count, and an exit status', (t) => {
  const rows: readonly [name: string, file: string, asked: readonly string[] | null, status: number, lines: readonly (string | RegExp)[]][] = [
    ['a case that conforms', fileOf(RIGHT), null, 0, [PASS, '1 passed, 0 failed']],
    ['one that does not', fileOf(RIGHT, governorCase({ governor: [0.6] })), null, 1,
      [PASS, 'FAIL G drawdown-governor, halfway: governor.0 is 0.5, expected 0.6', '1 passed, 1 failed']],
    ['an answer that is not offered', fileOf(governorCase({ constructor: 1 })), null, 1, [/: constructor is not offered, expected 1$/, '0 passed, 1 failed']],
    ['nothing to compare', fileOf(governorCase({ naiveWrong: [1] })), null, 1, [/: nothing is expected$/, '0 passed, 1 failed']],
    ['an adapter that throws', fileOf({ ...RIGHT, inputs: {} }), null, 1, [/^FAIL G .*undefined/, '0 passed, 1 failed']],
    ['a topic without adapter is left out aloud', fileOf(RIGHT, other('stress')), null, 0, [PASS, 'left out, no adapter: stress', '1 passed, 0 failed']],
    ['and fails when asked for', fileOf(RIGHT, other('stress')), ['stress'], 1, ['FAIL X stress, halfway: no adapter', '0 passed, 1 failed']],
    ['where all is left out nothing passed', fileOf(other('stress')), null, 1, ['left out, no adapter: stress', '0 passed, 0 failed']],
    ['an unknown topic in the file', fileOf(RIGHT, other('constructor')), null, 1, [PASS, /^FAIL constructor: unknown topic/, '1 passed, 1 failed']],
    ['asked for', fileOf(RIGHT), ['drawdown-governor', 'astrology'], 1, [PASS, /^FAIL astrology: unknown topic/, '1 passed, 1 failed']],
    ['not asked for', fileOf(RIGHT, other('astrology')), ['drawdown-governor'], 0, [PASS, '1 passed, 0 failed']],
    ['a topic of no case', fileOf(RIGHT), ['kelly'], 1, ['FAIL kelly: no case in the file', '0 passed, 1 failed']],
    ['no JSON', '{', null, 2, [/^no cases in .*JSON/]],
    ['no cases', fileOf(), null, 2, [/^no cases in .*\/cases/]],
    ['a case without tolerance', fileOf({ ...RIGHT, tolerance: undefined }), null, 2, [/^no cases in .*\/cases\/0/]],
    ['a tolerance misspelt', fileOf({ ...RIGHT, tolerance: { relative: 1e-9 } }), null, 2, [/^no cases in .*tolerance/]],
  ];
  for (const [name, file, asked, status, lines] of rows) {
    const report = conform(`${t.testdir({ 'cases.json': file })}/cases.json`, asked);
    t.equal(report.status, status, name);
    t.equal(report.lines.length, lines.length, name);
    lines.forEach((line, i) => { t.match(report.lines[i], line, name); });
  }
  t.equal(conform('/nowhere/cases.json', null).status, 2);
  t.end();
});

t.test('an answer is within abs + rel·|expected|, per key where the tolerance says so', (t) => {
  const rows: readonly [expected: object, tolerance: object, got: unknown, conforms: boolean][] = [
    [{ a: -2 }, { abs: 0.5, rel: 0.25 }, { a: -3 }, true],
    [{ a: -2 }, { abs: 0.5, rel: 0.25 }, { a: -3.0000001 }, false],
    [{ a: 1 }, {}, { a: 1 }, true],
    [{ a: 1, b: { c: 1 } }, { abs: 0, c: { rel: 1 } }, { a: 1, b: { c: 2 } }, true],
    [{ a: 1, b: { c: 1 } }, { abs: 0, c: { rel: 1 } }, { a: 2, b: { c: 1 } }, false],
    [{ a: [1, 2] }, { abs: 5 }, { a: [1, 2, 3] }, false],
    [{ a: [] }, {}, { a: [] }, true],
    [{ a: [] }, {}, {}, false],
    [{ a: [true, 'x', null] }, { abs: 5 }, { a: [true, 'x', null] }, true],
    [{ a: true }, { abs: 5 }, { a: 1 }, false],
    [{ a: 1 }, { abs: 5 }, { a: Number.NaN }, false],
    [{ a: Infinity }, { rel: 1 }, { a: 1 }, false],
  ];
  for (const [expected, tolerance, got, conforms] of rows) {
    t.equal(differences({ expected, tolerance }, got).length === 0, conforms, JSON.stringify([expected, got]));
  }
  t.end();
});

t.test('the command', (t) => {
  const file = `${t.testdir({ 'cases.json': fileOf(RIGHT, other('stress')) })}/cases.json`;
  const main = fileURLToPath(new URL('conformance/main.js', import.meta.url));
  const run = (...args: readonly string[]): unknown => {
    const { status, stdout } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
    return { status, last: stdout.trimEnd().split('\n').at(-1) };
  };
  t.same(run(file), { status: 0, last: '1 passed, 0 failed' });
  t.same(run(file, '--topic', 'drawdown-governor,stress'), { status: 1, last: '1 passed, 1 failed' });
  t.match(run(`${file}.not`), { status: 2 });
  t.match(run(), { status: 1 });
  t.end();
});
