/** Records, checkpoint and proofs in API form. */
import { parseRecord } from '../../compliance/fold.ts';
import type { LogStore, StoredRecord } from '../../compliance/journal.ts';
import { problem } from '../http/errors.ts';
import type { Answer, RecordQuery, Service } from '../http/service.ts';
import type { Transparency } from '../transparency.ts';

type Audit = Pick<Service, 'auditRecords' | 'auditCheckpoint' | 'auditKey' | 'inclusionProof' | 'consistencyProof'>;

/** A filtered page reads at most so many records: the answer may then be empty, and `next` says where to go on. */
const SCAN_MAX = 20_000;
const PAGE = 2_000;

export function auditService(store: LogStore, transparency: Transparency): Audit {
  return {
    auditRecords: async (_, query) => ({ status: 200, body: await page(store, query, transparency.size) }),
    auditCheckpoint: () => Promise.resolve(checkpoint(transparency)),
    auditKey: () => Promise.resolve({ status: 200, body: `${transparency.verifierKey}\n` }),
    inclusionProof: (_, seq, size) => proof(async () => ({ seq, size, hashes: await transparency.inclusion(seq, size) })),
    consistencyProof: (_, from, to) => proof(async () => ({ from, to, hashes: await transparency.consistency(from, to) })),
  };
}

const checkpoint = ({ checkpoint: note }: Transparency): Answer =>
  (note === '' ? problem('NOT_FOUND', 'No checkpoint has been published yet') : { status: 200, body: note });

async function proof(prove: () => Promise<unknown>): Promise<Answer> {
  try {
    return { status: 200, body: await prove() };
  } catch (error) {
    if (error instanceof RangeError) return problem('INVALID_BODY', 'The numbers are not within the tree');
    throw error;
  }
}

/** `size`: durable records. A page that ends with the last of them is the last. */
async function page(store: LogStore, query: RecordQuery, size: number): Promise<{ items: { canonical: string; hash: string }[]; next: number | null }> {
  const items: { canonical: string; hash: string }[] = [];
  const plain = query.kind === undefined && query.account === undefined && query.clOrdId === undefined;
  const scanEnd = query.after + 1 + (plain ? query.limit : SCAN_MAX);
  let from = query.after + 1;
  while (from < scanEnd) {
    const read = await store.read(from, Math.min(plain ? query.limit : PAGE, scanEnd - from));
    for (const stored of read) {
      from = stored.seq + 1;
      if (plain || matches(stored, query)) items.push({ canonical: stored.canonical, hash: stored.hash });
      if (items.length === query.limit) return { items, next: from < size ? from - 1 : null };
    }
    if (read.length === 0) return { items, next: null };
  }
  return { items, next: from < size ? from - 1 : null };
}

function matches(stored: StoredRecord, { kind, account, clOrdId }: RecordQuery): boolean {
  const record = parseRecord(stored.canonical);
  const body = record.body as { readonly account?: unknown; readonly clOrdId?: unknown };
  return (kind === undefined || record.kind === kind) && (account === undefined || body.account === account) && (clOrdId === undefined || body.clOrdId === clOrdId);
}
