/** One adapter a topic: from the inputs of a reference case to answers by the names that it expects, through what production imports. */
import { leastLiquidityVaR, solve } from '../../execution/almgren-chriss.ts';
import { permanentImpactBps, povDays, squareRootImpactBps, temporaryImpactBps } from '../../execution/cost.ts';
import { avgPxOf, shortfallOf, slippageBps, type Execution } from '../../execution/shortfall.ts';
import { add, fromNumber, multiply, subtract, toNumber, ZERO, type Decimal } from '../../risk/domain/decimal.ts';
import type { Side } from '../../risk/domain/order.ts';
import { governor, grossmanZhou } from '../../risk/governor.ts';
import {
  binaryGrowth, binaryKelly, continuousGrowth, continuousKelly, everFallingTo, portfolioKelly, portfolioVolatility, shrink, volatilityScale,
} from '../../risk/kelly.ts';
import { project } from '../../risk/projection/project.ts';
import { answersOf, problemOf, type ProjectionInputs } from '../risk/projection/cases.ts';

/** Throws where production cannot answer. Inputs are the file's: numbers that are absent become NaN and conform to nothing. */
export type Adapter = (inputs: never) => unknown;

/** Every topic that the gateway is to answer; null while production has nothing to ask. */
export const ADAPTERS: ReadonlyMap<string, Adapter | null> = new Map<string, Adapter | null>([
  ['almgren-chriss', almgrenChriss],
  ['bandit-linucb', null],
  ['bandit-propensity', null],
  ['bandit-squarecb', null],
  ['bocpd', null],
  ['calibration', null],
  ['cost-sqrt', costSqrt],
  ['drawdown-governor', drawdownGovernor],
  ['hmm-filter', null],
  ['impact-athl', impactAthl],
  ['implementation-shortfall', implementationShortfall],
  ['input-defence', null],
  ['kelly', kelly],
  ['off-policy', null],
  ['online-residual', null],
  ['policy-diff', null],
  ['prequential', null],
  ['projection', projection],
  ['safe-exploration', null],
  ['stress', null],
  ['tca-benchmarks', null],
  ['var-backtest', null],
  ['var-cvar', null],
]);

type Paper = Readonly<Record<'X' | 'sigma' | 'gamma' | 'epsilon' | 'eta' | 'N' | 'T', number>>;
function almgrenChriss({ X, sigma, gamma, epsilon, eta, N, T, ...aim }: Paper & ({ readonly lambda: number } | { readonly lambdaV: number })): unknown {
  const problem = { qty: X, horizonDays: T, slices: N, sigma, gamma, epsilon, eta };
  if ('lambdaV' in aim) {
    const { lvar, riskAversion } = leastLiquidityVaR(problem, aim.lambdaV);
    return { lvar, lambdaUtility: riskAversion };
  }
  const trajectory = solve({ ...problem, riskAversion: aim.lambda });
  return { ...trajectory, theta: 1 / trajectory.kappa };
}

type Athl = Readonly<Record<'X' | 'V' | 'theta' | 'sigma', number>> & { readonly T: readonly number[] };
function impactAthl({ X, V, theta, sigma, T }: Athl): unknown {
  const normalised = (bps: number): number => bps / 1e4 / sigma;
  const permanentBps = permanentImpactBps(sigma, X / V, theta / V);
  const byHorizon = T.map((days) => {
    const temporaryBps = temporaryImpactBps(sigma, X / V / days);
    return { T: days, temporaryNormalised: normalised(temporaryBps), temporaryBps, realisedBps: permanentBps / 2 + temporaryBps };
  });
  return { inverseTurnover: theta / V, permanentNormalised: normalised(permanentBps), permanentBps, byHorizon };
}

function costSqrt({ Q, V, sigma, Y, spreadBps, feeBps, rho }: Readonly<Record<'Q' | 'V' | 'sigma' | 'Y' | 'spreadBps' | 'feeBps' | 'rho', number>>): unknown {
  const impactBps = squareRootImpactBps(Y, sigma, Q / V);
  const durationDays = povDays(Q / V, rho);
  const totalBps = impactBps + spreadBps / 2 + feeBps;
  return { impactBps, halfSpreadBps: spreadBps / 2, totalBps, durationDays, durationDaysExclOwn: durationDays - Q / V };
}

