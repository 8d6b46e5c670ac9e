/**
 * The Merkle tree of RFC 6962 over leaf hashes.
 *
 * Everything here rests on one notion: the hash of a range of leaves. A proof is a path, which is a list of ranges that depends on the
 * sizes alone; its hashes are those of the ranges. So it is known before anything is read which leaves a proof needs, and prover and
 * verifier walk the same path. Complete subtrees of level 8 and above stay in memory (64 bytes per 256 records), leaves in the store.
 */
import { hash } from 'node:crypto';

/** Leaves from ≤ i < to. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What a proof reads: leaf hashes of at most two blocks, and the roots of complete subtrees from level 8 upward. */
export interface HashReader {
  leaves(from: number, to: number): readonly Buffer[];
  /** Root of the leaves index·2^level … (index + 1)·2^level − 1; level ≥ BLOCK_LEVEL. */
  node(level: number, index: number): Buffer;
}

export const HASH_BYTES = 32;
const BLOCK_LEVEL = 8;
const BLOCK_LEAVES = 2 ** BLOCK_LEVEL;

/** The root of a tree without leaves. */
export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer');

/** 0x01 ‖ left ‖ right, of one node after the other. */
const NODE = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** SHA-256(0x01 ‖ left ‖ right), hex: a text of it costs half of what a buffer would. */
function nodeHex(left: string, right: string): string {
  NODE.write(left, 1, 'hex');
  NODE.write(right, 1 + HASH_BYTES, 'hex');
  return hash('sha256', NODE, 'hex');
}

const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex');
const nodeHash = (left: Buffer, right: Buffer): Buffer => bytesOf(nodeHex(left.toString('hex'), right.toString('hex')));

/** The tree as it grows: gives its root at any moment, and keeps what proofs of a log of millions need. Inside, hashes are hex. */
export class TreeBuilder {
  /** Roots of complete subtrees that are part of no larger one, by level; absent where the bit of the size is 0. */
  readonly #frontier: (string | undefined)[] = [];
  readonly #nodes: string[][] = [];
  #size = 0;

  /** Number of leaves. */
  get size(): number {
    return this.#size;
  }

