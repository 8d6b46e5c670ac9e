import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { canonicalRecord, leafHash } from '../../compliance/canonical.ts';
import { ChainVerifier, openForChain } from '../../compliance/chain.ts';
import type { ChainLine, ChainStart, Fault } from '../../compliance/chain.ts';
import { originOf, signCheckpoint } from '../../compliance/checkpoint.ts';
import type { Checkpoint } from '../../compliance/checkpoint.ts';
import { TreeBuilder } from '../../compliance/merkle.ts';
import { verifierOf } from '../../compliance/note.ts';
import { NO_HASH } from '../../compliance/seal.ts';
import { formatInstant } from '../../risk/domain/time.ts';
import type { Ns } from '../../risk/domain/time.ts';

interface Change {
  readonly seq?: number; readonly log?: string; readonly prev?: string; readonly at?: string;
}
/** A log of n records, in which the record at `where` is changed before it is hashed: a forger who chains on. */
const logOf = (n: number, where = -1, change: Change = {}, body = '{"x":"é"}'): Required<ChainLine>[] => {
  const lines: Required<ChainLine>[] = [];
  let prev = NO_HASH;
  for (let seq = 0; seq < n; seq++) {
    const at = formatInstant(BigInt(1_700_000_000_000_000_000 + Math.floor(seq / 2)) as Ns);
    const actor = { id: 'a', role: 'system' as const };
    const envelope = { actor, at, cause: null, kind: 'a.b', log: 'L', prev, seq, v: 1, ...(seq === where ? change : {}) };
    const { canonical } = canonicalRecord(envelope, body);
    prev = leafHash(canonical);
    lines.push({ canonical, hash: prev });
  }
  return lines;
};
const verify = (lines: readonly ChainLine[], start?: ChainStart, checkpoints: readonly Checkpoint[] = []): { chain: ChainVerifier; fault: Fault | null } => {
  const chain = new ChainVerifier(start, checkpoints);
  for (const line of lines) chain.add(line);
  return { chain, fault: chain.finish() };
};
const faultOf = (lines: readonly ChainLine[], start?: ChainStart): string => {
  const { fault } = verify(lines, start);
  return fault === null ? 'none' : `${String(fault.seq)} ${fault.code}`;
};

t.test('a log that holds: its size, head and root; from the middle too', (t) => {
  const lines = logOf(9);
  const { chain, fault } = verify(lines);
  t.equal(fault, null);
  t.equal(chain.size, 9);
  t.equal(chain.log, 'L');
  t.equal(chain.head, lines[8]!.hash);
  const tree = new TreeBuilder();
  for (const { hash } of lines.slice(0, 4)) tree.add(hash);
  const rest = verify(lines.slice(4), { tree, head: lines[3]!.hash, log: 'L', at: '' });
  t.equal(rest.fault, null);
  t.same(rest.chain.root(), chain.root());
  t.equal(faultOf(lines.map(({ canonical }) => ({ canonical }))), 'none', 'hashes are optional');
  t.equal(faultOf([]), 'none');
  t.end();
});

t.test('every code, at the record that bears it', (t) => {
  const lines = logOf(6);
  const at = (seq: number): string => lines[seq]!.canonical;
  const replace = (seq: number, canonical: string): ChainLine[] => lines.map((line, i) => (i === seq ? { canonical } : line));
  t.equal(faultOf(replace(2, at(2).replace('"a.b"', '"a.c"'))), '3 PREV_MISMATCH', 'without a stored hash the next record tells');
  t.equal(faultOf(lines.filter((_, i) => i !== 2)), '2 GAP', 'a record left out');
  t.equal(faultOf([...lines.slice(0, 3), lines[2]!, ...lines.slice(3)]), '3 GAP', 'a record twice');
  t.equal(faultOf(lines.slice(1)), '0 GAP', 'the first left out');
  t.equal(faultOf(lines.with(3, { ...lines[3]!, hash: lines[2]!.hash })), '3 HASH_MISMATCH');
  t.equal(faultOf(logOf(6, 4, { log: 'M' })), '4 LOG_MISMATCH');
  t.equal(faultOf(lines, { tree: new TreeBuilder(), head: NO_HASH, log: 'M', at: '' }), '0 LOG_MISMATCH');
  t.equal(faultOf(logOf(6, 2, { seq: 3 })), '2 GAP');
  t.equal(faultOf(logOf(6, 2, { prev: NO_HASH })), '2 PREV_MISMATCH');
  t.equal(faultOf(logOf(6, 5, { at: '2001-01-01T00:00:00.000000000Z' })), '5 TIME_BACKWARDS');
  t.equal(faultOf(logOf(1, -1, {}, `{"x":"${'y'.repeat(65_535)}"}`)), '0 TOO_LARGE');
  t.end();
});

