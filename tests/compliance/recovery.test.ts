/** Recovery: whatever the log holds and wherever it stopped, a snapshot and the records after it give what all records give. */
import { hash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { emptyState, FOLD_VERSION, subjectOf } from '../../compliance/fold.ts';
import type { StoredLine } from '../../compliance/journal.ts';
import { EMPTY_HEAD, foldStored, recoverState } from '../../compliance/recover.ts';
import { draft, SYSTEM } from '../../compliance/records.ts';
import { seal, type Head } from '../../compliance/seal.ts';
import { formatSnapshot, parseSnapshot } from '../../compliance/snapshot.ts';
import { instant } from '../../risk/domain/time.ts';
import { foldAll, histories, logOf, readsOf } from './chronicle.ts';

const RUNS = process.env['DEPTH'] === 'long' ? 2_000 : 120;

const headOf = (lines: readonly StoredLine[]): Head => {
  const line = lines.at(-1);
  return line === undefined ? EMPTY_HEAD : { size: line.seq + 1, hash: line.hash, at: instant((JSON.parse(line.canonical) as { at: string }).at) };
};
const textOf = (lines: readonly StoredLine[]): string => formatSnapshot({ state: foldAll(emptyState(), lines), head: headOf(lines) });

t.test('a crash after any record: snapshot and tail give what all records give', async (t) => {
  await fc.assert(fc.asyncProperty(histories(60), fc.nat(), async (history, n) => {
    const lines = logOf(history);
    const cut = n % (lines.length + 1);
    const { state, head } = parseSnapshot(textOf(lines.slice(0, cut)));
    const end = await foldStored(readsOf(lines), state, head);
    t.equal(formatSnapshot({ state, head: end }), textOf(lines));
  }), { numRuns: RUNS });
});

t.test('a snapshot of a snapshot: however often it was put down and picked up', async (t) => {
  await fc.assert(fc.asyncProperty(histories(60), fc.integer({ min: 1, max: 7 }), async (history, step) => {
    const lines = logOf(history);
    let text = formatSnapshot({ state: emptyState(), head: EMPTY_HEAD });
    for (let until = step; until < lines.length + step; until += step) {
      const { state, head } = parseSnapshot(text);
      text = formatSnapshot({ state, head: await foldStored(readsOf(lines), state, head, Math.min(until, lines.length)) });
    }
    t.equal(text, textOf(lines));
  }), { numRuns: RUNS / 4 });
});

t.test('a record that was changed stops the recovery, by its number', async (t) => {
  await fc.assert(fc.asyncProperty(histories(20), fc.nat(), fc.nat(), async (history, n, m) => {
    const lines = logOf(history);
    const victim = lines[n % lines.length]!;
    const at = m % victim.canonical.length;
    const canonical = `${victim.canonical.slice(0, at)}${victim.canonical[at] === 'x' ? 'y' : 'x'}${victim.canonical.slice(at + 1)}`;
    const tampered = lines.map((line) => (line === victim ? { ...line, canonical } : line));
    await t.rejects(foldStored(readsOf(tampered), emptyState(), EMPTY_HEAD), { code: 'LOG_BROKEN', seq: victim.seq });
  }), { numRuns: RUNS / 4 });
});

t.test('only a snapshot that the log vouches for is loaded', async (t) => {
  const lines = logOf([[0, 1, 5], [0, 2, 7], [15, 3, 9], [16, 4, 11]]);
  const body = textOf(lines.slice(0, 4));
  const said: string[] = [];
  const recover = (tail: readonly StoredLine[], text = body, size = 4): ReturnType<typeof recoverState> => recoverState({
    store: readsOf(tail), say: (line) => { said.push(line); },
    snapshots: { latest: (fold, atMost) => Promise.resolve(size <= atMost ? { size, fold, hash: hash('sha256', text), body: text } : null) },
  });
  t.equal((await recover(lines)).resumedFrom.size, 0);
  t.strictSame(said.splice(0), ['the snapshot of 4 records is passed over: the log does not vouch for it']);

  const vouching = vouch(lines, 4, hash('sha256', body));
  const recovered = await recover(vouching);
  t.equal(recovered.resumedFrom.size, 4);
  t.equal(formatSnapshot(recovered), textOf(vouching));

  const other = body.replace('"cash":"1000000"', '"cash":"9000000"');
  t.not(other, body);
  t.equal((await recover(vouching, other)).resumedFrom.size, 0, 'another text than the one that was vouched for');
  const [forged] = vouch(lines, 4, hash('sha256', other)).slice(-1);
  const forgedPast = [{ ...forged!, seq: 0, hash: lines[0]!.hash }, ...lines.slice(1)];
  await t.rejects(recover(forgedPast, other), { code: 'LOG_BROKEN', seq: 0 }, 'vouched for by a record that the start would not look at');
  const unreadable = '{"head":{}}';
  t.equal((await recover(vouch(lines, 4, hash('sha256', unreadable)), unreadable)).resumedFrom.size, 0, 'vouched for, and yet not readable');
  t.match(said.at(-1), /^the snapshot of 4 records is passed over: /);
  t.equal((await recoverState({ store: readsOf(vouching), snapshots: { latest: () => Promise.resolve(null) }, say: () => undefined }, 3)).head.size, 3);
});

/** The log with one more record, which vouches for a snapshot. */
function vouch(lines: readonly StoredLine[], size: number, digest: string): readonly StoredLine[] {
  const { lines: more } = seal('feedfacefeedface', headOf(lines), headOf(lines).at, [draft('state.snapshotted', SYSTEM, null, { foldVersion: FOLD_VERSION, hash: digest, size })], subjectOf);
  return [...lines, ...more];
}
