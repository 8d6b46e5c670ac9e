/** A parent's schedule: how much of it may have been released by when. */
import { toNumber, type Decimal } from '../risk/domain/decimal.ts';
import type { Instrument } from '../risk/domain/instrument.ts';
import { NS_PER_SECOND, type Ns } from '../risk/domain/time.ts';
import { solve } from './almgren-chriss.ts';
import { ATHL, CALENDARS, dailySigma, temporaryImpactBps } from './cost.ts';

export interface ScheduleInput {
  /** Unsigned. */
  readonly orderQty: Decimal;
  readonly lotSize: Decimal;
  readonly assetClass: Instrument['assetClass'];
  readonly start: Ns;
  readonly horizonSeconds: number;
  readonly slicesMax: number;
  readonly sliceSecondsMin: number;
  /** Almgren–Chriss λ, 1/currency. */
  readonly riskAversion: number;
  readonly sigmaAnnual: number;
  readonly advQty: number;
  readonly px: number;
  readonly spreadBps: number;
}

/** From `at` on, `cumQty` of the parent may have been released. */
export interface ScheduleStep {
  readonly at: Ns;
  readonly cumQty: Decimal;
}

/**
 * Slices of equal time, the first at once, with the quantities of Almgren & Chriss. Cumulative quantities are rounded to lots, not the
 * trades, so the sum stays; what rounding leaves, and what is no whole lot, goes last. Instants at which nothing is added are left out.
 */
export function planSchedule(input: ScheduleInput): readonly ScheduleStep[] {
  const { orderQty, lotSize, start, horizonSeconds, slicesMax, sliceSecondsMin } = input;
  const slices = Math.max(1, Math.min(slicesMax, Math.floor(horizonSeconds / sliceSecondsMin)));
  const horizon = BigInt(Math.round(horizonSeconds * 1e9));
  const shares = slices === 1 ? [1] : sharesDone(input, slices);
  const steps: ScheduleStep[] = [];
  let before = 0n;
  for (const [k, share] of shares.entries()) {
    const cumQty = k === slices - 1 ? orderQty : roundToLots(orderQty, share, lotSize);
    if (cumQty > before) steps.push({ at: (start + (horizon * BigInt(k)) / BigInt(slices)) as Ns, cumQty });
    before = cumQty > before ? cumQty : before;
  }
  return steps;
}

/**
 * The share of the parent that is done after each slice.
 *
 * Almgren & Chriss want impacts linear in the rate; ours is the power law of `cost.ts`. η is the slope of the chord from zero to it at
 * the parent's average rate, so that a steady execution costs the same under both. γ is ATHL's permanent impact of a day's volume
 * without the factor of shares outstanding, and at most what leaves η̃ half of η.
 */
function sharesDone(input: ScheduleInput, slices: number): readonly number[] {
  const { assetClass, horizonSeconds, riskAversion, sigmaAnnual, advQty, px, spreadBps } = input;
  const qty = toNumber(input.orderQty);
  const horizonDays = horizonSeconds / CALENDARS[assetClass].secondsPerDay;
  const sigmaShare = dailySigma(sigmaAnnual, assetClass);
  const rate = qty / horizonDays;
  const eta = (px * temporaryImpactBps(sigmaShare, rate / advQty)) / 1e4 / rate;
  const even = Array.from({ length: slices }, (_, k) => (k + 1) / slices);
  // Without volatility or volume there is nothing to weigh: a straight line.
  if (!(eta > 0) || !Number.isFinite(eta)) return even;
  const gamma = Math.min((ATHL.gamma * sigmaShare * px) / advQty, (eta * slices) / horizonDays);
  const epsilon = (px * spreadBps) / 2e4;
  const { holdings } = solve({ qty, horizonDays, slices, sigma: sigmaShare * px, gamma, epsilon, eta, riskAversion });
  return holdings.slice(1).map((left) => 1 - left / qty);
}

const SHARE_UNITS = 1_000_000_000_000;

/** orderQty × share to the nearest lot, in bigints once the share has twelve digits. */
function roundToLots(orderQty: Decimal, share: number, lotSize: Decimal): Decimal {
  const scaled = orderQty * BigInt(Math.round(share * SHARE_UNITS));
  const unit = lotSize * BigInt(SHARE_UNITS);
  const rounded = ((2n * scaled + unit) / (2n * unit)) * lotSize;
  return (rounded < orderQty ? rounded : orderQty) as Decimal;
}

/** The schedule's end: start plus horizon. */
export function horizonEnd(start: Ns, horizonSeconds: number): Ns {
  return (start + BigInt(Math.round(horizonSeconds * Number(NS_PER_SECOND)))) as Ns;
}
