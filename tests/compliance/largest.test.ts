import t from 'tap';
import { RECORD_BYTES_MAX } from '../../compliance/canonical.ts';
import { subjectOf } from '../../compliance/fold.ts';
import { KINDS } from '../../compliance/records.ts';
import { seal } from '../../compliance/seal.ts';
import { START } from '../execution/world.ts';
import { LARGEST } from './largest.ts';

const FULL = { size: 2 ** 52, hash: 'f'.repeat(64), at: START };

t.test('the largest record of each kind fits: the writer never has to refuse one', (t) => {
  for (const kind of KINDS) {
    const draft = { kind, v: 99, actor: { id: 'A'.repeat(128), role: 'risk_officer' as const }, cause: FULL.size - 1, body: LARGEST[kind] };
    const { bytes } = seal('feedfacefeedface', FULL, START, [draft], subjectOf);
    t.ok(bytes <= RECORD_BYTES_MAX, `${kind}: ${bytes}`);
  }
  t.end();
});
