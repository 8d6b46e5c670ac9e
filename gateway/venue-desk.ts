/** The venues as the house sees them: connected or not, and what they report. */
import type { Timers } from '../execution/time.ts';
import type { Venue, VenueReport } from '../execution/venue.ts';
import { plusMs } from '../risk/domain/time.ts';
import { endAll } from './end-all.ts';
import { applyReport } from './flows/apply-report.ts';
import type { House } from './house.ts';
import { askVenue } from './recovery.ts';
import type { OpenVenue } from './venues.ts';

/** So long a stop waits for the venues' answers: longer than any of them takes, shorter than whoever stops us has patience. */
const ANSWERS_WITHIN_MS = 2_000;

export class VenueDesk {
  readonly venues = new Map<string, Venue>();
  readonly #open: OpenVenue[] = [];
  readonly #down = new Set<string>();
  #isStopping = false;
  /** Each is told of every report, once it is applied. */
  readonly #listeners = new Set<(report: VenueReport) => void>();

  /** Nothing new is begun any more. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** The first venue that is not connected; null when all are. */
  get missing(): string | null {
    const [first] = this.#down;
    return first ?? null;
  }

  /**
   * Connects a venue. When a lost connection comes back, what was in flight is asked about: it is unknown until the venue says.
   * The first connection asks nothing; the start does, once everything else is ready.
   */
  async connect(house: House, open: OpenVenue): Promise<void> {
    const { venue } = open;
    this.#open.push(open);
    this.venues.set(venue.id, venue);
    this.#down.add(venue.id);
    let started = false;
    await venue.start({
      report: (report) => {
        try {
          applyReport(house, venue.id, report);
        } catch (error) {
          house.fail(error); // not through the venue's connection: cancels that it still holds must leave
          return;
        }
        for (const listener of this.#listeners) listener(report);
      },
      connection: (state) => {
        if (state === 'down') this.#down.add(venue.id);
        else if (this.#down.delete(venue.id) && started) askVenue(house, venue.id);
      },
    }, house.state.execution.venues.get(venue.id) ?? 0);
    started = true;
  }

  /** Resolves with a venue's next word on an order, or without it after `withinMs`. */
  heardOf(timers: Timers, clOrdId: string, withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        late.cancel();
        this.#listeners.delete(listener);
        resolve();
      };
      const listener = (report: VenueReport): void => { if (report.clOrdId === clOrdId) end(); };
      const late = timers.at(plusMs(timers.now(), withinMs), end);
      this.#listeners.add(listener);
    });
  }

  /** Disconnects once every order that was released has its answer; one that has none in time is asked about by the next start. */
  async stop({ state: { execution } }: House, wall: Timers): Promise<void> {
    this.#isStopping = true;
    await new Promise<void>((resolve) => {
      const late = wall.at(plusMs(wall.now(), ANSWERS_WITHIN_MS), resolve);
      const look = (): void => {
        if ([...execution.children.values()].some(({ state }) => state === 'pending')) return;
        late.cancel();
        resolve();
      };
      this.#listeners.add(look);
      look();
    });
    await endAll(...this.#open.map(({ stop }) => stop));
  }
}
