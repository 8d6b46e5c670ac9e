/** What a target is clipped to, against the projection written by hand from the book and the policy, and solved by another algorithm. */
import t from 'tap';
import { decideTarget } from '../../risk/decide-target.ts';
import { fromNumber, toNumber } from '../../risk/domain/decimal.ts';
import { idioVarianceOf } from '../../risk/factors.ts';
import type { Limits } from '../../risk/policy.ts';
import type { ProjectionProblem } from '../../risk/projection/problem.ts';
import { volatilityOf } from '../../risk/projection/feasible.ts';
import { deskOf, factsOf, policyWith, targetOf } from './desk.ts';
import { stream } from './projection/instances.ts';
import { oracle } from './projection/oracle.ts';
import { sample } from './sample.ts';

const COUNT = process.env['DEPTH'] === 'long' ? 1000 : 200;
const SYMBOLS = ['IBM', 'BAC', 'AIG', 'S001', 'S011', 'S021', 'S031', 'S002', 'S012'];
const INSTRUMENTS = SYMBOLS.map((symbol) => sample.universe.get(symbol)!);
const FACTS = factsOf(Object.fromEntries(SYMBOLS.map((symbol) => [symbol, {}])));
/** Nothing but the limits of the account and of a name binds. */
const WIDE = { kelly: { fraction: 1, unratedWeight: 10, require: false }, orderNotionalMax: fromNumber(1e9, 0), orderQtyMaxAdvFraction: 1, leverageX: 10 } as const;

interface Case {
  readonly limits: Limits;
  readonly held: readonly number[];
  readonly wished: readonly number[];
}

/** A book within its limits, or none, and a wish that is not. Weights in whole lots of a ten-thousandth. */
function caseOf(seed: number): Case {
  const next = stream(seed);
  const weight = (size: number): number => Math.round((2 * next() - 1) * size * 1e4) / 1e4;
  const held = SYMBOLS.map(() => (seed % 3 === 0 ? 0 : weight(0.08)));
  const wished = SYMBOLS.map(() => weight(0.3));
  const room = (used: number, size: number): number => used + size * next();
  const sum = (of: readonly number[]): number => of.reduce((total, w) => total + w, 0);
  const gross = sum(held.map(Math.abs));
  const { limits } = policyWith({
    ...WIDE, nameXEquity: 0.25, grossXEquity: room(gross, 1), netXEquity: room(Math.abs(sum(held)), 0.3), sectorXEquity: room(gross, 0.3),
    turnoverXEquityPerDay: 0.2 + next(), volatilityAnnual: room(volatilityOf(model({ volatilityAnnual: 1, marketSigmaAnnual: 0.16 }), Float64Array.from(held)), 0.15),
  }).policy;
  return { limits, held, wished };
}

function model({ volatilityAnnual, marketSigmaAnnual }: Pick<Limits, 'volatilityAnnual' | 'marketSigmaAnnual'>): NonNullable<ProjectionProblem['volatility']> {
  return {
    cap: volatilityAnnual, loadings: [Float64Array.from(INSTRUMENTS, ({ beta }) => beta * marketSigmaAnnual)],
    idiosyncratic: Float64Array.from(INSTRUMENTS, (instrument) => idioVarianceOf(instrument, marketSigmaAnnual ** 2)),
  };
}

function problemOf({ limits, held, wished }: Case): ProjectionProblem {
  const ends = wished.map((w, i) => (Math.abs(w) > Math.abs(held[i]!) || w * held[i]! < 0 ? Math.max(-limits.nameXEquity, Math.min(limits.nameXEquity, w)) : w));
  const sectors = [...new Set(INSTRUMENTS.map(({ sector }) => sector))];
  return {
    n: SYMBOLS.length, target: Float64Array.from(wished), current: Float64Array.from(held),
    lower: Float64Array.from(ends, (end, i) => Math.min(end, held[i]!, 0)), upper: Float64Array.from(ends, (end, i) => Math.max(end, held[i]!, 0)),
    gross: limits.grossXEquity, net: { low: -limits.netXEquity, high: limits.netXEquity }, turnover: limits.turnoverXEquityPerDay, cvar: null, volatility: model(limits),
    sectors: sectors.map((sector) => ({
      members: Int32Array.from(INSTRUMENTS.flatMap((each, i) => (each.sector === sector ? [i] : []))), gross: limits.sectorXEquity, net: null,
    })),
  };
}

t.test('a clip is the nearest portfolio within all limits', (t) => {
  let [worst, clipped] = [0, 0];
  for (let seed = 0; seed < COUNT; seed++) {
    const made = caseOf(seed);
    const book = SYMBOLS.map((symbol, i) => ({ symbol, qty: String(Math.round(made.held[i]! * 1e4)) }));
    const legs = Object.fromEntries(SYMBOLS.map((symbol, i) => [symbol, { target: fromNumber(made.wished[i]!, 4) }]));
    const decision = decideTarget(targetOf(legs), deskOf(policyWith(made.limits), book), FACTS);
    const nearest = oracle(problemOf(made));
    if (decision.decision === 'denied') t.fail(`seed ${seed} is denied: ${decision.verdicts.filter(({ outcome }) => outcome === 'deny').map(({ code }) => code).join()}`);
    if (decision.decision === 'clipped') clipped++;
    const distance = (weights: readonly number[]): number => Math.sqrt(weights.reduce((sum, w, i) => sum + (w - made.wished[i]!) ** 2, 0));
    const off = Math.abs(distance(decision.legs.map(({ allowed }) => toNumber(allowed))) - distance(nearest));
    worst = Math.max(worst, off);
    if (off > 1e-6) t.fail(`seed ${seed}: ${decision.legs.map(({ allowed }) => toNumber(allowed)).join()}, another algorithm ${nearest.join()}`);
  }
  t.ok(clipped > COUNT / 2, `${clipped} of ${COUNT} are clipped; distances differ by at most ${worst.toExponential(1)}`);
  t.end();
});
