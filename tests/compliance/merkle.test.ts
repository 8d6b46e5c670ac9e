import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import * as merkle from '../../compliance/merkle.ts';
import { needsShared, shared } from '../shared.ts';

/** The definitions of RFC 6962 §2.1 as they stand there: slow and obvious. */
const split = (n: number): number => {
  let k = 1;
  while (k << 1 < n) k <<= 1;
  return k;
};
const rootOf = (d: readonly Buffer[]): Buffer => {
  if (d.length < 2) return d[0] ?? merkle.EMPTY_ROOT;
  const k = split(d.length);
  return hash('sha256', Buffer.concat([Buffer.from([1]), rootOf(d.slice(0, k)), rootOf(d.slice(k))]), 'buffer');
};
const pathOf = (m: number, d: readonly Buffer[]): Buffer[] => {
  if (d.length === 1) return [];
  const k = split(d.length);
  return m < k ? [...pathOf(m, d.slice(0, k)), rootOf(d.slice(k))] : [...pathOf(m - k, d.slice(k)), rootOf(d.slice(0, k))];
};
const subproofOf = (m: number, d: readonly Buffer[], whole: boolean): Buffer[] => {
  if (m === d.length) return whole ? [] : [rootOf(d)];
  const k = split(d.length);
  if (m <= k) return [...subproofOf(m, d.slice(0, k), whole), rootOf(d.slice(k))];
  return [...subproofOf(m - k, d.slice(k), false), rootOf(d.slice(0, k))];
};

const LEAVES = Array.from({ length: 1100 }, (_, i) => hash('sha256', `leaf ${String(i)}`, 'buffer'));
const treeOf = (size: number): merkle.TreeBuilder => {
  const tree = new merkle.TreeBuilder();
  for (const leaf of LEAVES.slice(0, size)) tree.add(leaf.toString('hex'));
  return tree;
};
/** Reads only what `neededLeaves` named, as production does. */
const readerFor = (tree: merkle.TreeBuilder, path: readonly merkle.Range[]): merkle.HashReader =>
  merkle.readerOf(tree, merkle.neededLeaves(path).map(({ from, to }) => ({ from, hashes: LEAVES.slice(from, to) })));
const proofOf = (tree: merkle.TreeBuilder, path: readonly merkle.Range[]): readonly Buffer[] => merkle.prove(path, readerFor(tree, path));

const WHOLE = treeOf(LEAVES.length);

t.test('roots of every size up to 300', (t) => {
  const tree = new merkle.TreeBuilder();
  t.same(tree.root(), merkle.EMPTY_ROOT);
  for (let size = 1; size <= 300; size++) {
    tree.add(LEAVES[size - 1]!.toString('hex'));
    if (!tree.root().equals(rootOf(LEAVES.slice(0, size)))) t.fail(`root of ${String(size)}`);
  }
  t.equal(tree.size, 300);
  t.end();
});

t.test('inclusion and consistency of every leaf, in every size up to 80 and around the blocks', (t) => {
  for (const size of [...Array.from({ length: 80 }, (_, i) => i + 1), 129, 256, 257, 300]) {
    const leaves = LEAVES.slice(0, size);
    const root = rootOf(leaves);
    let wrong = 0;
    for (let i = 0; i < size; i++) {
      const proof = proofOf(WHOLE, merkle.inclusionPath(i, size));
      if (!Buffer.concat(proof).equals(Buffer.concat(pathOf(i, leaves)))) wrong += 1;
      if (!merkle.verifyInclusion(i, size, LEAVES[i]!, proof, root)) wrong += 1;
      const old = i + 1;
      const consistency = proofOf(WHOLE, merkle.consistencyPath(old, size));
      if (!Buffer.concat(consistency).equals(Buffer.concat(subproofOf(old, leaves, true)))) wrong += 1;
      if (!merkle.verifyConsistency(old, size, rootOf(LEAVES.slice(0, old)), root, consistency)) wrong += 1;
    }
    t.equal(wrong, 0, `size ${String(size)}`);
  }
  t.end();
});

