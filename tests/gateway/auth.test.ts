import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import t from 'tap';
import { createAuthenticator } from '../../gateway/auth/cache.ts';
import { issueToken, KEY_FILE, openIssuer } from '../../gateway/auth/issuer.ts';
import { personOf, reaches, type Principal } from '../../gateway/auth/principal.ts';
import { verifyToken } from '../../gateway/auth/verify.ts';
import { makeToken, tokenCommand } from '../../gateway/cli/token.ts';
import { issuer, pair, trust } from './edge.ts';

const NOW_MS = Date.parse('2026-11-20T09:30:00Z');
const NOW = NOW_MS / 1000;
const GOOD = { iss: issuer.id, aud: 'portcullis', sub: 'bot', role: 'strategy', accounts: ['ACC1'], iat: NOW, exp: NOW + 3600 };
const HEADER = { alg: 'EdDSA', typ: 'at+jwt', kid: 'k1' };

const sign = (claims: object, header: object = HEADER, key: KeyObject = pair.privateKey): Promise<string> =>
  new SignJWT({ ...claims }).setProtectedHeader({ ...HEADER, ...header }).sign(key);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

t.test('a good token is its principal', async (t) => {
  const principal = await verifyToken(await sign(GOOD), trust, NOW_MS);
  t.match(principal, { sub: 'bot', role: 'strategy', expiresAtMs: (NOW + 3600) * 1000 });
  t.same([...(principal?.accounts ?? [])], ['ACC1']);
  t.ok(await verifyToken(await sign({ ...GOOD, exp: NOW - 4, iat: NOW - 100 }), trust, NOW_MS), 'five seconds of tolerance');
});

