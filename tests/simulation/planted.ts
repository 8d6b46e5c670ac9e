import type { LogStore } from '../../compliance/journal.ts';
import type { State } from '../../compliance/fold.ts';
import type { Timers } from '../../execution/time.ts';
import type { Venue } from '../../execution/venue.ts';
import type { House } from '../../gateway/house.ts';
import type { LogRecord } from '../../risk/domain/record.ts';
import type { Random } from './random.ts';

export interface Plant {
  readonly name: string;
  /** What the auditor is to find. */
  readonly expects: string;
  readonly venue?: (venue: Venue, random: Random) => Venue;
  readonly store?: (store: LogStore) => LogStore;
  readonly house?: (house: House) => House;
  readonly timers?: (timers: Timers, random: Random) => Timers;
  readonly fold?: (state: State, record: LogRecord) => void;
}
