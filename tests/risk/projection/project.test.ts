import { readFileSync } from 'node:fs';
import t from 'tap';
import { violations, volatilityOf } from '../../../risk/projection/feasible.ts';
import type { Projection, ProjectionProblem } from '../../../risk/projection/problem.ts';
import { FEASIBILITY, project } from '../../../risk/projection/project.ts';
import { needsShared, shared } from '../../shared.ts';
import { answersOf, problemOf, type ProjectionInputs } from './cases.ts';
import { families, free, instance } from './instances.ts';

const CASES = 'science-cases.json';

interface Case {
  readonly id: string;
  readonly topic: string;
  readonly inputs: ProjectionInputs;
  readonly expected: Readonly<Record<string, number | readonly number[]>>;
}

const near = (got: number, wanted: number, tolerance: number): boolean => Math.abs(got - wanted) <= tolerance;

function weightsOf(projection: Projection): Float64Array {
  if (projection.status !== 'feasible') throw new Error(JSON.stringify(projection));
  return projection.weights;
}

t.test('reference cases', needsShared(CASES), (t) => {
  const { cases } = JSON.parse(readFileSync(shared(CASES), 'utf8')) as { cases: Case[] };
  const projections = cases.filter(({ topic, expected }) => topic === 'projection' && 'distance' in expected);
  t.equal(projections.length, 4);
  for (const { id, inputs, expected } of projections) {
    const problem = problemOf(inputs);
    const answers = answersOf(problem, weightsOf(project(problem)));
    for (const [name, wanted] of Object.entries(expected)) {
      const got = [answers[name]!].flat();
      t.ok([wanted].flat().every((value, i) => near(got[i]!, value, 1e-9)), `${id} ${name}: ${JSON.stringify(got)}`);
    }
  }
  t.end();
});

t.test('a target that is feasible comes back as it is', (t) => {
  const problem = { ...free(3, [0.1, -0.2, 0.30000000000000004]), gross: 0.6, net: { low: 0.2, high: 0.2 } };
  const result = project(problem);
  t.same(result, { status: 'feasible', weights: problem.target, binding: [], gap: 0, steps: 0 });
  t.not(weightsOf(result), problem.target, 'a copy');
  t.end();
});

t.test('what binds, and its price', (t) => {
  const rows: readonly [name: string, problem: ProjectionProblem, expected: readonly (readonly [string, number, number])[]][] = [
    ['gross: the threshold of the soft-thresholding', { ...free(4, [0.8, -0.5, 0.3, 0.1]), gross: 1 }, [['gross', 0, 0.2]]],
    ['the low end of a range is negative', { ...free(2, [0, 0]), net: { low: 1, high: 2 } }, [['net', 0, -0.5]]],
    ['the high end is positive', { ...free(2, [2, 2]), net: { low: 1, high: 2 } }, [['net', 0, 1]]],
    ['a range without a high end', { ...free(2, [0, 0]), net: { low: 1, high: Infinity } }, [['net', 0, -0.5]]],
    ['turnover from the book', { ...free(2, [1, 0]), current: Float64Array.of(0, 1), turnover: 1 }, [['turnover', 0, 0.5]]],
    ['sector gross and sector net', {
      ...free(4, [1, -1, 1, 1]),
      sectors: [{ members: Int32Array.of(1, 0), gross: 1, net: null }, { members: Int32Array.of(2, 3), gross: null, net: { low: 0, high: 1 } }],
    }, [['sectorGross', 0, 0.5], ['sectorNet', 1, 0.5]]],
    ['boxes', { ...free(2, [0, 0]), upper: Float64Array.of(-1, 9), lower: Float64Array.of(-9, 2) }, [['upper', 0, 1], ['lower', 1, 2]]],
    ['volatility: the target scaled, as all names are alike', {
      ...free(2, [0.6, 0.8]), volatility: { cap: 0.1, loadings: [], idiosyncratic: Float64Array.of(0.04, 0.04) },
    }, [['volatility', 0, 2.5]]],
    ['a name without variance keeps its target', {
      ...free(2, [3, 1]), volatility: { cap: 0.1, loadings: [Float64Array.of(0, 0.2)], idiosyncratic: Float64Array.of(0, 0) },
    }, [['volatility', 0, 2.5]]],
    ['CVaR: the mean of the worst two of four', {
      ...free(1, [1]), cvar: { cap: 0.1, alpha: 0.5, scenarios: [[-0.3], [-0.1], [0.2], [0.4]].map((returns) => Float64Array.from(returns)) },
    }, [['cvar', 0, 2.5]]],
  ];
  for (const [name, problem, expected] of rows) {
    const result = project(problem);
    const binding = result.status === 'feasible' ? result.binding : [];
    t.same(binding.map(({ limit, index }) => [limit, index]), expected.map(([limit, index]) => [limit, index]), name);
    for (const [k, [, , price]] of expected.entries()) t.ok(near(binding[k]!.multiplier, price, 1e-8), `${name}: ${binding[k]!.multiplier}`);
  }
  t.end();
});