t.test('any form but the canonical one is refused', (t) => {
  const good = logOf(1)[0]!.canonical;
  const hostile = [
    '', 'null', '[]', '{}', ` ${good}`, `${good}\n`, `\ufeff${good}`, good.replace(':', ': '), good.replace('"v":1', '"v":1.0'),
    good.replace('"v":1', '"v":1,"v":1'),
    good.replace('"v":1', '"v":1,"w":1'), good.replace('"v":1', '"v":-0'), good.replace('é', '\\u00e9'), good.replace('é', '\ud800'),
    good.replace(',"v":1', ''),
    good.replace('"id":"a"', '"id":"a","x":1'), good.replace('"cause":null', '"cause":-1'), good.replace('"body":{"x":"é"}', '"body":[]'),
    good.replace('a.b', 'a'),
    good.replace('000000000Z', '000Z'), good.replace('"seq":0', '"seq":"0"'), good.replace('"role":"system"', '"role":""'), good.replace('00"', '0G"'),
  ];
  for (const canonical of hostile) t.equal(faultOf([{ canonical }]), '0 NOT_CANONICAL', JSON.stringify(canonical.slice(0, 60)));
  t.end();
});

t.test('any flipped bit breaks the chain at that record', (t) => {
  const lines = logOf(8);
  fc.assert(fc.property(fc.nat(7), fc.nat(), fc.nat(7), (seq, n, bit) => {
    const bytes = Buffer.from(lines[seq]!.canonical);
    bytes[n % bytes.length]! ^= 1 << bit;
    const { fault } = verify(lines.with(seq, { ...lines[seq]!, canonical: bytes.toString() }));
    return fault?.seq === seq && fault.code === 'HASH_MISMATCH';
  }), { numRuns: 500 });
  t.end();
});

t.test('the first fault stays, and what follows is not taken', (t) => {
  const lines = logOf(4);
  const { chain, fault } = verify([lines[0]!, lines[2]!, lines[1]!, lines[2]!]);
  t.match(fault, { seq: 1, code: 'GAP' });
  t.equal(chain.size, 1);
  t.equal(chain.fault, fault);
  t.end();
});

t.test('checkpoints are compared as their sizes are reached', (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const verifier = verifierOf(originOf('L'), publicKey);
  const lines = logOf(7);
  const at = (size: number): Checkpoint => ({ log: 'L', size, root: verify(lines.slice(0, size)).chain.root() });
  const check = (...points: Checkpoint[]): string => {
    const { fault } = verify(lines, undefined, points);
    return fault === null ? 'none' : `${String(fault.seq)} ${fault.code}`;
  };
  t.equal(check(at(7), at(0), at(3)), 'none');
  t.equal(check(at(3), { ...at(5), root: at(4).root }), '5 CHECKPOINT_MISMATCH');
  t.equal(check({ ...at(7), size: 8 }), '7 CHECKPOINT_MISMATCH', 'a log cut short');
  t.equal(check({ ...at(0), root: at(1).root }), '0 CHECKPOINT_MISMATCH');
  t.equal(check({ ...at(3), log: 'M' }), '3 LOG_MISMATCH');
  const note = signCheckpoint(at(7), privateKey);
  t.same(openForChain(note, verifier), at(7));
  t.match(openForChain(note.replace('\n7\n', '\n6\n'), verifier), { code: 'SIGNATURE' });
  t.end();
});
