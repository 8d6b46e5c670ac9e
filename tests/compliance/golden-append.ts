/**
 * Adds records to the golden log: `node dist/tests/compliance/golden-append.js < drafts.json`, where the file holds a list of
 * {kind, body, actor?, cause?, v?} that folds after what is there.
 */
import { readFileSync } from 'node:fs';
import { appendGolden, type GoldenDraft } from './golden.ts';

appendGolden(JSON.parse(readFileSync(0, 'utf8')) as GoldenDraft[]);