t.test('the price of a limit is by how much ½·distance² falls when it is loosened', (t) => {
  const problem = instance(5, 12, families[0]!, { volatility: true, cvar: false });
  const gross = problem.target.reduce((sum, w) => sum + Math.abs(w), 0) / 3;
  const tight: ProjectionProblem = { ...problem, gross, turnover: null, net: null, sectors: [] };
  const value = (p: ProjectionProblem): number => weightsOf(project(p)).reduce((sum, w, i) => sum + 0.5 * (w - p.target[i]!) ** 2, 0);
  const result = project(tight);
  const price = result.status === 'feasible' ? result.binding.find(({ limit }) => limit === 'gross')!.multiplier : NaN;
  const h = 1e-5;
  t.ok(near((value({ ...tight, gross: gross - h }) - value({ ...tight, gross: gross + h })) / (2 * h), price, 1e-6), String(price));
  t.end();
});

t.test('limits that exclude each other are named', (t) => {
  const d = new Float64Array(4).fill(0.04);
  const rows: readonly [name: string, problem: ProjectionProblem, expected: readonly string[]][] = [
    ['crossed boxes', { ...free(2, [0, 0]), lower: Float64Array.of(0, 2), upper: Float64Array.of(1, 1) }, ['lower 1', 'upper 1']],
    ['a crossed range', { ...free(2, [0, 0]), net: { low: 1, high: 0 } }, ['net 0']],
    ['net beyond the boxes', { ...free(2, [0, 0]), net: { low: 21, high: 30 } }, ['net 0']],
    ['net beyond gross', { ...free(2, [0, 0]), net: { low: 1, high: 2 }, gross: 0.9 }, ['gross 0', 'net 0']],
    ['a negative gross limit', { ...free(2, [0, 0]), gross: -1 }, ['gross 0']],
    ['net beyond both sector nets, gross at large', {
      ...free(4, [0, 0, 0, 0]), gross: 8, net: { low: 1, high: 2 },
      sectors: [0, 2].map((i) => ({ members: Int32Array.of(i, i + 1), gross: null, net: { low: -0.4, high: 0.4 } })),
    }, ['net 0', 'sectorNet 0', 'sectorNet 1']],
    ['net beyond volatility: at least 0.2 × 1/√4', {
      ...free(4, [9, 0, 0, 0]), net: { low: 1, high: 2 }, volatility: { cap: 0.099, loadings: [], idiosyncratic: d },
    }, ['net 0', 'volatility 0']],
    ['a CVaR cap below what any portfolio of the boxes loses', {
      ...free(1, [1]), lower: Float64Array.of(0.5), cvar: { cap: 0.01, alpha: 0, scenarios: [Float64Array.of(-0.1)] },
    }, ['cvar 0']],
  ];
  for (const [name, problem, expected] of rows) {
    const result = project(problem);
    t.equal(result.status, 'infeasible', name);
    if (result.status !== 'infeasible') continue;
    t.same(result.conflicting.map(({ limit, index }) => `${limit} ${index}`), expected, name);
    t.equal(Math.max(...result.conflicting.map(({ multiplier }) => Math.abs(multiplier))), 1, name);
  }
  t.equal(project({ ...free(4, [9, 0, 0, 0]), net: { low: 1, high: 2 }, volatility: { cap: 0.101, loadings: [], idiosyncratic: d } }).status, 'feasible');
  t.end();
});

