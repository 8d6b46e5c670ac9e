import t from 'tap';
import { leafHash } from '../../compliance/canonical.ts';
import { ChainVerifier, genesis } from '../../compliance/chain.ts';
import { parseRecord } from '../../compliance/fold.ts';
import { KINDS, VERSIONS } from '../../compliance/records.ts';
import { expectedSummary, fileOf, foldGolden, GOLDEN_LOG, goldenLines, summary } from './golden.ts';

const lines = goldenLines();

t.test('every kind and version ever written has its golden record', (t) => {
  const wanted = KINDS.flatMap((kind) => Array.from({ length: VERSIONS[kind] }, (_, i) => fileOf(kind, i + 1)));
  t.strictSame([...new Set(lines.map(({ file }) => file))].sort(), wanted.sort(), 'see tests/compliance/golden/README.md');
  for (const { file, canonical } of lines) {
    const { kind, v } = parseRecord(canonical);
    t.equal(file, fileOf(kind, v));
  }
  t.end();
});

t.test('nothing in the golden log was edited', (t) => {
  const chain = new ChainVerifier(genesis(GOLDEN_LOG));
  for (const { canonical } of lines) t.equal(chain.add({ canonical, hash: leafHash(canonical) }), null);
  t.ok(chain.size >= KINDS.length);
  t.end();
});

t.test('it folds to what this version of the fold once made of it', (t) => {
  t.strictSame(JSON.parse(JSON.stringify(summary(foldGolden(lines)))), expectedSummary(), 'an old record gives another state: FOLD_VERSION must go up');
  t.end();
});
