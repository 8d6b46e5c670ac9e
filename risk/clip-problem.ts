/**
 * The limits of the whole account as one projection problem over the legs that trade.
 *
 * Exposure is worst case: what is bought counts at once, what is sold counts until it is gone. So a trade either raises a measure
 * or leaves it, and every limit is a sum over the trades that raise it. A leg lies between its present weight and the end of its
 * box; all else of the account is a constant inside the bounds. Not trading is always feasible, also for a book in breach: a limit
 * without headroom freezes the legs that would raise it, and lets the others go.
 */
import { toNumber, type Decimal } from './domain/decimal.ts';
import { NOISE } from './check.ts';
import type { CouplingCode } from './checks/index.ts';
import type { Exposure } from './exposure.ts';
import { idioVarianceOf } from './factors.ts';
import type { PolicyInForce } from './policy.ts';
import { highOf, lowOf, presentOf, type Holding } from './position.ts';
import type { ProjectionProblem, Sector, VolatilityCap } from './projection/problem.ts';
import type { Instrument } from './domain/instrument.ts';

/** One leg with something to trade, as weights of equity of the account's whole position. */
export interface Mover {
  readonly instrument: Instrument;
  readonly line: Holding;
  /** Equity's weight of one unit. */
  readonly unit: number;
  /** All open orders filled: now, at the end of its box, and as wished. */
  readonly now: number;
  readonly end: number;
  readonly wished: number;
  /** Worst case of the name before, and by how much at most its worst case exceeds |weight| between `now` and `end`. */
  readonly worst: number;
  readonly slack: number;
  /** Whether its worst case grows. */
  readonly grows: boolean;
  /** How far it can go before its worst case grows. */
  readonly free: number;
}

export function moverOf(instrument: Instrument, line: Holding, wished: Decimal, bounded: Decimal, unit: number): Mover {
  const now = toNumber(presentOf(line)) * unit;
  const end = now + toNumber(bounded) * unit;
  const aim = now + toNumber(wished) * unit;
  const buyOpen = toNumber(line.buyOpen) * unit;
  const sellOpen = toNumber(line.sellOpen) * unit;
  const worst = Math.max(Math.abs(toNumber(highOf(line))), Math.abs(toNumber(lowOf(line)))) * unit;
  const worstAt = (w: number): number => Math.max(worst, w > now ? w + sellOpen : buyOpen - w);
  const hinge = end > now ? worst - sellOpen : buyOpen - worst;
  const low = Math.min(now, end);
  const high = Math.max(now, end);
  const grows = worstAt(end) > worst * (1 + NOISE);
  const corners = [now, end, 0, hinge].filter((w) => w >= low && w <= high);
  return {
    instrument, line, unit, now, end, worst,
    wished: end > now === aim > now ? aim : end,
    slack: Math.max(...corners.map((w) => worstAt(w) - Math.abs(w))),
    grows,
    free: grows ? Math.max(low, Math.min(high, hinge)) : end,
  };
}

/**
 * |weight| + slack is the worst case itself, but for a leg that goes through zero or stands among orders on both sides: there it is
 * more, at worst more than the present has room for. Such a leg then goes only as far as its worst case does not grow.
 */
export function withoutFlips(movers: readonly Mover[]): Mover[] {
  return movers.map((mover) => {
    const isExact = !mover.grows || Math.abs(mover.now) + mover.slack <= mover.worst;
    return isExact ? mover : { ...mover, end: mover.free, wished: mover.free, grows: false };
  });
}

/** Below this headroom, of equity, nothing is traded into a limit: thinner sets are not told from empty ones. */
const HEADROOM_MIN = 1e-9;

/** One limit: which movers raise it, and how much room there is, of equity. */
interface Group {
  readonly code: CouplingCode;
  readonly members: readonly number[];
  readonly headroom: number;
  readonly form: 'gross' | 'buys' | 'sells' | 'trades';
}

export interface ClipProblem {
  readonly problem: ProjectionProblem;
  /** Codes of the problem's `sectors`, in their order. */
  readonly groupCodes: readonly CouplingCode[];
  /** Limits without headroom, by mover: it goes no further than they let it. */
  readonly frozen: readonly (readonly CouplingCode[])[];
}

/** A way to fill: all open orders that raise the market factor, or all that lower it. */
export type Way = 'up' | 'down';

/** The way that is worse when every mover reaches its end. */
export function worseWay(movers: readonly Mover[], before: Exposure): Way {
  let up = before.factorHigh / before.equity;
  let down = before.factorLow / before.equity;
  for (const { instrument, now, end } of movers) {
    up += Math.max(0, instrument.beta * (end - now));
    down += Math.min(0, instrument.beta * (end - now));
  }
  return up >= -down ? 'up' : 'down';
}

/** Volatility is posed along one way to fill; `volatilityScale` < 1 asks for less than the cap. */
export function clipProblem(wanted: readonly Mover[], before: Exposure, policy: PolicyInForce, way: Way, volatilityScale: number): ClipProblem {
  const { volatilityAnnual } = policy.policy.limits;
  const volatilityLeft = volatilityAnnual - Math.sqrt(before.variance) / before.equity;
  const { movers, frozen } = stopWithoutHeadroom(wanted, groupsOf(wanted, before, policy), volatilityLeft);
  const groups = groupsOf(movers, before, policy).filter(({ headroom }) => headroom > HEADROOM_MIN);
  const open = groups.filter(({ form }) => form !== 'trades');
  const array = (values: (mover: Mover) => number, rest: number): Float64Array => Float64Array.from([...movers.map(values), rest]);
  return {
    frozen,
    groupCodes: open.map(({ code }) => code),
    problem: {
      n: movers.length + 1,
      // The rest of the book is one more name, fixed at 1: its loadings are money, not weights.
      target: array((mover) => mover.wished, 1),
      lower: array(({ now, end }) => Math.min(now, end), 1),
      upper: array(({ now, end }) => Math.max(now, end), 1),
      current: array((mover) => mover.now, 1),
      gross: null, net: null, cvar: null,
      turnover: groups.find(({ form }) => form === 'trades')?.headroom ?? null,
      sectors: open.map((group) => sectorOf(group, movers)),
      volatility: volatilityLeft <= HEADROOM_MIN ? null : volatilityOf(movers, before, policy, way, volatilityAnnual * volatilityScale),
    },
  };
}

