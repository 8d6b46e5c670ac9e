import type { Decimal } from './domain/decimal.ts';
import type { Attribution } from './domain/order.ts';
import type { Instrument } from './domain/instrument.ts';
import type { ScopeKind } from './records.ts';

/** What the risk officers decided, read from a YAML file: who may trade, within which limits, through what. Absent limits are refused, not off. */
export interface Policy {
  readonly id: string;
  readonly version: number;
  readonly accounts: readonly AccountPolicy[];
  readonly strategies: readonly StrategyPolicy[];
  readonly venues: readonly VenuePolicy[];
  readonly limits: Limits;
  readonly execution: ExecutionPolicy;
  /** Scopes in which a proven closing order passes under `halted`; empty in the sample. */
  readonly closingUnderHalt: readonly { readonly kind: ScopeKind; readonly id: string }[];
  /** A lone officer may release with an alert; false in the sample. */
  readonly breakGlass: boolean;
}

export interface AccountPolicy {
  readonly id: string;
  readonly currency: string;
  readonly openingCash: Decimal;
}
export interface StrategyPolicy {
  readonly id: string;
  readonly account: string;
  /** Permitted `sub`s; the word `any` permits every token that holds the account. */
  readonly subjects: 'any' | readonly string[];
  readonly attribution: Attribution;
}
export interface VenuePolicy {
  readonly id: string;
  readonly kind: 'paper';
  readonly latencyMs: number;
  readonly makerFeeBps: number;
  readonly takerFeeBps: number;
}
/** All of them are armed. Units last: `x` of the account's equity, basis points, milliseconds. */
export interface Limits {
  readonly quoteStaleAfterMs: number;
  readonly asOfStaleAfterMs: number;
  readonly clockStepBackMaxMs: number;
  readonly collarBps: number;
  readonly orderNotionalMax: Decimal;
  /** As a share of the instrument's average daily volume. */
  readonly orderQtyMaxAdvFraction: number;
  readonly nameXEquity: number;
  readonly sectorXEquity: number;
  readonly grossXEquity: number;
  readonly netXEquity: number;
  /** Gross over equity net of unsettled cash. */
  readonly leverageX: number;
  readonly turnoverXEquityPerDay: number;
  readonly kelly: { readonly fraction: number; readonly unratedWeight: number; readonly require: boolean };
  /** Ex-ante volatility of the account, per √year, one-factor model of the universe. */
  readonly volatilityAnnual: number;
  /** Volatility of the market factor, per √year. */
  readonly marketSigmaAnnual: number;
  readonly governor: { readonly softStart: number; readonly hardStop: number; readonly power: number };
  /** Requested gross above this × equity, or a leg or an order above `fatFingerMultiple` × its limit, denies also in clip mode. */
  readonly fatFingerGrossX: number;
  readonly fatFingerMultiple: number;
}
export interface ExecutionPolicy {
  /** Number of slices of a parent at most; short horizons have fewer. */
  readonly slicesMax: number;
  readonly sliceSecondsMin: number;
  /** Almgren–Chriss λ for a parent, per unit of currency. */
  readonly riskAversion: number;
  /** How far through the far touch a crossing slice may pay, basis points; never beyond the collar. */
  readonly crossBps: number;
}

/** A policy in force: parsed, with the hashes that records name. */
export interface PolicyInForce {
  readonly policy: Policy;
  readonly hash: string;
  readonly universeHash: string;
  /** By symbol. Its order is the order of the file. */
  readonly universe: ReadonlyMap<string, Instrument>;
}
