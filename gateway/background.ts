/** What happens by itself: accounts are marked, checkpoints published, the kill file looked at, snapshots made. Each is a command that takes the same way. */
import { draft, SYSTEM } from '../compliance/records.ts';
import type { Timers } from '../execution/time.ts';
import { plusMs } from '../risk/domain/time.ts';
import { FIRM, stateOf } from '../risk/switches.ts';
import type { Behind } from './behind.ts';
import { haltFirm } from './flows/flip-switch.ts';
import { markAccounts } from './flows/mark-accounts.ts';
import type { House } from './house.ts';
import type { Transparency } from './transparency.ts';

const MARK_EVERY_MS = 1_000;
const CHECKPOINT_EVERY_MS = 1_000;
const KILL_LOOKED_AT_EVERY_MS = 200;
const SNAPSHOT_LOOKED_AT_EVERY_MS = 1_000;
/** Until it is known whether the past holds. */
const PAST_LOOKED_AT_EVERY_MS = 10_000;

export interface Background {
  readonly house: House;
  readonly transparency: Transparency;
  readonly behind: Behind;
  /** The wall's: checkpoints and the kill file do not wait for a market. */
  readonly wall: Timers;
  /** Whether the market has said its last: see `Surroundings`. */
  readonly hasEnded: () => boolean;
  /** For the operator: one line each. */
  readonly say: (line: string) => void;
}

export function startBackground({ house, transparency, behind, wall, hasEnded, say }: Background): void {
  every(() => (hasEnded() ? wall : house.timers), MARK_EVERY_MS, () => { markAccounts(house); });
  every(() => wall, CHECKPOINT_EVERY_MS, publisher(house, transparency, say));
  every(() => wall, KILL_LOOKED_AT_EVERY_MS, killWatch(house));
  every(() => wall, SNAPSHOT_LOOKED_AT_EVERY_MS, () => { behind.look(house).catch(house.fail); });
  const verifyPast = (): void => { behind.verifyPast(house, (reason) => { haltFirm(house, reason); }).catch(house.fail); };
  verifyPast();
  every(() => wall, PAST_LOOKED_AT_EVERY_MS, verifyPast);
}

/** `timers` is asked anew each time. */
function every(timers: () => Timers, ms: number, run: () => void): void {
  const by = timers();
  by.at(plusMs(by.now(), ms), () => {
    run();
    every(timers, ms, run);
  });
}

/**
 * A checkpoint is itself a record; one that would cover nothing but the record of the last one is not published. On a full disk there is
 * none, and the gateway lives on: the kill must work when the disk does not.
 */
function publisher(house: House, transparency: Transparency, say: (line: string) => void): () => void {
  let covered = 0;
  const publish = (): ReturnType<Transparency['publish']> => {
    try {
      return transparency.publish();
    } catch (error) {
      say(`no checkpoint can be published: ${(error as Error).message}`);
      return null;
    }
  };
  return () => {
    if (transparency.size <= covered || !house.journal.accepts('reserved')) return;
    const published = publish();
    if (published === null) return;
    house.journal.append([draft('checkpoint.published', SYSTEM, null, published)]).durable.catch(house.fail);
    covered = published.size + 1;
  };
}

/** The file halts each time it appears, and again while it stays and the firm was released; its going releases nothing. The start has looked first. */
function killWatch(house: House): () => void {
  let seen = house.killed() !== null;
  return () => {
    const reason = house.killed();
    if (reason !== null && (!seen || stateOf(house.state.risk, FIRM) !== 'halted')) {
      haltFirm(house, reason);
    }
    seen = reason !== null;
  };
}
