/** A stop waits for the log, and not for ever. */
import t from 'tap';
import { drained } from '../../gateway/drained.ts';
import { manualTimers } from '../doubles/timers.ts';

function closing(state: 'flowing' | 'unknown' | 'emergency') {
  let closed = (): void => undefined;
  const sequencer = { state, nextSeq: 7, durableSize: 3, close: () => new Promise<void>((resolve) => { closed = resolve; }) };
  return { sequencer, close: () => { closed(); } };
}

t.test('it waits as long as the log may yet be written', async (t) => {
  const { sequencer, close } = closing('unknown');
  const time = manualTimers();
  let isDone = false;
  const done = drained(sequencer, time).then(() => { isDone = true; });
  await time.advance(60_000);
  t.equal(isDone, false);
  sequencer.state = 'emergency';
  await time.advance(9_000);
  sequencer.state = 'flowing';
  await time.advance(9_000);
  t.equal(isDone, false, 'an emergency that ends counts for nothing');
  close();
  await done;
});

t.test('an emergency that does not end is given up, and what is lost is told', async (t) => {
  const { sequencer } = closing('emergency');
  const time = manualTimers();
  const done = t.rejects(drained(sequencer, time), { message: 'the log could not be written: 4 records that nobody was told of are given up' });
  await time.advance(12_000);
  await done;
});
