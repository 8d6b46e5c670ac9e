import fc from 'fast-check';
import t from 'tap';
import { violations } from '../../../risk/projection/feasible.ts';
import type { Projection, ProjectionProblem } from '../../../risk/projection/problem.ts';
import { FEASIBILITY, project } from '../../../risk/projection/project.ts';
import { families, free, instance } from './instances.ts';

const numRuns = process.env['DEPTH'] === 'long' ? 1000 : 100;

const anyInstance = fc.record({
  seed: fc.nat(), n: fc.integer({ min: 1, max: 40 }), family: fc.constantFrom(...families), volatility: fc.boolean(), cvar: fc.boolean(),
}).map(({ seed, n, family, ...kinds }) => instance(seed, n, family, kinds));

function distanceOf(problem: ProjectionProblem, projection: Projection): number {
  if (projection.status !== 'feasible') return Infinity;
  return Math.sqrt(projection.weights.reduce((sum, w, i) => sum + (w - problem.target[i]!) ** 2, 0));
}

/** The problem with one limit tightened by `share`; `which` picks the limit. */
function tightened(problem: ProjectionProblem, which: number, share: number): ProjectionProblem {
  const less = (value: number | null): number | null => (value === null ? null : value * (1 - share));
  const range = (value: { low: number; high: number } | null): { low: number; high: number } | null =>
    value === null ? null : { low: value.low, high: value.high - share * (value.high - value.low) };
  const tighter: readonly Partial<ProjectionProblem>[] = [
    { gross: less(problem.gross) },
    { turnover: less(problem.turnover) },
    { net: range(problem.net) },
    { sectors: problem.sectors.map((sector) => ({ ...sector, gross: less(sector.gross) })) },
    { sectors: problem.sectors.map((sector) => ({ ...sector, net: range(sector.net) })) },
    { upper: problem.upper.map((u, i) => u - share * (u - problem.lower[i]!)) },
    { volatility: problem.volatility === null ? null : { ...problem.volatility, cap: problem.volatility.cap * (1 - share) } },
    { cvar: problem.cvar === null ? null : { ...problem.cvar, cap: problem.cvar.cap - share * Math.abs(problem.cvar.cap) } },
  ];
  return { ...problem, ...tighter[which % tighter.length] };
}

t.test('an answer keeps every limit, and projecting it again changes no bit', (t) => {
  fc.assert(fc.property(anyInstance, (problem) => {
    const result = project(problem);
    if (result.status !== 'feasible') return false;
    const again = project({ ...problem, target: result.weights });
    return violations(problem, result.weights, FEASIBILITY).length === 0 && again.status === 'feasible' && again.steps === 0
      && again.weights.every((w, i) => Object.is(w, result.weights[i]));
  }), { numRuns });
  t.end();
});

t.test('a record can hold every number of an answer: finite, no −0', (t) => {
  fc.assert(fc.property(anyInstance, (problem) => {
    const result = project(problem);
    return result.status === 'feasible' && [...result.weights, result.gap, ...result.binding.map(({ multiplier }) => multiplier)]
      .every((x) => Number.isFinite(x) && !Object.is(x, -0));
  }), { numRuns });
  t.end();
});

t.test('tightening a limit never brings the answer nearer to the target', (t) => {
  fc.assert(fc.property(anyInstance, fc.nat(7), fc.double({ min: 0.001, max: 0.9, noNaN: true }), (problem, which, share) => {
    const tight = project(tightened(problem, which, share));
    return tight.status === 'undecided' || distanceOf(problem, tight) >= distanceOf(problem, project(problem)) - 1e-7;
  }), { numRuns });
  t.end();
});

t.test('tightening decides: few problems stay undecided', (t) => {
  const all = fc.sample(fc.tuple(anyInstance, fc.nat(7), fc.double({ min: 0.001, max: 0.9, noNaN: true })), { numRuns, seed: 7 });
  const undecided = all.filter(([problem, which, share]) => project(tightened(problem, which, share)).status === 'undecided');
  t.ok(undecided.length <= numRuns / 100, `${undecided.length} of ${numRuns}`);
  t.end();
});

t.test('turnover against net: infeasible exactly when the turnover is less than what net asks for', (t) => {
  const room = fc.oneof(fc.double({ min: 0.1, max: 0.9999, noNaN: true }), fc.double({ min: 1.0001, max: 2, noNaN: true }));
  const weights = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 2, maxLength: 30 });
  fc.assert(fc.property(weights, fc.integer({ min: 1, max: 200 }), room, (current, asked, share) => {
    const n = current.length;
    const book = Float64Array.from(current, (w) => w / 100);
    const low = book.reduce((sum, w) => sum + w, 0) + asked / 100;
    const problem = { ...free(n, book.map((w, i) => w + (i % 3) - 1)), current: book, turnover: share * (asked / 100), net: { low, high: low + 1 } };
    const result = project(problem);
    if (share > 1) return result.status === 'feasible';
    return result.status === 'infeasible' && result.conflicting.map(({ limit }) => limit).join() === 'turnover,net';
  }), { numRuns });
  t.end();
});

t.test('volatility against net: infeasible exactly below the least volatility at that net', (t) => {
  const room = fc.oneof(fc.double({ min: 0.1, max: 0.999, noNaN: true }), fc.double({ min: 1.001, max: 2, noNaN: true }));
  const names = fc.array(fc.record({ sigma: fc.integer({ min: 5, max: 60 }), wish: fc.integer({ min: -50, max: 50 }) }), { minLength: 1, maxLength: 30 });
  fc.assert(fc.property(names, room, (all, share) => {
    const idiosyncratic = Float64Array.from(all, ({ sigma }) => (sigma / 100) ** 2);
    const least = 1 / Math.sqrt(idiosyncratic.reduce((sum, d) => sum + 1 / d, 0));
    const problem: ProjectionProblem = {
      ...free(all.length, all.map(({ wish }) => wish / 10)), net: { low: 1, high: 50 }, volatility: { cap: share * least, loadings: [], idiosyncratic },
    };
    return project(problem).status === (share < 1 ? 'infeasible' : 'feasible');
  }), { numRuns });
  t.end();
});
