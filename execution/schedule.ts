/** A parent's schedule: how much of it may have been released by when. */
import { minimum, parseDecimal, toNumber, type Decimal } from '../risk/domain/decimal.ts';
import type { Instrument } from '../risk/domain/instrument.ts';
import { NS_PER_SECOND, type Ns } from '../risk/domain/time.ts';
import { bestPath } from './almgren-chriss.ts';
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
  const left = fractionsLeft(input, slices);
  const cumQtys: Decimal[] = [];
  let before = 0;
  for (let k = 1; k < slices; k++) {
    before = Math.max(before, Math.min(lots, Math.round((1 - (left[k] as number)) * lots)));
    cumQtys.push(minimum((BigInt(before) * lotSize) as Decimal, orderQty));
  }
  cumQtys.push(orderQty);
  return cumQtys;
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

/** The step that is due at an instant: the one that was dealt with there. Null when there is none. */
export function stepAt({ schedule, decidedAt, expireAt }: Scheduled, at: Ns): ScheduleStep | null {
  if (expireAt === null) return null;
  const cumQty = schedule.find((_, k) => decidedAt + ((expireAt - decidedAt) * BigInt(k)) / BigInt(schedule.length) === at);
  return cumQty === undefined ? null : { at, cumQty: parseDecimal(cumQty) };
}

/**
 * The fraction of the parent that is left before each slice, and after the last.
 *
 * Almgren & Chriss want impacts linear in the rate; ours is the power law of `cost.ts`. η is the slope of the chord from zero to it at
 * the parent's average rate, so that a steady execution costs the same under both. γ is ATHL's permanent impact of a day's volume
 * without the factor of shares outstanding, and at most what leaves η̃ half of η.
 */
function fractionsLeft(input: ScheduleInput, slices: number): readonly number[] {
  const { assetClass, horizonSeconds, riskAversion, sigmaAnnual, advQty, px } = input;
  const qty = toNumber(input.orderQty);
  const horizonDays = horizonSeconds / CALENDARS[assetClass].secondsPerDay;
  const sigmaShare = dailySigma(sigmaAnnual, assetClass);
  const rate = qty / horizonDays;
  const eta = (px * temporaryImpactBps(sigmaShare, rate / advQty)) / 1e4 / rate;
  // Without volatility or volume there is nothing to weigh: a straight line.
  if (!(eta > 0) || !Number.isFinite(eta)) return Array.from({ length: slices + 1 }, (_, k) => 1 - k / slices);
  const gamma = Math.min((ATHL.gamma * sigmaShare * px) / advQty, (eta * slices) / horizonDays);
  // For a quantity of one: the path scales with it, as long as η and γ are those of the whole.
  return bestPath({ qty: 1, horizonDays, slices, sigma: sigmaShare * px, gamma, eta, riskAversion }).holdings;
}

/** The schedule's end: start plus horizon. */
export function horizonEnd(start: Ns, horizonSeconds: number): Ns {
  return (start + BigInt(Math.round(horizonSeconds * Number(NS_PER_SECOND)))) as Ns;
}