interface Parent extends Readonly<Record<'orderQty' | 'decisionPrice' | 'arrivalPrice' | 'endPrice' | 'fees', number>> {
  readonly side: Side;
  readonly fills: readonly { readonly qty: number; readonly price: number }[];
}
/** The cases charge delay on the whole order, production on what was filled: the delay of all is what the totals from both prices differ by. */
function implementationShortfall({ side, fills, ...parent }: Parent): unknown {
  const exact = (value: number): Decimal => fromNumber(value, 9);
  const [arrivalPx, endPx] = [exact(parent.arrivalPrice), exact(parent.endPrice)];
  const cumQty = fills.reduce((sum, { qty }) => add(sum, exact(qty)), ZERO);
  const cost = fills.reduce((sum, { qty, price }) => add(sum, multiply(exact(qty), exact(price))), ZERO);
  const sinceArrival: Execution = {
    side, orderQty: exact(parent.orderQty), cumQty, cost, releaseCost: multiply(cumQty, arrivalPx), fees: exact(parent.fees), arrivalPx, halfSpread: ZERO,
  };
  const part = shortfallOf(sinceArrival, endPx)!;
  const whole = shortfallOf({ ...sinceArrival, arrivalPx: exact(parent.decisionPrice) }, endPx)!;
  const avgPx = avgPxOf(sinceArrival);
  if (avgPx === null) throw new RangeError('nothing was filled');
  return {
    delay: toNumber(subtract(whole.total, part.total)), execution: toNumber(part.impact), opportunity: toNumber(part.opportunity), fees: toNumber(whole.fees),
    total: toNumber(whole.total), totalBps: whole.bps, avgFill: toNumber(avgPx), filled: toNumber(cumQty),
    slippageVsArrivalBps: slippageBps(side, avgPx, arrivalPx),
  };
}

interface Coins { readonly p: readonly number[]; readonly b: number }
type OneAsset = Readonly<Record<'m' | 'r' | 's' | 'fraction' | 'x', number>>;
type Assets = Readonly<Record<'fraction' | 'shrink' | 'volCap', number>> & { readonly mu: readonly number[]; readonly sigma: readonly (readonly number[])[] };
function kelly(inputs: Coins | OneAsset | Assets): unknown {
  return 'p' in inputs ? kellyOfCoins(inputs) : 'm' in inputs ? kellyOfOneAsset(inputs) : kellyOfAssets(inputs);
}

function kellyOfCoins({ p, b }: Coins): unknown {
  return Object.fromEntries(p.map((chance) => {
    const fStar = binaryKelly(chance, b);
    const growth = (share: number): number => binaryGrowth(chance, b, share * fStar);
    return [`p${String(chance).replace('.', '')}`, { fStar, gStar: growth(1), gHalf: growth(0.5), gDouble: growth(2) }];
  }));
}

function kellyOfOneAsset({ m, r, s, fraction, x }: OneAsset): unknown {
  const fStar = continuousKelly(m, r, s);
  const growth = (f: number): number => continuousGrowth(m, r, s, f);
  return {
    fStar, gStar: growth(fStar), gUnlevered: growth(1), gFraction: growth(fraction * fStar), volAtFull: fStar * s, volAtFraction: fraction * fStar * s,
    probEverHalve: everFallingTo(x, 1), probEverHalveFraction: everFallingTo(x, fraction),
  };
}

function kellyOfAssets({ mu, sigma, fraction, shrink: lambda, volCap }: Assets): unknown {
  const full = portfolioKelly(mu, sigma);
  const sharpeSquared = portfolioVolatility(full, sigma) ** 2;
  const careful = shrink(mu, sigma, lambda);
  const shrunkFull = portfolioKelly(careful.mu, careful.covariance);
  const fractional = shrunkFull.map((f) => fraction * f);
  const volFractional = portfolioVolatility(fractional, sigma);
  const volScale = volatilityScale(volFractional, volCap);
  const final = fractional.map((f) => volScale * f);
  const finalVol = portfolioVolatility(final, sigma);
  return { full, growthFull: sharpeSquared / 2, sharpeSquared, shrunkFull, fractional, volFractional, volScale, final, finalVol };
}

type Drawdowns = Readonly<Record<'soft' | 'hard' | 'power', number>> & { readonly drawdown: readonly number[] };
function drawdownGovernor({ drawdown, soft, hard, power }: Drawdowns): unknown {
  return {
    governor: drawdown.map((dd) => governor(dd, { softStart: soft, hardStop: hard, power })),
    grossmanZhou: drawdown.map((dd) => grossmanZhou(dd, hard)),
  };
}

function projection(inputs: ProjectionInputs): unknown {
  const problem = problemOf(inputs);
  const result = project(problem);
  return result.status === 'feasible' ? answersOf(problem, result.weights) : result;
}
