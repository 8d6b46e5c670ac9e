/** Records, checkpoint and proofs in API form. */
import { parseRecord } from '../../compliance/fold.ts';
import type { LogStore, StoredRecord } from '../../compliance/journal.ts';
import type { LogRecord } from '../../risk/domain/record.ts';
import { reachesAll } from '../auth/principal.ts';
import { seesRecord } from '../auth/sight.ts';
import { accountOfStrategy, policyInForce, type House } from '../house.ts';
import { problem } from '../http/errors.ts';
import type { Answer, RecordQuery, Service } from '../http/service.ts';
import type { Transparency } from '../transparency.ts';

type Audit = Pick<Service, 'auditRecords' | 'auditCheckpoint' | 'auditKey' | 'inclusionProof' | 'consistencyProof'>;

/** So much of the log one question to the database goes over: some tenths of a second of its time. */
const SPAN = 200_000;
/** Records read at once where not all of them are wanted. */
const PAGE = 1_000;

export function auditService(house: House, store: LogStore, transparency: Transparency): Audit {
  const accountOf = (strategy: string): string | null => accountOfStrategy(policyInForce(house), strategy);
  return {
    auditRecords: async (principal, query) => {
      const isWhole = reachesAll(principal) && textsOf(query).length === 0;
      const isWanted = (stored: StoredRecord): boolean => {
        const record = parseRecord(stored.canonical);
        return matches(record, query) && seesRecord(principal, record, accountOf);
      };
      return { status: 200, body: await page(store, query, transparency.size, isWhole ? null : isWanted) };
    },
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

/** `size`: durable records. A page that ends with the last of them is the last. A filter is asked of the database, and then of the record; null: none. */
async function page(
  store: LogStore, query: RecordQuery, size: number, isWanted: ((stored: StoredRecord) => boolean) | null,
): Promise<{ items: { canonical: string; hash: string }[]; next: number | null }> {
  const items: { canonical: string; hash: string }[] = [];
  const texts = textsOf(query);
  const asked = isWanted === null ? query.limit : PAGE;
  for (let from = query.after + 1; from < size;) {
    const to = Math.min(size, from + SPAN);
    const found = await store.search(from, to, texts, asked);
    for (const stored of found) {
      from = stored.seq + 1;
      if (isWanted?.(stored) !== false) items.push({ canonical: stored.canonical, hash: stored.hash });
      if (items.length === query.limit) return { items, next: from < size ? from - 1 : null };
    }
    if (found.length < asked) from = to;
  }
  return { items, next: null };
}

/** What a record that matches has in its text, as it stands there; others may have it elsewhere in theirs. */
function textsOf({ kind, account, clOrdId }: RecordQuery): string[] {
  const wanted = Object.entries({ kind, account, clOrdId });
  return wanted.flatMap(([name, value]) => (value === undefined ? [] : [`"${name}":"${value}"`]));
}

function matches(record: LogRecord, { kind, account, clOrdId }: RecordQuery): boolean {
  const body = record.body as { readonly account?: unknown; readonly clOrdId?: unknown };
  return (kind === undefined || record.kind === kind) && (account === undefined || body.account === account) && (clOrdId === undefined || body.clOrdId === clOrdId);
}