/** Without headroom for its worst case a leg goes as far as that does not grow; without headroom on its side, or for trades, nowhere. */
function stopWithoutHeadroom(
  movers: readonly Mover[], groups: readonly Group[], volatilityLeft: number,
): { readonly movers: readonly Mover[]; readonly frozen: readonly (readonly CouplingCode[])[] } {
  const stopped = movers.map((mover) => mover);
  const frozen = movers.map((): CouplingCode[] => []);
  const stop = (members: readonly number[], code: CouplingCode, end: 'now' | 'free'): void => {
    for (const i of members) {
      stopped[i] = { ...(stopped[i] as Mover), end: (stopped[i] as Mover)[end], grows: false };
      frozen[i]?.push(code);
    }
  };
  if (volatilityLeft <= HEADROOM_MIN) stop(indices(movers, ({ grows }) => grows), 'VOLATILITY_CAP', 'free');
  const full = groups.filter(({ headroom }) => headroom <= HEADROOM_MIN);
  for (const { members, code, form } of full) if (form === 'gross') stop(members, code, 'free');
  for (const { members, code, form } of full) if (form !== 'gross') stop(members, code, 'now');
  return { movers: stopped, frozen };
}

const indices = (movers: readonly Mover[], keep: (mover: Mover) => boolean): number[] => movers.flatMap((mover, i) => (keep(mover) ? [i] : []));

function groupsOf(movers: readonly Mover[], before: Exposure, policy: PolicyInForce): readonly Group[] {
  const { limits } = policy.policy;
  const { equity } = before;
  const growing = indices(movers, (mover) => mover.grows);
  const sectors = [...new Set(growing.map((i) => (movers[i] as Mover).instrument.sector))];
  return [
    { code: 'GROSS_EXPOSURE', form: 'gross', members: growing, headroom: limits.grossXEquity - before.gross / equity },
    { code: 'LEVERAGE', form: 'gross', members: growing, headroom: (limits.leverageX * (equity - before.unsettled) - before.gross) / equity },
    ...sectors.map((sector): Group => ({
      code: 'SECTOR_EXPOSURE', form: 'gross', members: growing.filter((i) => (movers[i] as Mover).instrument.sector === sector),
      headroom: limits.sectorXEquity - before.sectorGrossOf(sector) / equity,
    })),
    { code: 'NET_EXPOSURE', form: 'buys', members: indices(movers, ({ now, end }) => end > now), headroom: limits.netXEquity - before.longNet / equity },
    { code: 'NET_EXPOSURE', form: 'sells', members: indices(movers, ({ now, end }) => end < now), headroom: limits.netXEquity + before.shortNet / equity },
    { code: 'TURNOVER', form: 'trades', members: movers.map((_, i) => i), headroom: limits.turnoverXEquityPerDay - before.turnoverUsed / equity },
  ];
}

/** A group's headroom as a bound on its members' weights. */
function sectorOf({ form, members, headroom }: Group, movers: readonly Mover[]): Sector {
  const sum = (value: (mover: Mover) => number): number => members.reduce((total, i) => total + value(movers[i] as Mover), 0);
  const indexed = Int32Array.from(members);
  if (form === 'gross') return { members: indexed, gross: headroom + sum((mover) => mover.worst - mover.slack), net: null };
  const now = sum((mover) => mover.now);
  return { members: indexed, gross: null, net: form === 'buys' ? { low: -Infinity, high: now + headroom } : { low: now - headroom, high: Infinity } };
}

/** Volatility along one way to fill. The other way, and orders open on both sides, are judged on the result. */
function volatilityOf(movers: readonly Mover[], before: Exposure, policy: PolicyInForce, way: Way, cap: number): VolatilityCap {
  const { marketSigmaAnnual } = policy.policy.limits;
  const sum = (value: (mover: Mover, i: number) => number): number => movers.reduce((total, mover, i) => total + value(mover, i), 0);
  const variances = movers.map(({ instrument, grows }) => (grows ? idioVarianceOf(instrument, marketSigmaAnnual * marketSigmaAnnual) : 0));
  const betas = movers.map(({ instrument: { beta }, now, end }) => ((way === 'up' ? beta * (end - now) > 0 : beta * (end - now) < 0) ? beta : 0));
  const restFactor = (way === 'up' ? before.factorHigh : before.factorLow) / before.equity - sum(({ now }, i) => (betas[i] as number) * now);
  const restVariance = before.idioVariance / (before.equity * before.equity) - sum(({ worst }, i) => (variances[i] as number) * worst * worst);
  return {
    cap,
    loadings: [Float64Array.from([...betas, restFactor], (beta) => beta * marketSigmaAnnual)],
    idiosyncratic: Float64Array.from([...variances, Math.max(0, restVariance)]),
  };
}
