/**
 * Refusals on their way to the log. Lack of authority is a record of its own; everything else is counted, one record a minute and
 * source, because a stranger must not fill a log that is kept for seven years.
 */
import { draft, SYSTEM } from '../../compliance/records.ts';
import type { Timers } from '../../execution/time.ts';
import { plusMs } from '../../risk/domain/time.ts';
import type { House } from '../house.ts';
import type { RefusalEvent } from '../http/service.ts';
import { actorOf } from './views.ts';

const COUNT_EVERY_MS = 60_000;
/** Sources counted apart in one minute; those beyond are counted together. */
const SOURCES_MAX = 100;
const OTHERS = 'others';

export class Refusals {
  readonly #house: House;
  readonly #wall: Timers;
  #counts = new Map<string, Map<string, number>>();

  /** @param wall strangers come by the wall's clock, whatever the market's does */
  constructor(house: House, wall: Timers) {
    this.#house = house;
    this.#wall = wall;
  }

  note({ kind, principal, code, method, route, source }: RefusalEvent): void {
    if (kind === 'denied' && principal !== null) {
      this.#house.journal.append([draft('access.denied', actorOf(principal), null, { code, method, route, source })]).durable.catch(this.#house.fail);
      return;
    }
    if (this.#counts.size === 0) this.#wall.at(plusMs(this.#wall.now(), COUNT_EVERY_MS), () => { this.flush(); });
    const key = this.#counts.has(source) || this.#counts.size < SOURCES_MAX ? source : OTHERS;
    const counts = this.#counts.get(key) ?? new Map<string, number>();
    counts.set(code, (counts.get(code) ?? 0) + 1);
    this.#counts.set(key, counts);
  }

  /** Writes what was counted: each minute, and at the end. */
  flush(): void {
    const counted = this.#counts;
    this.#counts = new Map();
    const drafts = [...counted].map(([source, counts]) => draft('access.counted', SYSTEM, null, { counts: Object.fromEntries(counts), source }));
    if (drafts.length > 0) this.#house.journal.append(drafts).durable.catch(this.#house.fail);
  }
}
