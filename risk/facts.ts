import { parseDecimal, type Decimal } from './domain/decimal.ts';
import { instant, type Ns } from './domain/time.ts';

/**
 * Facts: what the core is told and never looks up. They are computed outside by a named version, recorded inside the decision that
 * used them, and taken as given at replay. A fact that is null is missing, and a missing fact denies.
 */
export interface SymbolFacts {
  readonly bidPx: Decimal | null;
  readonly askPx: Decimal | null;
  /** Time of the quote, by the clock that the log keeps. */
  readonly quoteAt: Ns | null;
  /** Volatility per √year. */
  readonly sigmaAnnual: number | null;
  /** Average daily volume, units a day. */
  readonly advQty: number | null;
}

export interface Facts {
  readonly now: Ns;
  /** How far the clock last stepped back, ms; null when it is not known whether it did. */
  readonly clockStepBackMs: number | null;
  /** Version of what computed the facts, e.g. `synthetic-1:42`. */
  readonly source: string;
  readonly symbols: ReadonlyMap<string, SymbolFacts>;
}

/** `SymbolFacts` as they stand in a record: decimal strings and instants. */
export interface SymbolFactsJson {
  readonly bidPx: string | null;
  readonly askPx: string | null;
  readonly quoteAt: string | null;
  readonly sigmaAnnual: number | null;
  readonly advQty: number | null;
}

/** The facts that a record holds, as the checks read them. */
export function symbolFacts({ bidPx, askPx, quoteAt, sigmaAnnual, advQty }: SymbolFactsJson): SymbolFacts {
  const decimal = (text: string | null): Decimal | null => (text === null ? null : parseDecimal(text));
  return { bidPx: decimal(bidPx), askPx: decimal(askPx), quoteAt: quoteAt === null ? null : instant(quoteAt), sigmaAnnual, advQty };
}
