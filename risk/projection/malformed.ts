import type { ProjectionProblem, Range } from './problem.ts';

/** What makes a problem unfit to be solved, as a sentence's end; null when it is well formed. Crossed boxes are infeasible, not malformed. */
export function malformed(problem: ProjectionProblem): string | null {
  const { n, volatility, cvar } = problem;
  const numbers = (values: Float64Array): boolean => values.length === n && finite(values);
  const limit = (value: number | null): boolean => value === null || Number.isFinite(value);
  const range = (value: Range | null): boolean => value === null || (value.low < Infinity && value.high > -Infinity);
  const members = (values: Int32Array): boolean => values.every((i) => i >= 0 && i < n) && new Set(values).size === values.length;
  const faults: readonly (readonly [fault: string, present: boolean])[] = [
    ['target', !numbers(problem.target)],
    ['boxes', !numbers(problem.lower) || !numbers(problem.upper)],
    ['current weights', !numbers(problem.current)],
    ['gross limit', !limit(problem.gross)],
    ['turnover limit', !limit(problem.turnover)],
    ['net range', !range(problem.net)],
    ['sector limits', !problem.sectors.every((sector) => limit(sector.gross) && range(sector.net))],
    ['sector members', !problem.sectors.every((sector) => members(sector.members))],
    ['volatility cap', volatility !== null && !(Number.isFinite(volatility.cap) && volatility.cap > 0)],
    ['factor loadings', volatility !== null && !volatility.loadings.every(numbers)],
    ['idiosyncratic variances', volatility !== null && !(numbers(volatility.idiosyncratic) && volatility.idiosyncratic.every((d) => d >= 0))],
    ['CVaR limit', cvar !== null && !(Number.isFinite(cvar.cap) && cvar.alpha >= 0 && cvar.alpha < 1)],
    ['scenarios', cvar !== null && !(cvar.scenarios.length > 0 && cvar.scenarios.every(numbers))],
  ];
  const fault = faults.find(([, present]) => present);
  return fault === undefined ? null : `malformed ${fault[0]}`;
}

/** A plain loop: scenarios hold a hundred thousand numbers. */
function finite(values: Float64Array): boolean {
  for (const x of values) if (!Number.isFinite(x)) return false;
  return true;
}
