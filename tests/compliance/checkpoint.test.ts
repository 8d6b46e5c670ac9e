import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { formatCheckpoint, openCheckpoint, originOf, parseCheckpoint, signCheckpoint } from '../../compliance/checkpoint.ts';
import { EMPTY_ROOT } from '../../compliance/merkle.ts';
import { formatVerifierKey, isSignedBy, parseNote, parseVerifierKey, signNote, verifierOf } from '../../compliance/note.ts';
import { needsShared, shared } from '../shared.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519').privateKey;

/** From the package documentation of golang.org/x/mod/sumdb/note. */
const NEUMANN_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const NEUMANN_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NEUMANN_NOTE = `${NEUMANN_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

t.test("golang's example note", (t) => {
  const verifier = parseVerifierKey(NEUMANN_KEY)!;
  t.equal(verifier.name, 'PeterNeumann');
  t.equal(formatVerifierKey(verifier), NEUMANN_KEY);
  const note = parseNote(NEUMANN_NOTE)!;
  t.equal(note.text, NEUMANN_TEXT);
  t.ok(isSignedBy(note, verifier));
  t.end();
});

t.test('sign, parse and verify; other signatures say nothing, a bad one of ours spoils it', (t) => {
  const ours = verifierOf('portcullis/L', publicKey);
  fc.assert(fc.property(fc.array(fc.stringMatching(/^[ -~é–]*$/), { minLength: 1 }), (lines) => {
    const text = `${lines.join('\n')}\n`;
    const note = parseNote(signNote(text, 'portcullis/L', privateKey));
    return note?.text === text && isSignedBy(note, ours)
      && !isSignedBy(note, verifierOf('portcullis/M', publicKey)) && !isSignedBy(note, verifierOf('portcullis/L', other));
  }));
  const signed = signNote('text\n', 'portcullis/L', privateKey);
  const line = (note: string): string => note.slice(note.indexOf('—'));
  t.ok(isSignedBy(parseNote(signed + line(signNote('text\n', 'witness', other)))!, ours));
  t.ok(isSignedBy(parseNote(signed + line(signed))!, ours));
  t.notOk(isSignedBy(parseNote(signed + line(signNote('other\n', 'portcullis/L', privateKey)))!, ours));
  t.notOk(isSignedBy(parseNote(signNote('text\n', 'witness', other))!, ours), 'no signature of ours');
  t.same(parseVerifierKey(formatVerifierKey(ours))!.publicKey.export({ format: 'jwk' }), publicKey.export({ format: 'jwk' }));
  t.end();
});

t.test('hostile notes are no notes', (t) => {
  const signed = signNote('text\n', 'name', privateKey);
  const hostile = [
    '', '\n', '\n\n', 'text\n', 'text\n\n', signed.slice(0, -1), signed.replace('\n\n', '\n'), signed.replace('— ', '- '),
    signed.replace('— name', '—  name'),
    signed.replace('name', 'na+me'), signed.replace(/ [^ ]+\n$/, ' \n'), signed.replace(/ [^ ]+\n$/, ' AAAA\n'),
    signed.replace(/=*\n$/, '====\n'), `${signed}\n`,
    signed.replace('text', 'te\rxt'), signed.replace('text', 'te\u0000xt'), signed.replace('text', 'te\ud800xt'), signed.replaceAll('\n', '\r\n'),
    `${signed}x\n`, signed + '— name AAAAAAAA\n'.repeat(100), 'x'.repeat(1_000_001) + signed, signed.replace('—', '\ufeff—'),
  ];
  for (const note of hostile) t.equal(parseNote(note), null, JSON.stringify(note.slice(0, 40)));
  for (const text of ['', 'no newline', 'a\r\n', 'a\ud800\n']) t.throws(() => signNote(text, 'name', privateKey), RangeError);
  for (const name of ['', 'a b', 'a+b', 'a\n']) t.throws(() => signNote('text\n', name, privateKey), RangeError);
  t.throws(() => verifierOf('name', generateKeyPairSync('x25519').publicKey), RangeError);
  t.end();
});

t.test('hostile verifier keys are none', (t) => {
  const [name, id, key] = NEUMANN_KEY.split('+') as [string, string, string];
  const hostile = [
    '', '++', `${name}+${id}`, `${name} +${id}+${key}`, `${name}+${id.toUpperCase()}+${key}`, `${name}+00000000+${key}`, `Peter+${id}+${key}`,
    `${NEUMANN_KEY}\n`,
    `${name}+${id}+${key.slice(4)}`, `${name}+${id}+${key}=`, `${name}+${id}+Ag${key.slice(2)}`, `${name}+${id}+${key.slice(0, -1)}`, `+${id}+${key}`,
  ];
  for (const text of hostile) t.equal(parseVerifierKey(text), null, text);
  t.end();
});

t.test('a checkpoint is three lines, signed by its log', (t) => {
  const logs = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
  fc.assert(fc.property(logs, fc.maxSafeNat(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (log, size, root) => {
    const checkpoint = { log, size, root: Buffer.from(root) };
    const text = formatCheckpoint(checkpoint);
    const parsed = parseCheckpoint(text)!;
    return parsed.log === log && parsed.size === size && parsed.root.equals(root) && text.split('\n').length === 4
      && openCheckpoint(signCheckpoint(checkpoint, privateKey), verifierOf(originOf(log), publicKey))?.size === size
      && openCheckpoint(signCheckpoint(checkpoint, privateKey), verifierOf(originOf(`${log}x`), publicKey)) === null
      && openCheckpoint(signCheckpoint(checkpoint, other), verifierOf(originOf(log), publicKey)) === null;
  }));
  const elsewhere = signNote(formatCheckpoint({ log: 'A', size: 1, root: EMPTY_ROOT }), originOf('B'), privateKey);
  t.equal(openCheckpoint(elsewhere, verifierOf(originOf('B'), publicKey)), null, "another log's head under our name");
  t.equal(openCheckpoint(signNote('text\n', originOf('B'), privateKey), verifierOf(originOf('B'), publicKey)), null);
  t.equal(openCheckpoint('text\n', verifierOf(originOf('B'), publicKey)), null);
  t.end();
});

t.test('any other form of a checkpoint is none', (t) => {
  const root = EMPTY_ROOT.toString('base64');
  const good = `portcullis/L\n0\n${root}\n`;
  t.ok(parseCheckpoint(good));
  const hostile = [
    good.slice(0, -1), `${good}\n`, `${good}extension\n`, good.replace('portcullis/', ''),
    ...['00', '-0', '+1', ' 1', '1e3', '9999999999999999', ''].map((size) => good.replace('\n0\n', `\n${size}\n`)),
    good.replace('portcullis/L', 'portcullis/'), good.replace('L', 'L '),
    good.replace(root, root.slice(0, -1)), good.replace(root, `${root}=`), good.replace(root, `${root.slice(0, -2)}V=`), good.replaceAll('\n', '\r\n'), '',
  ];
  for (const text of hostile) t.equal(parseCheckpoint(text), null, JSON.stringify(text));
  for (const size of [-1, 0.5, NaN, 2 ** 53]) t.throws(() => formatCheckpoint({ log: 'L', size, root: EMPTY_ROOT }), RangeError);
  t.throws(() => formatCheckpoint({ log: 'a/b', size: 1, root: EMPTY_ROOT }), RangeError);
  t.throws(() => formatCheckpoint({ log: 'L', size: 1, root: Buffer.alloc(31) }), RangeError);
  t.end();
});

interface Wycheproof {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly { readonly tcId: number; readonly msg: string; readonly sig: string; readonly result: string }[];
  }[];
}
const WYCHEPROOF = 'realdata/audit/wycheproof_ed25519_test.json.gz';
t.test("Wycheproof's Ed25519 signatures, where the message is a text", needsShared(WYCHEPROOF), (t) => {
  const vectors = JSON.parse(gunzipSync(readFileSync(shared(WYCHEPROOF))).toString()) as Wycheproof;
  let count = 0;
  for (const group of vectors.testGroups) {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(group.publicKey.pk, 'hex').toString('base64url') }, format: 'jwk' });
    const verifier = verifierOf('wycheproof', key);
    for (const { tcId, msg, sig, result } of group.tests) {
      const text = Buffer.from(msg, 'hex').toString();
      if (Buffer.from(text).toString('hex') !== msg) continue;
      const note = { text, signatures: [{ name: verifier.name, keyId: verifier.keyId, signature: Buffer.from(sig, 'hex') }] };
      if (isSignedBy(note, verifier) !== (result === 'valid')) t.fail(`case ${String(tcId)}`);
      count += 1;
    }
  }
  t.ok(count >= 60, `${String(count)} cases`);
  t.end();
});

t.test('a private key kept as PKCS8 signs under the same verifier key', (t) => {
  const again = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  t.equal(formatVerifierKey(verifierOf('n', again)), formatVerifierKey(verifierOf('n', publicKey)));
  t.end();
});
