/**
 * Verifies a whole log: from a running gateway, or from a file of its records. Reads as a stranger does, with nothing but the chain,
 * the tree and the checkpoint.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { ChainVerifier, genesis, openForChain, type ChainLine, type Fault } from './chain.ts';
import { misfiling } from './filed.ts';
import { parseVerifierKey, type Verifier } from './note.ts';
import { NO_HASH } from './seal.ts';
import type { LogReads } from './store.ts';

export interface Verification {
  readonly size: number;
  /** Hash of the last record that holds, hex. */
  readonly head: string;
  /** Records that a checkpoint signed by a pinned key proves; without a pinned key, consistency only. */
  readonly proven: number;
  readonly pinned: boolean;
  /** Whether a checkpoint came with the records: a file has none, and no key proves anything without one. */
  readonly checkpoint: boolean;
  readonly fault: Fault | null;
}

/** Where records and the checkpoint come from. */
export interface Evidence {
  /** `misfiled`: how a database finds the line by other words than its text has. */
  lines(): AsyncIterable<ChainLine & { readonly misfiled?: string }>;
  /** A signed note and the verifier key that the source itself names; null where there is none. */
  checkpoint(): Promise<{ readonly note: string; readonly key: string } | null>;
}

/** Recomputes every hash, link and the tree, and names the first fault. `key` is the verifier key that the caller trusts. */
export async function verifyEvidence(evidence: Evidence, key: string | null): Promise<Verification> {
  const published = await evidence.checkpoint();
  const verifier = verifierFor(key ?? published?.key ?? null);
  const opened = published === null || verifier === null ? null : openForChain(published.note, verifier);
  const trust = { pinned: key !== null, checkpoint: published !== null };
  if (opened !== null && 'code' in opened) return { size: 0, head: NO_HASH, proven: 0, ...trust, fault: opened };
  const chain = new ChainVerifier(genesis(), opened === null ? [] : [opened]);
  let misfiled: Fault | null = null;
  for await (const line of evidence.lines()) {
    if (chain.add(line) !== null) break;
    if (line.misfiled !== undefined) misfiled = { seq: chain.size - 1, code: 'MISFILED', detail: line.misfiled };
    if (misfiled !== null) break;
  }
  const fault = misfiled ?? chain.finish();
  return { size: chain.size, head: chain.head, proven: fault === null ? (opened?.size ?? 0) : 0, ...trust, fault };
}

function verifierFor(key: string | null): Verifier | null {
  if (key === null) return null;
  const verifier = parseVerifierKey(key.trim());
  if (verifier === null) throw new Error('the key is no C2SP verifier key');
  return verifier;
}

/** A file with one canonical record a line, as `/v1/audit/records` gives them. */
export function evidenceInFile(path: string): Evidence {
  return {
    checkpoint: () => Promise.resolve(null),
    async *lines() {
      for await (const canonical of createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })) yield { canonical };
    },
  };
}

const PAGE = 1_000;

/** A log in its database, with the checkpoint that lies beside it. */
export function evidenceInStore(store: Pick<LogReads, 'filed'>, published: Awaited<ReturnType<Evidence['checkpoint']>>): Evidence {
  return {
    checkpoint: () => Promise.resolve(published),
    async *lines() {
      for (let from = 0; ;) {
        const page = await store.filed(from, PAGE);
        for (const row of page) {
          const misfiled = misfiling(row);
          yield { canonical: row.canonical, hash: row.hash, ...(misfiled === null ? {} : { misfiled }) };
        }
        if (page.length < PAGE) return;
        from += page.length;
      }
    },
  };
}

/** A running gateway, read through its audit routes. */
export function evidenceAt(url: string, token: string): Evidence {
  const get = async (path: string): Promise<Response> => {
    const answer = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}` }, redirect: 'error' });
    if (!answer.ok) throw new Error(`the gateway answered ${String(answer.status)} to ${path.split('?')[0] ?? path}`);
    return answer;
  };
  return {
    async checkpoint() {
      const answer = await fetch(new URL('/v1/audit/checkpoint', url), { headers: { authorization: `Bearer ${token}` }, redirect: 'error' });
      if (answer.status === 404) return null;
      if (!answer.ok) throw new Error(`the gateway answered ${String(answer.status)} to /v1/audit/checkpoint`);
      return { note: await answer.text(), key: await (await get('/v1/audit/key')).text() };
    },
    async *lines() {
      for (let after = -1; ;) {
        const page = (await (await get(`/v1/audit/records?after=${String(after)}&limit=${String(PAGE)}`)).json()) as { items: ChainLine[]; next: number | null };
        yield* page.items;
        if (page.next === null) return;
        after = page.next;
      }
    },
  };
}
