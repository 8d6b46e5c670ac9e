/** The venues as the house sees them: connected or not, and what they report. */
import type { Venue } from '../execution/venue.ts';
import { applyReport } from './flows/apply-report.ts';
import type { House } from './house.ts';
import { askVenue } from './recovery.ts';
import type { OpenVenue } from './venues.ts';

export class VenueDesk {
  readonly venues = new Map<string, Venue>();
  readonly #open: OpenVenue[] = [];
  readonly #down = new Set<string>();

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
      report: (report) => { applyReport(house, venue.id, report); },
      connection: (state) => {
        if (state === 'down') this.#down.add(venue.id);
        else if (this.#down.delete(venue.id) && started) askVenue(house, venue.id);
      },
    }, house.state.execution.venues.get(venue.id) ?? 0);
    started = true;
  }

  async stop(): Promise<void> {
    for (const { stop } of this.#open) await stop();
  }
}
