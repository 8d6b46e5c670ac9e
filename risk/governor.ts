/** The drawdown governor: as losses from the high-water mark grow, the size that Kelly permits shrinks to nothing. */
import type { Limits } from './policy.ts';

/**
 * 1 − equity ÷ peak, at least 0 (above the peak there is no drawdown). Null, a missing fact, when either is not finite or the peak
 * is not positive.
 */
export function drawdown(equity: number, peak: number): number | null {
  if (!Number.isFinite(equity) || !Number.isFinite(peak) || peak <= 0) return null;
  return Math.max(0, 1 - equity / peak);
}

/**
 * m(dd) = clamp((hardStop − dd) ÷ (hardStop − softStart), 0, 1)^power: 1 up to the soft start, 0 from the hard stop on, continuous and
 * never rising between. The power is a whole number (the policy sees to it), so the result is the same on every build.
 */
export function governor(dd: number, { softStart, hardStop, power }: Limits['governor']): number {
  const base = Math.min(1, Math.max(0, (hardStop - dd) / (hardStop - softStart)));
  let m = 1;
  for (let i = 0; i < power; i++) m *= base;
  return m;
}

/** Grossman & Zhou (1993): (D − dd) ÷ (D (1 − dd)), which in continuous trading keeps the drawdown below D. The yardstick for ours. */
export function grossmanZhou(dd: number, drawdownMax: number): number {
  if (dd >= drawdownMax) return 0;
  return (drawdownMax - dd) / (drawdownMax * (1 - dd));
}
