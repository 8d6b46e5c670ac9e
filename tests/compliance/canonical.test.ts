import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import reference from 'canonicalize';
import fc from 'fast-check';
import t from 'tap';
import { canonicalRecord, canonicalize, contentHash, leafHash } from '../../compliance/canonical.ts';
import { needsShared, shared } from '../shared.ts';
import type { Json } from '../../risk/domain/record.ts';

const noNegativeZero = (value: unknown): boolean => !JSON.stringify(value, (_, v: unknown) => (Object.is(v, -0) ? '\u0000-0' : v)).includes('\\u0000-0');
const anyJson = fc.jsonValue({ stringUnit: 'binary' }).filter(noNegativeZero) as fc.Arbitrary<Json>;

t.test('agrees with the reference implementation', (t) => {
  fc.assert(fc.property(anyJson, (value) => canonicalize(value) === reference(value)), { numRuns: 500 });
  t.end();
});

t.test('canonical text parses to the value it came from', (t) => {
  fc.assert(fc.property(anyJson, (value) => canonicalize(JSON.parse(canonicalize(value)) as Json) === canonicalize(value)));
  t.end();
});

t.test('keys that the engine orders as numbers are ordered as texts', (t) => {
  t.equal(canonicalize({ 9: 1, 10: { b: 1, a: [{ 2: 0, 11: 0 }] } }), '{"10":{"a":[{"11":0,"2":0}],"b":1},"9":1}');
  t.end();
});

t.test('what has no canonical text is refused', (t) => {
  for (const value of [NaN, Infinity, -0, undefined, 1n, '\ud800', { a: '\udc00' }, { '\ud800': 1 }, [() => 1], Array<number>(2), [1, Array<number>(1)]]) {
    t.throws(() => canonicalize(value as Json), RangeError);
  }
  t.end();
});

const VECTORS = 'realdata/audit/rfc8785-testdata.tar.gz';
t.test("the vectors of the RFC's author", needsShared(VECTORS), (t) => {
  const archive = shared(VECTORS);
  const read = (path: string): string => execFileSync('tar', ['-xzOf', archive, path], { encoding: 'utf8' });
  const names = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' }).split('\n').filter((name) => /input\/.*\.json$/.test(name));
  t.ok(names.length >= 6);
  for (const name of names) t.equal(canonicalize(JSON.parse(read(name)) as Json), read(name.replace('input/', 'output/')).replace(/\n$/, ''), name);
  t.end();
});

t.test('a record is its envelope in key order, and its hash the RFC 6962 leaf hash', (t) => {
  const envelope = { actor: { id: 'a@b', role: 'strategy' as const }, at: '2026-11-20T09:30:00.000000000Z', cause: null, kind: 'x.y', log: 'L', prev: '0'.repeat(64), seq: 0, v: 1 };
  const { canonical: text, bytes, hash } = canonicalRecord(envelope, canonicalize({ é: 'ü' }));
  t.equal(text, canonicalize({ ...envelope, body: { é: 'ü' } }));
  t.equal(bytes, Buffer.from(text).length);
  t.strictSame([hash, leafHash(text)], Array(2).fill(createHash('sha256').update(Buffer.from([0])).update(text, 'utf8').digest('hex')));
  t.equal(contentHash({ b: 1, a: 2 }), createHash('sha256').update('{"a":2,"b":1}').digest('hex'));
  t.end();
});
