import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { Trouble } from '../../gateway/trouble.ts';

t.test('who cannot wait is answered by whichever comes first', async (t) => {
  const trouble = new Trouble();
  t.equal(await trouble.unless(Promise.resolve(7), false), 7);
  const never = new Promise<number>(() => undefined);
  const waiting = trouble.unless(never, false);
  trouble.began();
  t.equal(await waiting, null);
  t.equal(await trouble.unless(never, true), null);
});

t.test('a proof that fails after the answer was given is nobody\'s surprise', async (t) => {
  const trouble = new Trouble();
  let fail = (error: Error): void => { throw error; };
  const late = new Promise<number>((_, reject) => { fail = reject; });
  t.equal(await trouble.unless(late, true), null);
  fail(new Error('the store cannot be read')); // unhandled, it would end the process, and this test
  await turn();
  await t.rejects(trouble.unless(Promise.reject(new Error('refused')), false), /refused/, 'one that fails before it is the caller\'s');
});
