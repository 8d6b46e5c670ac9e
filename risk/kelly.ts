/** Kelly sizing. The gateway bounds each leg by it; the growth formulas are what reports and the reference cases speak of. */
import type { Limits } from './policy.ts';

/**
 * The largest weight in the direction of `weight` that the Kelly rule permits, before the governor: fraction × |μ| ÷ σ² when the
 * sign agrees with μ, 0 against it. Without a forecast (μ or σ absent, or no finite ratio of them): `unratedWeight`, or null where the policy
 * requires one, which denies. `mu` a year, `sigma` per √year.
 */
export function kellyCap(weight: number, mu: number | null, sigma: number | null, policy: Limits['kelly']): number | null {
  const full = mu === null || sigma === null ? Number.NaN : mu / (sigma * sigma);
  if (!Number.isFinite(full)) return policy.require ? null : policy.unratedWeight;
  return full * weight > 0 ? policy.fraction * Math.abs(full) : 0;
}

/** k = min(1, cap ÷ volatility): what every weight is multiplied by to come down to the cap. 1 without volatility. */
export function volatilityScale(volatility: number, cap: number): number {
  return volatility > cap ? cap / volatility : 1;
}

/** Best stake of a bet that pays `b` to 1 with probability `p`: (bp − q) ÷ b. Negative: do not bet. */
export function binaryKelly(p: number, b: number): number {
  return (b * p - (1 - p)) / b;
}
/** Expected log growth a bet at stake `f`. */
export function binaryGrowth(p: number, b: number, f: number): number {
  return p * Math.log(1 + b * f) + (1 - p) * Math.log(1 - f);
}

/** Best leverage of one asset with mean `m`, rate `r`, volatility `s`: (m − r) ÷ s² (Thorp 2006, 7.1). */
export function continuousKelly(m: number, r: number, s: number): number {
  return (m - r) / (s * s);
}
/** Growth rate at leverage `f`: r + f (m − r) − ½ f² s². */
export function continuousGrowth(m: number, r: number, s: number, f: number): number {
  return r + f * (m - r) - 0.5 * f * f * s * s;
}
/** Probability of ever falling to the share `x` of the start with the fraction `c` of Kelly: x^(2/c − 1). */
export function everFallingTo(x: number, c: number): number {
  return x ** (2 / c - 1);
}

type Matrix = readonly (readonly number[])[];
const at = (matrix: Matrix, i: number, j: number): number => (matrix[i] as readonly number[])[j] as number;

/** Full Kelly of several assets, f = Σ⁻¹ μ (Merton 1969). Σ symmetric and positive definite, else RangeError. */
export function portfolioKelly(mu: readonly number[], covariance: Matrix): number[] {
  const lower = cholesky(covariance);
  const f = [...mu];
  for (let i = 0; i < f.length; i++) {
    for (let j = 0; j < i; j++) f[i] = (f[i] as number) - at(lower, i, j) * (f[j] as number);
    f[i] = (f[i] as number) / at(lower, i, i);
  }
  for (let i = f.length - 1; i >= 0; i--) {
    for (let j = i + 1; j < f.length; j++) f[i] = (f[i] as number) - at(lower, j, i) * (f[j] as number);
    f[i] = (f[i] as number) / at(lower, i, i);
  }
  return f;
}

function cholesky(matrix: Matrix): Matrix {
  const lower: number[][] = [];
  matrix.forEach((_, i) => {
    const row: number[] = [];
    lower.push(row);
    for (let j = 0; j <= i; j++) {
      let sum = at(matrix, i, j);
      for (let k = 0; k < j; k++) sum -= (row[k] as number) * at(lower, j, k);
      if (i === j && !(sum > 0)) throw new RangeError('the covariance is not positive definite');
      row.push(i === j ? Math.sqrt(sum) : sum / at(lower, j, j));
    }
  });
  return lower;
}

/** Against estimation error: μ (1 − λ), and the correlations of Σ (1 − λ), its variances as they are. */
export function shrink(mu: readonly number[], covariance: Matrix, lambda: number): { readonly mu: number[]; readonly covariance: number[][] } {
  return {
    mu: mu.map((m) => (1 - lambda) * m),
    covariance: covariance.map((row, i) => row.map((value, j) => (i === j ? value : (1 - lambda) * value))),
  };
}

/** √(fᵀ Σ f). */
export function portfolioVolatility(f: readonly number[], covariance: Matrix): number {
  let sum = 0;
  covariance.forEach((row, i) => {
    row.forEach((value, j) => {
      sum += (f[i] as number) * value * (f[j] as number);
    });
  });
  return Math.sqrt(sum);
}
