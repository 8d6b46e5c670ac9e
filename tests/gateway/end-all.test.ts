import t from 'tap';
import { endAll } from '../../gateway/end-all.ts';

t.test('every end runs, in order, whatever one of them does; the first error is told', async (t) => {
  const ended: string[] = [];
  const ends = endAll(
    () => { ended.push('market'); },
    () => Promise.reject(new Error('the disk is full')),
    () => { throw new Error('another'); },
    async () => {
      await Promise.resolve();
      ended.push('database');
    },
  );
  await t.rejects(ends, { message: 'the disk is full' });
  t.strictSame(ended, ['market', 'database']);
});
