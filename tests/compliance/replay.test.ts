/** Replay over the log of a simulated day: silent on what was decided so, and naming each part that was not. */
import t from 'tap';
import { parseRecord } from '../../compliance/fold.ts';
import { Replayer, type Disagreement } from '../../compliance/replay.ts';
import { runSeed } from '../simulation/run.ts';
import { BLOBS } from '../simulation/setting.ts';

const blobs = (hash: string): string | null => BLOBS.get(hash) ?? null;
type Body = Readonly<Record<string, unknown>>;

const { lines } = await runSeed(5, 250);
const records = lines.map(({ canonical }) => parseRecord(canonical));

/** What replay says of the unit in which the first record stands that `applies`, when its body is `changed`. */
function replayedWith(kind: string, applies: (body: Body) => boolean, changed: (body: Body) => Body): readonly Disagreement[] {
  const at = records.findIndex((record) => record.kind === kind && applies(record.body as Body));
  if (at === -1) throw new Error(`no ${kind} to change`);
  const replayer = new Replayer(blobs);
  for (const [i, record] of records.entries()) {
    const found = replayer.add(i === at ? { ...record, body: changed(record.body as Body) } : record);
    if (found.length > 0 || i > at + 10) return found;
  }
  return [];
}

t.test('a log is replayed without a disagreement', (t) => {
  const replayer = new Replayer(blobs);
  const kinds = new Set(records.map(({ kind }) => kind));
  for (const kind of ['order.decided', 'target.decided', 'leg.decided', 'slice.released', 'slice.withheld']) t.ok(kinds.has(kind), kind);
  t.same(records.flatMap((record) => replayer.add(record)), []);
  t.end();
});

t.test('each part that was recorded otherwise is named', (t) => {
  const rows: readonly [kind: string, part: string, applies: (body: Body) => boolean, changed: (body: Body) => Body][] = [
    ['order.decided', 'decision', ({ decision, amends }) => decision === 'denied' && amends === false, (body) => ({ ...body, decision: 'accepted' })],
    ['order.decided', 'verdicts', ({ decision }) => decision === 'denied', (body) => ({ ...body, verdicts: (body['verdicts'] as Body[]).map((each) => ({ ...each, observed: 'x' })) })],
    ['order.decided', 'observed', ({ decision }) => decision === 'accepted', (body) => ({ ...body, facts: { ...(body['facts'] as Body), advQty: 1e9 } })],
    ['target.decided', 'governor', ({ decision }) => decision !== 'denied', (body) => ({ ...body, governor: 0.5 })],
    ['target.decided', 'equity', ({ equity }) => equity !== null, (body) => ({ ...body, equity: '1' })],
    ['leg.decided', 'allowed', ({ decision }) => decision === 'clipped', (body) => ({ ...body, allowed: '0.123' })],
    ['leg.decided', 'deltaQty', ({ deltaQty }) => deltaQty !== '0', (body) => ({ ...body, deltaQty: '7' })],
    ['slice.released', 'observed', ({ facts }) => facts !== null, (body) => ({ ...body, orderQty: `${String(body['orderQty'])}0` })],
    ['slice.withheld', 'verdicts', ({ judged }) => judged !== null, (body) => ({ ...body, verdicts: [] })],
  ];
  for (const [kind, part, applies, changed] of rows) {
    const found = replayedWith(kind, applies, changed);
    t.ok(found.some((each) => each.kind === kind && each.part === part), `${kind} ${part}: ${JSON.stringify(found.map((each) => each.part))}`);
  }
  t.end();
});
