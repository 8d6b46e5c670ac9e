import { NS_PER_MS, parseInstant } from '../../risk/domain/time.ts';
import type { Ns } from '../../risk/domain/time.ts';

const NEW_YORK = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York', hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
});

/** What New York's wall shows at `utcMs`, as if it were UTC. */
function wallMs(utcMs: number): number {
  const parts = new Map(NEW_YORK.formatToParts(utcMs).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? NaN;
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

/**
 * The instant to which the wall's time of a New York day is added to give UTC, from `YYYYMMDD`; null when there is no such day. It is
 * midnight by the offset that holds at noon: files count by the wall's clock, and on the two Sundays a year when the offset changes
 * it does so at two, before any trading.
 */
export function newYorkMidnight(date: string): Ns | null {
  const midnight = parseInstant(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T00:00:00Z`);
  if (midnight === null) return null;
  const noonUtcMs = Number(midnight / NS_PER_MS) + 17 * 3_600_000; // noon or one o'clock there
  return (midnight - BigInt(wallMs(noonUtcMs) - noonUtcMs) * NS_PER_MS) as Ns;
}
