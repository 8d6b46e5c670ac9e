/** Verdicts and switches as sentences for people: made here, once. Programs read the code, the observed value and the limit. */
import type { LogRecord } from '../risk/domain/record.ts';
import type { CheckCode, Unit, Verdict } from '../risk/domain/verdict.ts';
import type { SwitchFlipped } from '../risk/records.ts';

const UNITS: Record<Unit, string> = { xEquity: ' × equity', currency: '', units: ' units', bps: ' bps', ms: ' ms', fraction: '', none: '' };

const value = (text: string | null, unit: Unit): string => (text === null ? 'unknown' : `${text}${UNITS[unit]}`);
const observed = (v: Verdict): string => value(v.observed, v.unit);
const limit = (v: Verdict): string => value(v.limit, v.unit);
const over = (what: string) => (v: Verdict): string => `${what} of ${observed(v)} is beyond the limit of ${limit(v)}`;

/** One sentence a check, for a verdict that clips or denies. */
export const SENTENCES: Record<CheckCode, (verdict: Verdict) => string> = {
  SWITCH_HALTED: () => 'Trading is halted in this scope',
  SWITCH_REDUCING: () => 'Only orders that reduce the position pass in this scope',
  ATTRIBUTION: () => 'It is not complete who answers for the order',
  PERMISSION: () => 'The registration of the strategy does not permit this',
  UNKNOWN_INSTRUMENT: () => 'The instrument is not in the universe',
  LOT_SIZE: (v) => `The quantity of ${observed(v)} is no multiple of the lot of ${limit(v)}`,
  TICK_SIZE: (v) => `The price of ${observed(v)} is no multiple of the tick of ${limit(v)}`,
  FACT_MISSING: () => 'A fact that the decision needs is missing',
  MARKET_DATA_STALE: (v) => `The market data is ${observed(v)} old; at most ${limit(v)} is accepted`,
  AS_OF_STALE: (v) => `The time of the portfolio is off by ${observed(v)}; at most ${limit(v)} is accepted`,
  PRICE_COLLAR: (v) => `The price is ${observed(v)} from the market; the collar is ${limit(v)}`,
  MAX_ORDER_NOTIONAL: over('An order’s notional'),
  MAX_ORDER_QTY: over('An order’s quantity'),
  NAME_EXPOSURE: over('The exposure to the name'),
  GROSS_EXPOSURE: over('Gross exposure'),
  NET_EXPOSURE: over('Net exposure'),
  SECTOR_EXPOSURE: over('The exposure to the sector'),
  LEVERAGE: over('Leverage'),
  TURNOVER: over('The day’s turnover'),
  KELLY_CAP: over('A weight'),
  VOLATILITY_CAP: over('Expected volatility'),
  DRAWDOWN_GOVERNOR: (v) => `A drawdown of ${observed(v)} leaves no room beyond ${limit(v)}`,
  FAT_FINGER: (v) => `The size of ${observed(v)} is far beyond ${limit(v)} and looks like a mistake`,
  CLOCK: () => 'The gateway’s clock is not trusted at present',
  CONTENDED: () => 'The state changed too often while the portfolio was judged',
};

/** How many sentences a problem's detail holds; the verdicts beside it are whole. */
const SENTENCES_MAX = 4;

/** The reasons of a denial, one sentence a check, each once. */
export function sentenceOfDenial(verdicts: readonly Verdict[]): string {
  const denials = verdicts.filter((verdict) => verdict.outcome === 'deny');
  const sentences = [...new Set(denials.map((verdict) => SENTENCES[verdict.code](verdict)))];
  if (sentences.length === 0) return 'No part of the request passed the checks.';
  const more = sentences.length - SENTENCES_MAX;
  return `${sentences.slice(0, SENTENCES_MAX).join('. ')}.${more > 0 ? ` ${more} more.` : ''}`;
}

/** A flip, for the operator. Its reason is somebody's words and stands in the record alone. */
export const flipLine = ({ seq, actor, body: { scope, state, previous } }: LogRecord<string, SwitchFlipped>): string =>
  `switch ${scope.kind === 'firm' ? 'firm' : `${scope.kind} ${scope.id}`}: ${previous} -> ${state}, by ${actor.id} (record ${String(seq)})`;