t.test('a malformed problem is not decided', (t) => {
  const fine = free(2, [1, 1]);
  const two = (a: number, b: number): Float64Array => Float64Array.of(a, b);
  const volatility = { cap: 0.1, loadings: [two(1, 1)], idiosyncratic: two(1, 1) };
  const cvar = { cap: 0.1, alpha: 0.5, scenarios: [two(1, 1)] };
  const rows: readonly [fault: string, problem: ProjectionProblem][] = [
    ['target', { ...fine, target: two(1, NaN) }],
    ['target', { ...fine, target: Float64Array.of(1) }],
    ['boxes', { ...fine, upper: two(1, Infinity) }],
    ['current weights', { ...fine, current: two(NaN, 0) }],
    ['gross limit', { ...fine, gross: NaN }],
    ['turnover limit', { ...fine, turnover: Infinity }],
    ['net range', { ...fine, net: { low: NaN, high: 1 } }],
    ['sector limits', { ...fine, sectors: [{ members: Int32Array.of(0), gross: NaN, net: null }] }],
    ['sector members', { ...fine, sectors: [{ members: Int32Array.of(2), gross: 1, net: null }] }],
    ['sector members', { ...fine, sectors: [{ members: Int32Array.of(1, 1), gross: 1, net: null }] }],
    ['volatility cap', { ...fine, volatility: { ...volatility, cap: 0 } }],
    ['factor loadings', { ...fine, volatility: { ...volatility, loadings: [two(1, NaN)] } }],
    ['idiosyncratic variances', { ...fine, volatility: { ...volatility, idiosyncratic: two(1, -1) } }],
    ['CVaR limit', { ...fine, cvar: { ...cvar, alpha: 1 } }],
    ['scenarios', { ...fine, cvar: { ...cvar, scenarios: [] } }],
  ];
  for (const [fault, problem] of rows) t.same(project(problem), { status: 'undecided', reason: `malformed ${fault}` });
  t.end();
});

t.test('500 names, and the same bytes twice', (t) => {
  for (const [k, family] of families.entries()) {
    const problem = instance(k + 1, 500, family, { volatility: true, cvar: k % 2 === 0 });
    const result = project(problem);
    t.equal(result.status, 'feasible', family.name);
    t.same(violations(problem, weightsOf(result), FEASIBILITY), []);
    t.ok(Buffer.from(weightsOf(result).buffer).equals(Buffer.from(weightsOf(project(problem)).buffer)));
    t.same(project(problem), result);
  }
  t.end();
});

t.test('volatility far below the target\'s, by the lift', (t) => {
  const problem = instance(11, 200, families[0]!, { volatility: true, cvar: false });
  const target = problem.target;
  const volatility = { ...problem.volatility!, cap: 0.12 * volatilityOf(problem.volatility!, target) };
  const deep: ProjectionProblem = { ...free(200, target), volatility };
  const weights = weightsOf(project(deep));
  t.ok(near(volatilityOf(volatility, weights), volatility.cap, 1e-12));
  // Of all portfolios with this volatility the scaled target is one; the projection lies nearer.
  const off = (w: Float64Array): number => w.reduce((sum, x, i) => sum + (x - target[i]!) ** 2, 0);
  t.ok(off(weights) < off(target.map((w) => 0.12 * w)));
  t.end();
});
