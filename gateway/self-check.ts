import { ChainVerifier } from '../compliance/chain.ts';
import type { LogStore } from '../compliance/journal.ts';

/** Records that are verified in one turn: the demonstration must not keep a kill waiting. */
const PAGE = 500;

/** Verifies the stored log as a stranger would, going on from where it last stopped; one line says the result. One call after the other. */
export function selfCheck(store: LogStore): () => Promise<string> {
  const chain = new ChainVerifier();
  let last: Promise<unknown> = Promise.resolve();
  const check = async (): Promise<string> => {
    for (;;) {
      const page = await store.read(chain.size, PAGE);
      for (const line of page) {
        const fault = chain.add(line);
        if (fault !== null) return `log broken at seq ${String(fault.seq)}: ${fault.code}`;
      }
      if (page.length < PAGE) return `log verified: ${String(chain.size)} records, head ${chain.head.slice(0, 12)}…`;
    }
  };
  return () => {
    const next = last.then(check);
    last = next.catch(() => undefined); // told to whoever asked for it
    return next;
  };
}
