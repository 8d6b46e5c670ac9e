/**
 * The demonstration strategy: a client like any other, over HTTP and with a token of its own. It posts a target every few seconds and
 * says in one line what became of it, so that a newcomer sees decisions, fills and shortfall without doing anything.
 */
import type { Timers } from '../execution/time.ts';
import { formatInstant, plusMs } from '../risk/domain/time.ts';

export interface DemoPorts {
  readonly url: string;
  /** A token that is good now. */
  readonly token: () => Promise<string>;
  /** The gateway's clock: `asOf` follows it. */
  readonly timers: Timers;
  readonly say: (line: string) => void;
  /** One line that says how far the log is verified, from its own records. */
  readonly verified: () => Promise<string>;
}

const HORIZON_SECONDS = 4;
const EVERY_MS = 6_000;
type Book = readonly (readonly [symbol: string, weight: string])[];
/** First a book, then one that asks for too much; after that only what settles at once moves, and ever more seldom: the day's limits last. */
const OPENING: readonly Book[] = [
  [['SPY', '0.10'], ['BAC', '0.05'], ['IBM', '-0.04'], ['BTC-USD', '0.02']],
  [['SPY', '0.30'], ['BAC', '0.05'], ['IBM', '-0.04'], ['BTC-USD', '0.03']],
];
const AFTERWARDS: readonly Book[] = [[['BTC-USD', '0.02'], ['ETH-USD', '0.02']], [['BTC-USD', '0.03'], ['ETH-USD', '0.01']]];
const bookOf = (round: number): Book => OPENING[round] ?? AFTERWARDS[round % AFTERWARDS.length] ?? [];
const SELDOM_MS = 600_000;
const waitMs = (round: number): number => Math.min(EVERY_MS * 2 ** Math.max(0, round - OPENING.length), SELDOM_MS);

interface Decided {
  readonly decision?: string;
  readonly legs?: readonly { readonly symbol: string; readonly verdicts: readonly { readonly code: string; readonly outcome: string }[] }[];
  readonly code?: string;
}
interface Progress {
  readonly decision: string;
  readonly parents: readonly {
    readonly symbol: string; readonly orderQty: string; readonly cumQty: string; readonly shortfall: { readonly bps: number | null } | null;
  }[];
}

export function startDemo(ports: DemoPorts): { stop(): void } {
  let stopped = false;
  let round = 0;
  const failed = (error: unknown): void => { ports.say(`demo: ${String(error)}`); };
  const next = (): void => {
    if (stopped) return;
    const id = `DEMO-${String(ports.timers.now() / 1_000_000n)}`;
    submit(ports, id, bookOf(round)).then(
      () => {
        ports.timers.at(plusMs(ports.timers.now(), HORIZON_SECONDS * 1000 + 500), () => { report(ports, id).catch(failed); });
      },
      failed,
    );
    ports.timers.at(plusMs(ports.timers.now(), waitMs(round++)), next);
  };
  next();
  return { stop: () => { stopped = true; } };
}

async function submit({ url, token, timers, say }: DemoPorts, targetId: string, book: Book): Promise<void> {
  const target = {
    targetId, account: 'ACC1', strategy: 'alpha-1', asOf: formatInstant(timers.now()), basis: 'weight', mode: 'clip', scope: 'listed',
    horizonSeconds: HORIZON_SECONDS, legs: book.map(([symbol, weight]) => ({ symbol, target: weight })),
  };
  const answer = await fetch(`${url}/v1/targets`, {
    method: 'POST', headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' }, body: JSON.stringify(target),
  });
  const decided = (await answer.json()) as Decided;
  const clips = [...new Set((decided.legs ?? []).flatMap((leg) => leg.verdicts.filter((v) => v.outcome !== 'pass').map((v) => `${leg.symbol} by ${v.code}`)))];
  say(`demo: target ${targetId}: ${decided.decision ?? decided.code ?? String(answer.status)}${clips.length === 0 ? '' : ` (${clips.join(', ')})`}`);
}

async function report({ url, token, say, verified }: DemoPorts, targetId: string): Promise<void> {
  const answer = await fetch(`${url}/v1/targets/${targetId}`, { headers: { authorization: `Bearer ${await token()}` } });
  if (!answer.ok) return;
  say(`demo: ${filledOf(targetId, (await answer.json()) as Progress)}${await verified()}`);
}

/** Nothing of a target that was denied; a cost only of what was filled: the shortfall of a parent without fills is of what it missed. */
function filledOf(targetId: string, { decision, parents }: Progress): string {
  if (decision === 'denied') return '';
  const costOf = (bps: number | null | undefined): string => (bps === null || bps === undefined ? '' : ` at ${bps.toFixed(1)} bps`);
  const worked = parents.map(({ symbol, cumQty, orderQty, shortfall }) => `${symbol} ${cumQty}/${orderQty}${cumQty === '0' ? '' : costOf(shortfall?.bps)}`);
  return `target ${targetId}: ${worked.length === 0 ? 'nothing to do' : `filled ${worked.join(', ')}`}; `;
}
