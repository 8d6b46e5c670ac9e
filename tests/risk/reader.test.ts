import t from 'tap';
import { PolicyError, readYaml } from '../../risk/reader.ts';

const KIB = 1024;

/** Code of the refusal and its sentence. */
function refusal(text: string, bytesMax = 256 * KIB): PolicyError {
  try {
    readYaml(text, bytesMax);
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  throw new Error(`read: ${text.slice(0, 60)}`);
}

t.test('plain YAML is plain values', (t) => {
  t.same(readYaml('a: 1\nb: [x, "2", true, null, ~]\nc: {d: 0.5}', KIB), { a: 1, b: ['x', '2', true, null, null], c: { d: 0.5 } });
  t.same(JSON.stringify(readYaml(`${'['.repeat(32)}${']'.repeat(32)}`, KIB)).length, 64, 'as deep as allowed');
  t.same(readYaml('a: yes\nb: 010\nc: 1_000\nd: 2020-01-01', KIB), { a: 'yes', b: 10, c: '1_000', d: '2020-01-01' }, 'the core schema of 1.2, not 1.1');
  t.end();
});

t.test('tricks are refused, by name', (t) => {
  const rows: readonly (readonly [string, string])[] = [
    ['a: &x 1\nb: *x', 'ALIAS'],
    ['a: &a [l, o, l]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]', 'ALIAS'],
    ['a: &a [*a]', 'ALIAS'],
    ['base: &b {x: 1}\nc: {<<: *b}', 'ALIAS'],
    ['a: *nowhere', 'ALIAS'],
    ['a: !!binary aGVsbG8=', 'TAG'],
    ['a: !!js/function "x"', 'TAG'],
    ['a: !local 1', 'TAG'],
    ['a: !!set {x}', 'TAG'],
    ['a: !!str 1', 'TAG'],
    ['!!map {a: 1}', 'TAG'],
    ['%YAML 1.1\n---\na: yes', 'DIRECTIVE'],
    ['%TAG ! tag:evil,2020:\n---\na: !x 1', 'DIRECTIVE'],
    ['a: 1\n---\nb: 2', 'SYNTAX'],
    ['a: 1\na: 2', 'SYNTAX'],
    ['{a: 1, "a": 2}', 'SYNTAX'],
    ['? [a]\n: 1', 'SYNTAX'],
    ['a: [1, 2', 'SYNTAX'],
    ['a: "unclosed', 'SYNTAX'],
    ['\ta: 1', 'SYNTAX'],
    ['[', 'SYNTAX'],
    ['['.repeat(100_000), 'SYNTAX'],
    [`${'['.repeat(60_000)}${']'.repeat(60_000)}`, 'SYNTAX'],
    [`${'{a: '.repeat(30_000)}1${'}'.repeat(30_000)}`, 'SYNTAX'],
    [`${'- '.repeat(100_000)}x`, 'SYNTAX'],
    [`${'? '.repeat(100_000)}x`, 'SYNTAX'],
    ['a: '.repeat(80_000), 'SYNTAX'],
    ['[ # ]\n'.repeat(30_000), 'SYNTAX'],
    [Array.from({ length: 600 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''), 'SYNTAX'],
    [`${'['.repeat(33)}${']'.repeat(33)}`, 'SYNTAX'],
  ];
  for (const [text, code] of rows) t.equal(refusal(text).code, code, text.slice(0, 40));
  t.end();
});

t.test('size is counted in bytes, before anything is read', (t) => {
  t.same(readYaml(`"${'a'.repeat(KIB - 2)}"`, KIB), 'a'.repeat(KIB - 2), 'at the limit');
  t.equal(refusal(`"${'a'.repeat(KIB - 1)}"`, KIB).code, 'TOO_LARGE');
  t.equal(refusal(`"${'é'.repeat(KIB / 2)}"`, KIB).code, 'TOO_LARGE', 'two bytes each');
  t.end();
});

t.test('a merge key is an ordinary, unknown key', (t) => {
  t.same(readYaml('a: {<<: {x: 1}}', KIB), { a: { '<<': { x: 1 } } });
  t.end();
});

t.test('a key cannot reach a prototype', (t) => {
  const read = readYaml('__proto__: {polluted: true}\nconstructor: 1', KIB) as object;
  t.same(Object.keys(read).sort(), ['__proto__', 'constructor']);
  t.equal(({} as Record<string, unknown>).polluted, undefined);
  t.equal(Object.getPrototypeOf(read), Object.prototype);
  t.end();
});

t.test('the text of a file that is not ours is never repeated', (t) => {
  for (const text of ['root:$6$secret:19000:0', 'secret: [secret', 'secret: 1\nsecret: 2', '- &secret x\n- *secret', 'a: !secret x', '"\\q secret"']) {
    let message = '';
    try {
      readYaml(text, KIB);
    } catch (error) {
      message = (error as Error).message;
    }
    t.notMatch(message, /secret/, text);
  }
  t.end();
});
