import t from 'tap';
import { project, FEASIBILITY } from '../../../risk/projection/project.ts';
import { violations } from '../../../risk/projection/feasible.ts';
import { families, instance, stream } from './instances.ts';
import { oracle } from './oracle.ts';

const deep = process.env['DEPTH'] === 'long';
const COUNT = deep ? 1000 : 200;

const distance = (a: ArrayLike<number>, b: Float64Array): number => Math.sqrt(b.reduce((sum, x, i) => sum + (a[i]! - x) ** 2, 0));

for (const [kind, kinds] of Object.entries({
  'linear limits': { volatility: false, cvar: false },
  volatility: { volatility: true, cvar: false },
  'volatility and CVaR': { volatility: true, cvar: true },
})) {
  t.test(`${kind}: as near to the target as another algorithm comes`, (t) => {
    let worst = 0;
    let apart = 0;
    for (let seed = 0; seed < COUNT; seed++) {
      const n = 2 + Math.floor(stream(seed)() * (deep ? 19 : 9));
      const problem = instance(seed, n, families[seed % families.length]!, kinds);
      const result = project(problem);
      if (result.status !== 'feasible') {
        t.fail(`seed ${seed}, n ${n}: ${JSON.stringify(result)}`);
        continue;
      }
      const other = oracle(problem);
      const off = Math.abs(distance(result.weights, problem.target) - distance(other, problem.target));
      worst = Math.max(worst, off);
      apart = Math.max(apart, distance(other, result.weights));
      if (off > 1e-6) t.fail(`seed ${seed}, n ${n}: distances differ by ${off}`);
      t.equal(violations(problem, result.weights, FEASIBILITY).length, 0);
    }
    t.comment(`${COUNT} cases: distances differ by at most ${worst.toExponential(1)}, weights by ${apart.toExponential(1)}`);
    t.ok(worst <= 1e-6);
    t.end();
  });
}

t.test('variational inequality: no feasible portfolio lies on the target\'s side of the answer', (t) => {
  let tried = 0;
  for (let seed = 0; seed < COUNT; seed++) {
    const next = stream(seed + 1_000_000);
    const problem = instance(seed, 20, families[seed % families.length]!, { volatility: true, cvar: true });
    const result = project(problem);
    if (result.status !== 'feasible') {
      t.fail(`seed ${seed}: ${JSON.stringify(result)}`);
      continue;
    }
    for (let k = 0; k < 5; k++) {
      // Projections of other targets are feasible portfolios, most of them on the border.
      const other = project({ ...problem, target: problem.target.map((w) => w + (next() - 0.5)) });
      if (other.status !== 'feasible') continue;
      tried++;
      const product = problem.target.reduce((sum, w, i) => sum + (w - result.weights[i]!) * (other.weights[i]! - result.weights[i]!), 0);
      if (product > 1e-9) t.fail(`seed ${seed}: ${product}`);
    }
  }
  t.ok(tried > COUNT * 4);
  t.end();
});
