/** What a stream carries, and the port through which the house feeds it. */
import type { Principal } from '../auth/principal.ts';

/** Channels of the log: every event once, in order, resumable by seq. */
export const LOG_CHANNELS = ['decisions', 'orders', 'fills', 'switches', 'alerts'] as const;
export type LogChannel = (typeof LOG_CHANNELS)[number];
/** `summary` is for screens: conflated, at most five a second, never resumed. */
export const CHANNELS = [...LOG_CHANNELS, 'summary'] as const;

/** The channels that a kind of record belongs to; an event of several is still sent once. */
export function channelsOf(kind: string): readonly LogChannel[] {
  if (kind === 'order.filled') return ['orders', 'fills'];
  if (kind === 'order.decided' || kind.startsWith('target.') || kind.startsWith('leg.')) return ['decisions'];
  if (kind.startsWith('order.') || kind.startsWith('slice.')) return ['orders'];
  if (kind.startsWith('switch.')) return ['switches'];
  return kind.startsWith('alert.') ? ['alerts'] : [];
}

/** One durable record on its way to a subscriber. `canonical` is its stored text, sent as it is. */
export interface StreamEvent {
  readonly seq: number;
  readonly kind: string;
  readonly canonical: string;
}

/** One subscriber. */
export interface EventSink {
  /** Events in order, each once. */
  send(event: StreamEvent): void;
  /** Resolves when little is unsent, and when the socket has closed. A source that reads the past awaits it between pages. */
  drained(): Promise<void>;
  readonly closed: boolean;
}
export interface Subscription {
  close(): void;
}

/** The log as a stream: durable records only, filtered for the principal. */
export interface EventSource {
  /** Events after seq `after` (exclusive; −1 from the start, null only new ones) of these channels. */
  subscribe(principal: Principal, channels: ReadonlySet<LogChannel>, after: number | null, sink: EventSink): Subscription;
}

export interface Beat {
  /** Number of durable records less one: the head's seq. */
  readonly head: number;
  /** Age of the newest quote, or of any that is younger than a second; null while there is none. */
  readonly marketAgeMs: number | null;
  /** Records appended and not yet durable. */
  readonly logLag: number;
}
/** Present values for screens, asked for and never pushed. */
export interface Pulse {
  beat(): Beat;
  /** What one principal's screen shows; JSON. */
  summary(principal: Principal): unknown;
}
