/**
 * Optimal execution of Almgren & Chriss (2000) in discrete time, linear impact: the trajectory that minimises E + λV.
 * Prices in currency a share, time in days, σ in currency a share per √day. Doubles: nothing here goes into a balance.
 */

export interface ExecutionProblem {
  /** X, shares to trade, unsigned. */
  readonly qty: number;
  /** T, days. */
  readonly horizonDays: number;
  /** N ≥ 1. */
  readonly slices: number;
  readonly sigma: number;
  /** Permanent impact, currency a share². */
  readonly gamma: number;
  /** Fixed cost a share: half spread and fee. */
  readonly epsilon: number;
  /** Temporary impact, (currency a share) for each (share a day). */
  readonly eta: number;
  /** λ, 1/currency. 0 minimises cost alone; negative loves risk. */
  readonly riskAversion: number;
}

export interface Trajectory {
  /** x_0 … x_N: shares left after each slice; the first is X, the last 0. */
  readonly holdings: readonly number[];
  /** n_1 … n_N. */
  readonly trades: readonly number[];
  /** E, currency (eq. 8). */
  readonly expectedCost: number;
  /** V, currency² (eq. 5). */
  readonly variance: number;
  readonly objective: number;
  readonly etaTilde: number;
  /** κ̃², 1/day²; has λ's sign. */
  readonly kappaTildeSquared: number;
  /** κ, 1/day: 0 is a straight line. For negative λ the rate of the trigonometric solution. */
  readonly kappa: number;
}

type Path = Pick<Trajectory, 'holdings' | 'etaTilde' | 'kappaTildeSquared' | 'kappa'>;

/** The trajectory of the problem with its cost and its variance. Errors as of `bestPath`. */
export function solve(problem: ExecutionProblem): Trajectory {
  const { qty, horizonDays, slices, sigma, gamma, epsilon, riskAversion } = problem;
  const tau = horizonDays / slices;
  const path = bestPath(problem);
  const { holdings, etaTilde } = path;
  const trades = holdings.slice(1).map((left, j) => (holdings[j] as number) - left);
  const traded = trades.reduce((sum, n) => sum + Math.abs(n), 0);
  const squares = trades.reduce((sum, n) => sum + n * n, 0);
  const expectedCost = (gamma * qty * qty) / 2 + epsilon * traded + (etaTilde / tau) * squares;
  const variance = sigma * sigma * tau * holdings.slice(1).reduce((sum, x) => sum + x * x, 0);
  return { ...path, trades, expectedCost, variance, objective: expectedCost + riskAversion * variance };
}

/**
 * The best path in closed form (eqs. 16–18): the fixed cost a share does not bend it. Throws RangeError when η − γτ/2 ≤ 0 or when so
 * negative a λ has no minimum.
 */
export function bestPath({ qty, horizonDays, slices, sigma, gamma, eta, riskAversion }: Omit<ExecutionProblem, 'epsilon'>): Path {
  const tau = horizonDays / slices;
  const etaTilde = eta - (gamma * tau) / 2;
  if (!(etaTilde > 0)) throw new RangeError('temporary impact must exceed half the permanent impact of a slice');
  const kappaTildeSquared = (riskAversion * sigma * sigma) / etaTilde;
  const kappa = rateOf(kappaTildeSquared, tau);
  if (kappaTildeSquared < 0 && !(kappa * horizonDays < Math.PI)) throw new RangeError('the objective has no minimum');
  const fractionLeft = kappa === 0 ? straight : kappaTildeSquared < 0 ? sinRatio : sinhRatio;
  const holdings: number[] = [];
  for (let left = slices; left >= 0; left--) holdings.push(qty * fractionLeft(left, slices, kappa * tau));
  return { holdings, etaTilde, kappaTildeSquared, kappa };
}

/** κ of (2/τ²)(cosh κτ − 1) = κ̃², by asinh: the acosh form loses its digits for small λ. Negative κ̃²: the same with cos. */
function rateOf(kappaTildeSquared: number, tau: number): number {
  const half = (Math.sqrt(Math.abs(kappaTildeSquared)) * tau) / 2;
  return (2 / tau) * (kappaTildeSquared < 0 ? Math.asin(half) : Math.asinh(half));
}

const straight = (left: number, slices: number): number => left / slices;
const sinRatio = (left: number, slices: number, angle: number): number => Math.sin(left * angle) / Math.sin(slices * angle);
/** sinh(left·u)/sinh(slices·u) without overflow: sinh itself ends at 710. */
function sinhRatio(left: number, slices: number, u: number): number {
  return (Math.exp((left - slices) * u) * Math.expm1(-2 * left * u)) / Math.expm1(-2 * slices * u);
}

/**
 * The least E + λ_v·√V over all trajectories, L-VaR (eq. 22), and the λ that reaches it. There dE + (λ_v/2√V)·dV = 0, so λ is the
 * fixed point of λ_v / (2√V(λ)). Throws RangeError when trading at once is best and no λ reaches it.
 */
export function leastLiquidityVaR(problem: Omit<ExecutionProblem, 'riskAversion'>, lambdaV: number): { readonly lvar: number; readonly riskAversion: number } {
  let riskAversion = 0;
  for (let i = 0; i < 1000; i++) {
    const { expectedCost, variance } = solve({ ...problem, riskAversion });
    const next = lambdaV / (2 * Math.sqrt(variance));
    if (!Number.isFinite(next)) break;
    if (Math.abs(next - riskAversion) <= 1e-12 * next) return { lvar: expectedCost + lambdaV * Math.sqrt(variance), riskAversion };
    riskAversion = next;
  }
  throw new RangeError('no trajectory of several slices has the least L-VaR');
}
