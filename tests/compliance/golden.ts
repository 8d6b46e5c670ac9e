/**
 * The golden log: records of every kind and version as they were once written, a file a kind and version, together one whole chain.
 * Nothing in it is ever edited: the fold must read it for as long as logs are kept.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { canonicalize, leafHash } from '../../compliance/canonical.ts';
import { dumpCompliance } from '../../compliance/dump.ts';
import { emptyState, fold, FOLD_VERSION, parseRecord, subjectOf, type State } from '../../compliance/fold.ts';
import { EMPTY_HEAD } from '../../compliance/recover.ts';
import { SYSTEM, VERSIONS, type RecordKind } from '../../compliance/records.ts';
import { seal, type Head } from '../../compliance/seal.ts';
import { dumpExecution } from '../../execution/dump.ts';
import type { Draft, Json } from '../../risk/domain/record.ts';
import { instant, NS_PER_MS, type Ns } from '../../risk/domain/time.ts';
import { dumpRisk } from '../../risk/dump.ts';

// Tests run from dist/tests/compliance; the files stay where they were written.
const FOLDER = fileURLToPath(new URL('../../../tests/compliance/golden/', import.meta.url));
const START = instant('2026-11-20T09:30:00Z');
export const GOLDEN_LOG = '901d901d901d901d';

export interface GoldenLine {
  readonly file: string;
  readonly seq: number;
  readonly canonical: string;
}

/** The records in the order of their seq. */
export function goldenLines(): readonly GoldenLine[] {
  return readdirSync(FOLDER).filter((file) => /\.v\d+\.json$/.test(file))
    .flatMap((file) => (JSON.parse(readFileSync(FOLDER + file, 'utf8')) as Json[]).map((record) => ({ file, seq: (record as { seq: number }).seq, canonical: canonicalize(record) })))
    .sort((a, b) => a.seq - b.seq);
}

export const fileOf = (kind: string, version: number): string => `${kind}.v${version}.json`;

/** Policies and universes by hash. */
const blobOf = (hash: string): string | null => (readdirSync(`${FOLDER}blobs`).includes(`${hash}.json`) ? readFileSync(`${FOLDER}blobs/${hash}.json`, 'utf8') : null);

export function foldGolden(lines: readonly GoldenLine[]): State {
  const state = emptyState();
  for (const { canonical } of lines) fold(state, parseRecord(canonical), blobOf);
  return state;
}

/** What the golden log folds to; the policy by its hashes, whose texts stand beside. */
export function summary({ risk, execution, compliance }: State): Json {
  const { policy, ...rest } = dumpRisk(risk) as { readonly [key: string]: Json };
  const { hash, universeHash } = policy as { readonly [key: string]: Json };
  return { compliance: dumpCompliance(compliance), execution: dumpExecution(execution), risk: { ...rest, policy: { hash: hash!, universeHash: universeHash! } } };
}

/** The summary as this version of the fold first gave it. */
const stateFile = `${FOLDER}folded/v${FOLD_VERSION}.json`;
export const expectedSummary = (): Json => JSON.parse(readFileSync(stateFile, 'utf8')) as Json;

export type GoldenDraft = Pick<Draft, 'kind' | 'body'> & Partial<Pick<Draft, 'actor' | 'cause' | 'v'>>;

/** Seals more records onto the golden log, a millisecond apart, and writes their files and the state anew. Nothing that stands there is changed. */
export function appendGolden(drafts: readonly GoldenDraft[]): void {
  const lines = [...goldenLines()];
  let head: Head = lines.reduce<Head>((_, { canonical, seq }) => ({ size: seq + 1, hash: leafHash(canonical), at: parseRecord(canonical).at }), { ...EMPTY_HEAD, at: START });
  for (const { kind, body, actor = SYSTEM, cause = null, v = VERSIONS[kind as RecordKind] } of drafts) {
    const at = (head.at + NS_PER_MS) as Ns;
    const { seq, canonical, hash } = seal(GOLDEN_LOG, head, at, [{ kind, v, actor, cause, body }], subjectOf).lines[0]!;
    head = { size: seq + 1, hash, at };
    lines.push({ file: fileOf(kind, v), seq, canonical });
  }
  const state = foldGolden(lines);
  for (const file of new Set(lines.map((line) => line.file))) {
    writeFileSync(FOLDER + file, `[\n${lines.filter((line) => line.file === file).map(({ canonical }) => canonical).join(',\n')}\n]\n`);
  }
  writeFileSync(stateFile, `${JSON.stringify(summary(state), null, 1)}\n`);
}
