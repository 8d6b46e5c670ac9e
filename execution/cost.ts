/**
 * What a trade is expected to cost, in basis points, before it is made. The base is the power law of Almgren, Thum, Hauptmann & Li
 * (2005); the square root is there to compare with, and the two are never added. Both are priors: they explain little of a single fill.
 */
import type { Instrument } from '../risk/domain/instrument.ts';

const BPS = 1e4;

/** Fitted on US large caps, 2001–2003. */
export const ATHL = { gamma: 0.314, eta: 0.142, beta: 0.6, delta: 0.25 } as const;

/** How long the market of an asset class is open: what a day of σ and of volume means. */
export const CALENDARS = {
  equity: { daysPerYear: 252, secondsPerDay: 23_400 },
  crypto: { daysPerYear: 365, secondsPerDay: 86_400 },
} as const satisfies Record<Instrument['assetClass'], { readonly daysPerYear: number; readonly secondsPerDay: number }>;

/** Volatility per √day of one per √year. */
export function dailySigma(sigmaAnnual: number, assetClass: Instrument['assetClass']): number {
  return sigmaAnnual / Math.sqrt(CALENDARS[assetClass].daysPerYear);
}

/** Permanent impact of the whole trade, bps: σ a day, X/V, and Θ/V (shares outstanding in days of volume; 1 where nothing is known). */
export function permanentImpactBps(sigmaDaily: number, volumeShare: number, inverseTurnover: number): number {
  return BPS * ATHL.gamma * sigmaDaily * volumeShare * inverseTurnover ** ATHL.delta;
}

/** Temporary impact, bps: σ a day and the rate of trading as a share of the market's, X/(VT). Odd in the rate. */
export function temporaryImpactBps(sigmaDaily: number, rate: number): number {
  return BPS * ATHL.eta * sigmaDaily * Math.sign(rate) * Math.abs(rate) ** ATHL.beta;
}

/** Peak impact of the square-root law, bps: Y·σ·√(Q/V). */
export function squareRootImpactBps(y: number, sigmaDaily: number, volumeShare: number): number {
  return BPS * y * sigmaDaily * Math.sqrt(volumeShare);
}

/** Days that a participation of ρ needs for Q/V days of volume, where V includes our own trades. */
export function povDays(volumeShare: number, participation: number): number {
  return volumeShare / participation;
}

export const ARMS = ['cross', 'post', 'peg', 'pov'] as const;
export type Arm = (typeof ARMS)[number];

/** What is known when an arm's cost is estimated. */
export interface CostContext {
  readonly assetClass: Instrument['assetClass'];
  readonly qty: number;
  /** Quoted spread, bps of the mid. */
  readonly spreadBps: number;
  readonly sigmaAnnual: number;
  readonly advQty: number;
  /** Over which an order of this size is spread: the slice's time; at least a second. */
  readonly seconds: number;
  readonly makerFeeBps: number;
  readonly takerFeeBps: number;
}

/**
 * Priors of an order that waits: probability that it fills within its time, and the share of the half spread that it keeps after
 * adverse selection. What does not fill crosses. They stand until fills have taught better ones.
 */
const WAITING: Readonly<Record<Arm, { readonly fills: number; readonly keeps: number }>> = {
  cross: { fills: 0, keeps: 0 },
  post: { fills: 0.5, keeps: 0.4 },
  peg: { fills: 0.7, keeps: 0.2 },
  pov: { fills: 0, keeps: 0 },
};

/** Expected cost of an arm against arrival, fees included, bps of the slice's notional; positive costs us. */
export function expectedCostBps(arm: Arm, context: CostContext): number {
  const { fills, keeps } = WAITING[arm];
  const half = context.spreadBps / 2;
  const impact = temporaryImpactBps(dailySigma(context.sigmaAnnual, context.assetClass), rateOf(context));
  return fills * (context.makerFeeBps - keeps * half) + (1 - fills) * (half + context.takerFeeBps + impact);
}

/** The slice's rate as a share of the market's; at most all of it, where the law ends. */
function rateOf({ qty, advQty, seconds, assetClass }: CostContext): number {
  const days = Math.max(seconds, 1) / CALENDARS[assetClass].secondsPerDay;
  return Math.min(qty / (advQty * days), 1);
}