t.test('hostile tokens', async (t) => {
  const other = generateKeyPairSync('ed25519').privateKey;
  const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' });
  const hs = `${part({ ...HEADER, alg: 'HS256' })}.${part(GOOD)}`;
  const good = await sign(GOOD);
  const [header, claims, signature] = good.split('.') as [string, string, string];
  const tokens: Record<string, string> = {
    'alg none': `${part({ ...HEADER, alg: 'none' })}.${part(GOOD)}.`,
    'alg none with a signature': `${part({ ...HEADER, alg: 'none' })}.${part(GOOD)}.${signature}`,
    'HS256 by the public key': `${hs}.${createHmac('sha256', publicPem).update(hs).digest('base64url')}`,
    'another key': await sign(GOOD, HEADER, other),
    'an unknown kid': await sign(GOOD, { kid: 'k2' }),
    'a kid that is a path': await sign(GOOD, { kid: '../../k1' }),
    'no kid': await new SignJWT(GOOD).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt' }).sign(pair.privateKey),
    'a key of its own': await sign(GOOD, { jwk: pair.publicKey.export({ format: 'jwk' }) }),
    'jku': await sign(GOOD, { jku: 'https://evil.example/keys' }),
    'x5u': await sign(GOOD, { x5u: 'https://evil.example' }),
    'another typ': await sign(GOOD, { typ: 'JWT' }),
    'an expired one': await sign({ ...GOOD, exp: NOW - 6 }),
    'one from the future': await sign({ ...GOOD, iat: NOW + 60 }),
    'not yet valid': await sign({ ...GOOD, nbf: NOW + 60 }),
    'more than a day old': await sign({ ...GOOD, iat: NOW - 86_500, exp: NOW + 10 }),
    'more than a day long': await sign({ ...GOOD, exp: NOW + 86_401 }),
    'another audience': await sign({ ...GOOD, aud: 'other' }),
    'another issuer': await sign({ ...GOOD, iss: `${issuer.id}/` }),
    'no exp': await sign({ ...GOOD, exp: undefined }),
    'no accounts': await sign({ ...GOOD, accounts: undefined }),
    'a wildcard': await sign({ ...GOOD, accounts: ['*'] }),
    'accounts as text': await sign({ ...GOOD, accounts: 'ACC1' }),
    'nested accounts': await sign({ ...GOOD, accounts: [['ACC1']] }),
    '65 accounts': await sign({ ...GOOD, accounts: Array.from({ length: 65 }, (_, n) => `A${n}`) }),
    'roles as a list': await sign({ ...GOOD, role: ['strategy'] }),
    'no such role': await sign({ ...GOOD, role: 'root' }),
    'a sub that is a list': await sign({ ...GOOD, sub: ['bot'] as unknown as string }),
    'a sub with a control': await sign({ ...GOOD, sub: 'bot\u0000' }),
    'too long': await sign({ ...GOOD, pad: 'x'.repeat(4096) }),
    'a flipped bit': `${header}.${claims}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    'other claims': `${header}.${part({ ...GOOD, role: 'risk_officer' })}.${signature}`,
    'two parts': `${header}.${claims}`,
    'four parts': `${good}.x`,
    'nothing': '',
    'a header that is no JSON': `e30x.${claims}.${signature}`,
    'a header that is a list': `${part([])}.${claims}.${signature}`,
  };
  for (const [name, token] of Object.entries(tokens)) t.equal(await verifyToken(token, trust, NOW_MS), null, name);
});

t.test('the cache: a minute at most, never past the end, one verification for many askers', async (t) => {
  let wallMs = NOW_MS;
  let verified = 0;
  const auth = createAuthenticator((token, nowMs) => {
    verified += 1;
    return verifyToken(token, trust, nowMs);
  }, () => wallMs);
  const long = await sign(GOOD);
  const short = await sign({ ...GOOD, exp: NOW + 20 });
  t.equal(auth.cached(long), null);
  const principals = await Promise.all(Array.from({ length: 20 }, () => auth.verify(long)));
  t.equal(verified, 1);
  t.equal(new Set(principals).size, 1);
  await auth.verify(short);
  t.equal(auth.cached(long), principals[0]);
  wallMs += 19_999;
  t.ok(auth.cached(short));
  wallMs += 1;
  t.equal(auth.cached(short), null, 'the token has ended');
  wallMs += 39_999;
  t.ok(auth.cached(long));
  wallMs += 1;
  t.equal(auth.cached(long), null, 'a minute has passed');
  t.equal(await auth.verify(`${long}x`), null);
  t.equal(auth.cached(`${long}x`), null, 'what failed is not remembered');
});

t.test('the issuer makes one private key and refuses one that others can read', async (t) => {
  const dir = join(t.testdir(), 'data');
  const first = openIssuer(dir);
  t.equal(statSync(join(dir, KEY_FILE)).mode & 0o777, 0o600);
  t.equal(statSync(dir).mode & 0o077, 0);
  const second = openIssuer(dir);
  t.equal(second.kid, first.kid);
  const token = await issueToken(first, { sub: 'bot', role: 'admin', accounts: [], ttlSeconds: 60 }, NOW_MS);
  t.match(await verifyToken(token, { issuer: second.id, keys: new Map([[second.kid, second.publicKey]]) }, NOW_MS), { role: 'admin' });
  for (const grant of [{ sub: 'a b' }, { role: 'root' }, { accounts: ['acc'] }, { ttlSeconds: 0 }, { ttlSeconds: 86_401 }, { ttlSeconds: 1.5 }]) {
    await t.rejects(issueToken(first, { sub: 'bot', role: 'admin', accounts: [], ttlSeconds: 60, ...grant } as never, NOW_MS), { name: 'IssuerError' });
  }
  chmodSync(join(dir, KEY_FILE), 0o640);
  t.throws(() => openIssuer(dir), { name: 'KeyFileError' });
  const linked = join(t.testdirName, 'linked');
  mkdirSync(linked);
  symlinkSync(join(dir, KEY_FILE), join(linked, KEY_FILE));
  t.throws(() => openIssuer(linked), { name: 'KeyFileError' });
  const broken = join(t.testdirName, 'broken');
  mkdirSync(broken);
  writeFileSync(join(broken, KEY_FILE), 'no key', { mode: 0o600 });
  t.throws(() => openIssuer(broken), { name: 'KeyFileError' });
});

t.test('the command prints the token and nothing else', async (t) => {
  const dir = t.testdir();
  const lines: string[] = [];
  const command = tokenCommand(() => dir, (line) => lines.push(line), () => NOW_MS);
  await command.parseAsync(['--role', 'strategy', '--sub', 'bot', '--account', 'ACC1', '--account', 'ACC2', '--ttl', '60'], { from: 'user' });
  t.equal(lines.length, 1);
  const own = openIssuer(dir);
  const principal = await verifyToken(lines[0]!, { issuer: own.id, keys: new Map([[own.kid, own.publicKey]]) }, NOW_MS);
  t.same([...(principal?.accounts ?? [])], ['ACC1', 'ACC2']);
  await t.rejects(makeToken({ role: 'strategy', sub: '../x', account: [], ttl: 60 }, dir, NOW_MS), { name: 'IssuerError' });
});

t.test('a person is issuer and sub without case; reach is by name', (t) => {
  t.equal(personOf('i', 'Ann'), personOf('I', 'aNN'));
  t.not(personOf('ia', 'b'), personOf('i', 'ab'));
  t.not(personOf('i', 'ſ'), personOf('i', 's'), 'only ASCII is folded');
  const principal = (role: Principal['role'], accounts: string[]): Principal =>
    ({ role, accounts: new Set(accounts), sub: 's', person: 'p', expiresAtMs: 0 });
  t.notOk(reaches(principal('strategy', []), 'ACC1'));
  t.ok(reaches(principal('risk_officer', []), 'ACC1'));
  t.notOk(reaches(principal('risk_officer', ['ACC2']), 'ACC1'));
  t.end();
});