  /** Appends a leaf hash, hex: binary addition, where a subtree meets its left neighbour of the same level and both become one of the next. */
  add(leaf: string): void {
    this.#size += 1;
    let carried = leaf;
    for (let level = 0; ; level++) {
      if (level >= BLOCK_LEVEL) (this.#nodes[level - BLOCK_LEVEL] ??= []).push(carried);
      const left = this.#frontier[level];
      this.#frontier[level] = left === undefined ? carried : undefined;
      if (left === undefined) return;
      carried = nodeHex(left, carried);
    }
  }

  /** The root of the tree as it stands. */
  root(): Buffer {
    let root: string | undefined;
    for (const peak of this.#frontier) if (peak !== undefined) root = root === undefined ? peak : nodeHex(peak, root);
    return root === undefined ? EMPTY_ROOT : bytesOf(root);
  }

  /** A complete subtree's root, as `HashReader` asks for it. Throws RangeError when the tree does not have it. */
  node(level: number, index: number): Buffer {
    const node = this.#nodes[level - BLOCK_LEVEL]?.[index];
    if (node === undefined) throw new RangeError('the tree has no such subtree');
    return bytesOf(node);
  }
}

/** The largest power of two below n, n ≥ 2: where RFC 6962 splits a tree. By multiplication: shifts end at 32 bits. */
function splitOf(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

/** The siblings on the way from leaf `seq` to the root of the first `size` leaves, nearest first. RangeError unless 0 ≤ seq < size. */
export function inclusionPath(seq: number, size: number): readonly Range[] {
  if (!isSize(seq) || !isSize(size) || seq >= size) throw new RangeError('inclusion needs 0 <= seq < size');
  const path: Range[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    path.push(seq < middle ? { from: middle, to } : { from, to: middle });
    if (seq < middle) to = middle;
    else from = middle;
  }
  return path.reverse();
}

/**
 * The subtrees that prove that the first `size` leaves begin with the first `oldSize`, nearest first. Where `oldSize` is one complete
 * subtree its root is the old root itself and is left out. RangeError unless 0 < oldSize ≤ size: every tree begins with the empty one.
 */
export function consistencyPath(oldSize: number, size: number): readonly Range[] {
  if (!isSize(oldSize) || !isSize(size) || oldSize === 0 || oldSize > size) throw new RangeError('consistency needs 0 < from <= to');
  const path: Range[] = [];
  let from = 0;
  let to = size;
  while (to !== oldSize) {
    const middle = from + splitOf(to - from);
    path.push(oldSize <= middle ? { from: middle, to } : { from, to: middle });
    if (oldSize <= middle) to = middle;
    else from = middle;
  }
  if (from > 0) path.push({ from, to });
  return path.reverse();
}

/** The leaves that hashing these ranges reads, as parts of blocks, ascending and apart: fetch them, then make a reader of them. */
export function neededLeaves(path: readonly Range[]): readonly Range[] {
  const byBlock = new Map<number, Range>();
  for (const { from, to } of path) {
    const start = to - ((to - from) % BLOCK_LEAVES);
    if (start === to) continue;
    const block = Math.floor(start / BLOCK_LEAVES);
    const known = byBlock.get(block);
    byBlock.set(block, { from: Math.min(start, known?.from ?? start), to: Math.max(to, known?.to ?? to) });
  }
  return [...byBlock.values()].sort((a, b) => a.from - b.from);
}

/** A reader over a tree's subtrees and the leaves fetched for `neededLeaves`. */
export function readerOf(tree: Pick<HashReader, 'node'>, pieces: readonly { readonly from: number; readonly hashes: readonly Buffer[] }[]): HashReader {
  return {
    node: (level, index) => tree.node(level, index),
    leaves(from, to) {
      const piece = pieces.find((p) => p.from <= from && to <= p.from + p.hashes.length);
      if (piece === undefined) throw new RangeError('leaves that were not fetched');
      return piece.hashes.slice(from - piece.from, to - piece.from);
    },
  };
}

/** The hash of a range that is a subtree: all of a path's ranges are, and so is `{from: 0, to: size}`, whose hash is the root. */
function hashRange(range: Range, read: HashReader): Buffer {
  const { from, to } = range;
  const n = to - from;
  if (n === 0) return EMPTY_ROOT;
  if (n < BLOCK_LEAVES) return hashLeaves(read.leaves(from, to));
  const k = splitOf(n);
  if (k * 2 === n) return read.node(Math.log2(n), from / n);
  return nodeHash(read.node(Math.log2(k), from / k), hashRange({ from: from + k, to }, read));
}

/** The hashes of a path: the proof. */
export function prove(path: readonly Range[], read: HashReader): readonly Buffer[] {
  return path.map((range) => hashRange(range, read));
}

function hashLeaves(leaves: readonly Buffer[]): Buffer {
  const tree = new TreeBuilder();
  for (const leaf of leaves) tree.add(leaf.toString('hex'));
  return tree.root();
}

/** Whether `proof` shows that `leaf` stands at `seq` in the tree of `size` leaves with this root (RFC 9162 §2.1.3.2). Never throws. */
export function verifyInclusion(seq: number, size: number, leaf: Buffer, proof: readonly Buffer[], root: Buffer): boolean {
  if (!isSize(seq) || !isSize(size) || seq >= size || !areHashes([leaf, root, ...proof])) return false;
  const path = inclusionPath(seq, size);
  if (path.length !== proof.length) return false;
  let node = leaf;
  for (const [i, sibling] of proof.entries()) node = (path[i] as Range).from > seq ? nodeHash(node, sibling) : nodeHash(sibling, node);
  return node.equals(root);
}

/**
 * Whether `proof` shows that the tree of `size` leaves begins with the tree of `oldSize` leaves (RFC 9162 §2.1.4.2). False for
 * `oldSize` 0: that every tree begins with the empty one proves nothing. Never throws.
 */
export function verifyConsistency(oldSize: number, size: number, oldRoot: Buffer, root: Buffer, proof: readonly Buffer[]): boolean {
  if (!isSize(oldSize) || !isSize(size) || oldSize === 0 || oldSize > size || !areHashes([oldRoot, root, ...proof])) return false;
  const path = consistencyPath(oldSize, size);
  if (path.length !== proof.length) return false;
  const seeded = path[0]?.to === oldSize && path[0].from > 0;
  let before = seeded ? (proof[0] as Buffer) : oldRoot;
  let after = before;
  for (let i = seeded ? 1 : 0; i < path.length; i++) {
    const sibling = proof[i] as Buffer;
    if ((path[i] as Range).from >= oldSize) after = nodeHash(after, sibling);
    else {
      before = nodeHash(sibling, before);
      after = nodeHash(sibling, after);
    }
  }
  return before.equals(oldRoot) && after.equals(root);
}

const areHashes = (hashes: readonly Buffer[]): boolean => hashes.every((h) => h.length === HASH_BYTES);
