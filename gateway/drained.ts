import type { Sequencer } from '../compliance/sequencer.ts';
import type { Timers } from '../execution/time.ts';
import { plusMs } from '../risk/domain/time.ts';

const LOOKED_AT_EVERY_MS = 1_000;
/** A log that has been in its emergency for so many looks does not keep a stop for ever. */
const LOOKS_MAX = 10;

/**
 * Closes the log: resolves when all that it took is durable. Rejects when it cannot be written for ten seconds of emergency: what is
 * lost then nobody was told of; the emergency log has what was done without it, and the next start adopts that.
 */
export async function drained(sequencer: Pick<Sequencer, 'close' | 'state' | 'nextSeq' | 'durableSize'>, wall: Timers): Promise<void> {
  let looks = 0;
  let isOver = false;
  const givenUp = new Promise<never>((_resolve, reject) => {
    const look = (): void => {
      if (isOver) return;
      looks = sequencer.state === 'emergency' ? looks + 1 : 0;
      const records = String(sequencer.nextSeq - sequencer.durableSize);
      if (looks > LOOKS_MAX) reject(new Error(`the log could not be written: ${records} records that nobody was told of are given up`));
      else wall.at(plusMs(wall.now(), LOOKED_AT_EVERY_MS), look);
    };
    look();
  });
  try {
    await Promise.race([sequencer.close(), givenUp]);
  } finally {
    isOver = true;
  }
}
