import fc from 'fast-check';
import t from 'tap';
import { leastLiquidityVaR, solve } from '../../execution/almgren-chriss.ts';
import type { ExecutionProblem } from '../../execution/almgren-chriss.ts';
import { needsShared } from '../shared.ts';
import { casesOf, differences } from './science.ts';

/** Table 1 of the paper. */
const PAPER = { qty: 1e6, horizonDays: 5, slices: 5, sigma: 0.95, gamma: 2.5e-7, epsilon: 1 / 16, eta: 2.5e-6 };
const near = (got: number, want: number, relative: number): boolean => Math.abs(got - want) <= relative * Math.abs(want);

interface Inputs {
  readonly X: number; readonly sigma: number; readonly gamma: number; readonly epsilon: number; readonly eta: number; readonly N: number; readonly T: number;
  readonly lambda?: number; readonly lambdaV?: number;
}
const adapt = ({ X, sigma, gamma, epsilon, eta, N, T, lambda, lambdaV }: Inputs): unknown => {
  const problem = { qty: X, horizonDays: T, slices: N, sigma, gamma, epsilon, eta };
  if (lambdaV !== undefined) {
    const { lvar, riskAversion } = leastLiquidityVaR(problem, lambdaV);
    return { lvar, lambdaUtility: riskAversion };
  }
  const solved = solve({ ...problem, riskAversion: lambda ?? 0 });
  return { ...solved, theta: 1 / solved.kappa };
};
t.test('the reference cases', needsShared('science-cases.json'), (t) => {
  const cases = casesOf<Inputs>('almgren-chriss');
  t.ok(cases.length >= 4);
  for (const c of cases) t.same(differences(c as never, adapt(c.inputs)), [], c.id);
  t.end();
});

t.test('the runs of the DROP library, and the trigonometric case', (t) => {
  for (const [lambda, cost, variance, theta] of [[1e-9, 662_500.9, 1.08119e12, 51.2997], [9e-9, 662_572.1, 1.06691e12, 17.1021]] as const) {
    const solved = solve({ ...PAPER, riskAversion: lambda });
    t.ok(near(solved.expectedCost, cost, 1e-6) && near(solved.variance, variance, 1e-5) && near(1 / solved.kappa, theta, 1e-5));
  }
  const loving = solve({ ...PAPER, riskAversion: -2e-7 });
  for (const [j, x] of [910_056.44, 750_948.58, 534_768.64, 277_946.28].entries()) t.ok(near(loving.holdings[j + 1]!, x, 1e-8));
  t.ok(near(loving.expectedCost, 717_958.1, 1e-8) && near(loving.variance, 1.584211e12, 1e-6));
  t.end();
});

const problems = fc.record({
  qty: fc.double({ min: 1, max: 1e7, noNaN: true }), horizonDays: fc.double({ min: 0.01, max: 20, noNaN: true }),
  slices: fc.integer({ min: 1, max: 60 }), sigma: fc.double({ min: 0, max: 5, noNaN: true }), gamma: fc.constant(1e-9), epsilon: fc.constant(0.01),
  eta: fc.double({ min: 1e-6, max: 1e-3, noNaN: true }),
  riskAversion: fc.double({ min: 0, max: 10, noNaN: true }),
});

t.test('holdings fall from X to 0, whatever the urgency', (t) => {
  fc.assert(fc.property(problems, (problem) => {
    const { holdings, trades } = solve(problem);
    return holdings[0] === problem.qty && Math.abs(holdings.at(-1)!) === 0 && trades.every((n) => n >= 0) && holdings.every(Number.isFinite);
  }), { numRuns: 500 });
  t.end();
});

t.test('solving again on the way gives the tail of the same trajectory', (t) => {
  fc.assert(fc.property(problems.filter((p) => p.slices >= 2), (problem: ExecutionProblem) => {
    const { holdings } = solve(problem);
    const slices = problem.slices - 1;
    const rest = solve({ ...problem, qty: holdings[1]!, slices, horizonDays: (problem.horizonDays * slices) / problem.slices });
    return rest.holdings.every((x, j) => Math.abs(x - holdings[j + 1]!) <= 1e-9 * problem.qty);
  }));
  t.end();
});

t.test('no neighbour of the solution is better', (t) => {
  const objective = (p: ExecutionProblem, x: readonly number[]): number => {
    const tau = p.horizonDays / p.slices;
    const n = x.slice(1).map((left, j) => x[j]! - left);
    const cost = (p.gamma * p.qty ** 2) / 2 + p.epsilon * p.qty + ((p.eta - (p.gamma * tau) / 2) / tau) * n.reduce((sum, v) => sum + v * v, 0);
    return cost + p.riskAversion * p.sigma ** 2 * tau * x.slice(1).reduce((sum, v) => sum + v * v, 0);
  };
  for (const riskAversion of [-2e-7, 0, 1e-7, 1e-6, 1e-5]) {
    const problem = { ...PAPER, riskAversion };
    const solved = solve(problem);
    t.ok(near(solved.objective, objective(problem, solved.holdings), 1e-12));
    for (let j = 1; j < 5; j++) {
      for (const step of [-100, 100]) t.ok(objective(problem, solved.holdings.with(j, solved.holdings[j]! + step)) > solved.objective);
    }
  }
  t.end();
});

t.test('problems without a solution are refused', (t) => {
  t.throws(() => solve({ ...PAPER, eta: 1e-7, riskAversion: 1e-6 }), RangeError, 'η̃ ≤ 0');
  t.throws(() => solve({ ...PAPER, riskAversion: -1e-4 }), RangeError, 'λ too negative');
  t.throws(() => leastLiquidityVaR({ ...PAPER, slices: 1 }, 1.645), RangeError, 'V is 0');
  t.end();
});
