/** A parent's schedule: how much of it may have been released by when. */
import { minimum, parseDecimal, toNumber, type Decimal } from '../risk/domain/decimal.ts';
import type { Instrument } from '../risk/domain/instrument.ts';
import { NS_PER_SECOND, type Ns } from '../risk/domain/time.ts';
import { solve } from './almgren-chriss.ts';
import { ATHL, CALENDARS, dailySigma, temporaryImpactBps } from './cost.ts';

export interface ScheduleInput {
  /** Unsigned. */
  readonly orderQty: Decimal;
  readonly lotSize: Decimal;
  readonly assetClass: Instrument['assetClass'];
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
 * Slices of equal time, the first at once, with the quantities of Almgren & Chriss: how much may have been released by the beginning of
 * each. Cumulative quantities are rounded to lots, not the trades, so the sum stays; what rounding leaves, and what is no whole lot,
 * goes last.
 */
export function planSchedule(input: ScheduleInput): readonly Decimal[] {
  const { orderQty, lotSize, horizonSeconds, slicesMax, sliceSecondsMin } = input;
  const slices = Math.max(1, Math.min(slicesMax, Math.floor(horizonSeconds / sliceSecondsMin)));
  if (slices === 1) return [orderQty];
  // Lots are counted in doubles, which are exact up to 2^53 of them; beyond that the count is still within the order.
  const lots = Number(orderQty / lotSize);
  const shares = sharesDone(input, slices);
  let before = 0;
  return shares.map((share, k) => {
    before = Math.max(before, Math.min(lots, Math.round(share * lots)));
    return k === slices - 1 ? orderQty : minimum((BigInt(before) * lotSize) as Decimal, orderQty);
  });
}

/** What a parent's schedule is read from: its cumulative quantities, spread evenly from its decision to its end. */
export interface Scheduled {
  /** Decimal texts, as recorded; empty for a direct order. */
  readonly schedule: readonly string[];
  readonly decidedAt: Ns;
  readonly expireAt: Ns | null;
}

/**
 * The step to release next: of those after `after` (all, when null) the latest that is due at `now`, for its cumulative quantity covers
 * the others; else the first to come. Null when none is left.
 */
export function nextStep({ schedule, decidedAt, expireAt }: Scheduled, after: Ns | null, now: Ns): ScheduleStep | null {
  if (expireAt === null) return null;
  const horizon = expireAt - decidedAt;
  const slices = BigInt(schedule.length);
  let next: ScheduleStep | null = null;
  for (const [k, cumQty] of schedule.entries()) {
    const at = (decidedAt + (horizon * BigInt(k)) / slices) as Ns;
    if (after !== null && at <= after) continue;
    if (next !== null && at > now) break;
    next = { at, cumQty: parseDecimal(cumQty) };
  }
  return next;
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

/** The schedule's end: start plus horizon. */
export function horizonEnd(start: Ns, horizonSeconds: number): Ns {
  return (start + BigInt(Math.round(horizonSeconds * Number(NS_PER_SECOND)))) as Ns;
}
