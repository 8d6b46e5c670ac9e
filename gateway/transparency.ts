/**
 * The log as a tree: leaves as records become durable, a signed checkpoint every second in which records came, and proofs.
 * The newest checkpoint also lies outside the database, so that a database put back to an older day is found out at the start.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { openCheckpoint, originOf, signCheckpoint } from '../compliance/checkpoint.ts';
import type { LogStore } from '../compliance/journal.ts';
import { consistencyPath, inclusionPath, neededLeaves, prove, readerOf, TreeBuilder, type Range } from '../compliance/merkle.ts';
import { formatVerifierKey, verifierOf } from '../compliance/note.ts';

/** The database holds less than, or something else than, what was published: it is never signed. */
export class ShrunkenLogError extends Error {
  readonly code = 'LOG_BEHIND_CHECKPOINT';
}

/** An older copy of the database is the likeliest reason. */
const WAY_ON = '; bring back the database that it was, or begin a new log that names this one with `portcullis log fork`';
const PAGE = 65_536;
/** A checkpoint is kept before it is a record, so where there is a record there is a file. */
const PUBLISHED = '"kind":"checkpoint.published"';

export class Transparency {
  readonly #log: string;
  readonly #store: LogStore;
  readonly #file: string;
  readonly #key: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  readonly #tree = new TreeBuilder();
  /** The checkpoint last published: a signed note. */
  #note = '';
  #noteSize = 0;

  constructor(log: string, store: LogStore, dataDir: string, key: { readonly privateKey: KeyObject; readonly publicKey: KeyObject }) {
    this.#log = log;
    this.#store = store;
    this.#file = join(dataDir, 'checkpoint');
    this.#key = key;
  }

  /** The C2SP verifier key of the log. */
  get verifierKey(): string {
    return formatVerifierKey(verifierOf(originOf(this.#log), this.#key.publicKey));
  }

  /** The newest signed checkpoint. */
  get checkpoint(): string {
    return this.#note;
  }

  get size(): number {
    return this.#tree.size;
  }

  /** Builds the tree from the stored hashes. Throws ShrunkenLogError when what was published is not a prefix of it, or is gone. */
  async load(size: number): Promise<void> {
    const published = this.#published();
    if (published === null && (await this.#store.search(0, size, [PUBLISHED], 1)).length > 0) {
      throw new ShrunkenLogError(`the log says that checkpoints were published, and ${this.#file} is not there: bring it back${WAY_ON}`);
    }
    for (let from = 0; from < size; from += PAGE) {
      for (const leaf of await this.#store.hashes(from, Math.min(size, from + PAGE))) {
        if (this.#tree.size === published?.size) this.#compare(published.root);
        this.#tree.add(leaf.toString('hex'));
      }
    }
    if (published === null) return;
    if (published.size > this.#tree.size) throw new ShrunkenLogError(`the log has ${String(size)} records, and ${String(published.size)} were published${WAY_ON}`);
    if (this.#tree.size === published.size) this.#compare(published.root);
  }

  /** Appends the leaf of a record that has become durable; in the order of their seq. */
  add(hash: string): void {
    this.#tree.add(hash);
  }

  /**
   * Signs and publishes the tree as it stands; null when it has not grown. A crash before the rename leaves the older checkpoint, and so
   * does an error of the disk: what is not kept outside the database is not published.
   */
  publish(): { readonly size: number; readonly root: string } | null {
    if (this.#tree.size === this.#noteSize) return null;
    const root = this.#tree.root();
    const note = signCheckpoint({ log: this.#log, size: this.#tree.size, root }, this.#key.privateKey);
    writeFileSync(`${this.#file}.new`, note, { mode: 0o600, flush: true });
    renameSync(`${this.#file}.new`, this.#file);
    this.#note = note;
    this.#noteSize = this.#tree.size;
    return { size: this.#tree.size, root: root.toString('base64') };
  }

  /** RangeError unless seq < size ≤ the tree. */
  async inclusion(seq: number, size: number): Promise<readonly string[]> {
    if (size > this.#tree.size) throw new RangeError('the tree is smaller than this');
    return this.#prove(inclusionPath(seq, size));
  }

  /** RangeError unless 0 < from ≤ to ≤ the tree. */
  async consistency(from: number, to: number): Promise<readonly string[]> {
    if (to > this.#tree.size) throw new RangeError('the tree is smaller than this');
    return this.#prove(consistencyPath(from, to));
  }

  async #prove(path: readonly Range[]): Promise<readonly string[]> {
    const pieces = await Promise.all(neededLeaves(path).map(async ({ from, to }) => ({ from, hashes: await this.#store.hashes(from, to) })));
    return prove(path, readerOf(this.#tree, pieces)).map((hash) => hash.toString('base64'));
  }

  #published(): { readonly size: number; readonly root: Buffer } | null {
    let note: string;
    try {
      note = readFileSync(this.#file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    const checkpoint = openCheckpoint(note, verifierOf(originOf(this.#log), this.#key.publicKey));
    if (checkpoint === null) throw new ShrunkenLogError(`the published checkpoint is not of this log and key${WAY_ON}`);
    this.#note = note;
    this.#noteSize = checkpoint.size;
    return checkpoint;
  }

  #compare(root: Buffer): void {
    if (!this.#tree.root().equals(root)) throw new ShrunkenLogError(`the log does not contain what was published${WAY_ON}`);
  }
}
