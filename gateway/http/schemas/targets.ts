/** Target portfolios on the wire, and as the core reads them. */
import { Type, type Static } from 'typebox';
import { formatDecimal, parseDecimal } from '../../../risk/domain/decimal.ts';
import type { Leg, TargetPortfolio } from '../../../risk/domain/target.ts';
import { formatInstant } from '../../../risk/domain/time.ts';
import { shape } from '../shape.ts';
import { fromAttribution, toAttribution } from './attribution.ts';
import { Account, admittedInstant, Attribution, DecimalText, Instant, NonNegativeText, Strategy, STRICT, Symbol, TargetId } from './common.ts';

const LEGS_MAX = 5000;
const HORIZON_SECONDS_MAX = 7 * 24 * 3600;

const LegBody = Type.Object({
  symbol: Symbol,
  target: DecimalText,
  mu: Type.Optional(DecimalText),
  sigma: Type.Optional(NonNegativeText),
  forecastDays: Type.Optional(NonNegativeText),
}, STRICT);

const TargetSchema = Type.Object({
  targetId: TargetId,
  account: Account,
  strategy: Strategy,
  asOf: Instant,
  basis: Type.Enum(['weight', 'quantity', 'notional']),
  mode: Type.Enum(['clip', 'all_or_none']),
  scope: Type.Enum(['listed', 'complete']),
  horizonSeconds: Type.Integer({ minimum: 1, maximum: HORIZON_SECONDS_MAX }),
  legs: Type.Array(LegBody, { maxItems: LEGS_MAX }),
  attribution: Type.Optional(Attribution),
}, STRICT);

type LegBody = Static<typeof LegBody>;
export type TargetBody = Static<typeof TargetSchema>;

function targetFault(body: TargetBody): string | null {
  if (body.legs.length === 0 && body.scope === 'listed') return 'legs is empty: only a complete portfolio may be';
  return new Set(body.legs.map((leg) => leg.symbol)).size < body.legs.length ? 'legs names a symbol twice' : null;
}

export const targetShape = shape(TargetSchema, targetFault);

/** A sum with 0 is never −0, which no record holds. */
const toNumberOrNull = (text: string | undefined): number | null => (text === undefined ? null : Number(text) + 0);

function toLeg(leg: LegBody): Leg {
  return {
    symbol: leg.symbol,
    target: parseDecimal(leg.target),
    mu: toNumberOrNull(leg.mu),
    sigma: toNumberOrNull(leg.sigma),
    forecastDays: toNumberOrNull(leg.forecastDays),
  };
}

/** An admitted body as the core reads it. */
export function toTarget(body: TargetBody): TargetPortfolio {
  return { ...body, asOf: admittedInstant(body.asOf), attribution: toAttribution(body.attribution), legs: body.legs.map(toLeg) };
}

/** A double as a decimal of the wire; exact for every decimal of at most 15 digits. */
const decimalOf = (value: number): string => (Number.isInteger(value) ? BigInt(value).toString() : formatDecimal(parseDecimal(value.toFixed(18))));

/** The inverse of `toTarget`. */
export function fromTarget(target: TargetPortfolio): TargetBody {
  const attribution = fromAttribution(target.attribution);
  return {
    targetId: target.targetId, account: target.account, strategy: target.strategy, asOf: formatInstant(target.asOf), basis: target.basis, mode: target.mode,
    scope: target.scope, horizonSeconds: target.horizonSeconds,
    legs: target.legs.map(({ symbol, target: wished, mu, sigma, forecastDays }) => ({
      symbol,
      target: formatDecimal(wished),
      ...(mu === null ? {} : { mu: decimalOf(mu) }),
      ...(sigma === null ? {} : { sigma: decimalOf(sigma) }),
      ...(forecastDays === null ? {} : { forecastDays: decimalOf(forecastDays) }),
    })),
    ...(attribution === undefined ? {} : { attribution }),
  };
}