t.test('larger trees, read through blocks and at most two runs of leaves', (t) => {
  const sizes = fc.integer({ min: 1, max: LEAVES.length });
  fc.assert(fc.property(sizes, fc.nat(), (size, n) => {
    const leaves = LEAVES.slice(0, size);
    const seq = n % size;
    const inclusion = merkle.inclusionPath(seq, size);
    const consistency = merkle.consistencyPath(seq + 1, size);
    const root = [{ from: 0, to: size }];
    return [inclusion, consistency, root].every((path) => merkle.neededLeaves(path).length <= 2)
      && Buffer.concat(proofOf(WHOLE, inclusion)).equals(Buffer.concat(pathOf(seq, leaves)))
      && Buffer.concat(proofOf(WHOLE, consistency)).equals(Buffer.concat(subproofOf(seq + 1, leaves, true)))
      && proofOf(WHOLE, root)[0]!.equals(treeOf(size).root());
  }), { numRuns: 150 });
  t.end();
});

t.test('subtrees are there once they are complete', (t) => {
  t.same(WHOLE.node(10, 0), rootOf(LEAVES.slice(0, 1024)));
  t.throws(() => WHOLE.node(10, 1), RangeError);
  t.throws(() => merkle.readerOf(WHOLE, [{ from: 0, hashes: [] }]).leaves(0, 1), RangeError);
  t.end();
});

t.test('what cannot be proved is refused, and what cannot be true is false', (t) => {
  for (const [seq, size] of [[1, 1], [-1, 1], [0, 0], [0.5, 2], [0, Infinity], [0, 2 ** 60]] as const) {
    t.throws(() => merkle.inclusionPath(seq, size), RangeError);
    t.notOk(merkle.verifyInclusion(seq, size, LEAVES[0]!, [], LEAVES[0]!));
  }
  for (const [from, to] of [[0, 0], [0, 1], [2, 1], [-1, 1], [1, NaN]] as const) {
    t.throws(() => merkle.consistencyPath(from, to), RangeError);
    t.notOk(merkle.verifyConsistency(from, to, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, []));
  }
  t.notOk(merkle.verifyInclusion(0, 1, Buffer.alloc(31), [], Buffer.alloc(31)), 'hashes have 32 bytes');
  t.end();
});

t.test('a changed proof, leaf or root is false', (t) => {
  fc.assert(fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), (size, n, bit) => {
    const seq = n % size;
    const root = treeOf(size).root();
    const proof = proofOf(WHOLE, merkle.inclusionPath(seq, size));
    const flipped = Buffer.concat([LEAVES[seq]!, root, ...proof]);
    flipped[(bit >> 3) % flipped.length]! ^= 1 << (bit & 7);
    const [leaf, other, ...rest] = Array.from({ length: flipped.length / 32 }, (_, i) => flipped.subarray(32 * i, 32 * i + 32));
    return !merkle.verifyInclusion(seq, size, leaf!, rest, other!) && !merkle.verifyInclusion(seq, size, LEAVES[seq]!, proof.slice(1), root);
  }));
  t.end();
});

interface Vector {
  readonly desc: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
  readonly leafIdx: number; readonly treeSize: number; readonly root: string; readonly leafHash: string;
  readonly size1: number; readonly size2: number; readonly root1: string; readonly root2: string;
}
const bytes = (text: string | null): Buffer => Buffer.from(text ?? '', 'base64');

const VECTORS = 'realdata/audit/transparency-dev-merkle-testdata.tar.gz';
t.test('the vectors of transparency-dev/merkle', needsShared(VECTORS), (t) => {
  const names = execFileSync('tar', ['-tzf', shared(VECTORS)], { encoding: 'utf8' }).split('\n');
  const read = (name: string): Vector => JSON.parse(execFileSync('tar', ['-xzOf', shared(VECTORS), name], { encoding: 'utf8' })) as Vector;
  let count = 0;
  for (const name of names.filter((n) => /^testdata\/(inclusion|consistency)\/.*\.json$/.test(n))) {
    const v = read(name);
    const proof = (v.proof ?? []).map(bytes);
    const valid = name.includes('/inclusion/')
      ? merkle.verifyInclusion(v.leafIdx, v.treeSize, bytes(v.leafHash), proof, bytes(v.root))
      : merkle.verifyConsistency(v.size1, v.size2, bytes(v.root1), bytes(v.root2), proof);
    // One case calls a text of twelve bytes a root: we are stricter.
    const hashed = [v.root, v.root1, v.root2].every((root) => (root as string | undefined) === undefined || bytes(root).length === merkle.HASH_BYTES);
    if (valid !== (hashed && !v.wantErr)) t.fail(`${name}: ${v.desc}`);
    count += 1;
  }
  t.ok(count >= 196, `${String(count)} cases`);
  t.end();
});
