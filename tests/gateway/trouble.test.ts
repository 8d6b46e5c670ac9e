import t from 'tap';
import { Trouble } from '../../gateway/trouble.ts';

const never = new Promise<string>(() => undefined);

t.test('whoever waits learns of trouble, or gets what he waited for', async (t) => {
  const trouble = new Trouble();
  t.equal(await trouble.unless(Promise.resolve('durable'), false), 'durable');
  t.equal(await trouble.unless(never, true), null, 'trouble that has begun');
  const waiting = [trouble.unless(never, false), trouble.unless(never, false)];
  trouble.began();
  t.same(await Promise.all(waiting), [null, null], 'trouble that begins');
  t.equal(await trouble.unless(Promise.resolve('again'), false), 'again', 'it is not remembered');
  await t.rejects(trouble.unless(Promise.reject(new Error('lost')), false), { message: 'lost' });
});

t.test('what fails after the answer disturbs nobody', async (t) => {
  const trouble = new Trouble();
  const failing = (): Promise<string> => new Promise((_, reject) => { setImmediate(() => { reject(new Error('the store is away')); }); });
  const unheard: unknown[] = [];
  const hear = (error: unknown): void => void unheard.push(error);
  process.on('unhandledRejection', hear);
  t.teardown(() => process.off('unhandledRejection', hear));
  t.equal(await trouble.unless(failing(), true), null);
  const waiting = trouble.unless(failing(), false);
  trouble.began();
  t.equal(await waiting, null);
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
  t.same(unheard, []);
});
