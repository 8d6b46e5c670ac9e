/**
 * The one-factor risk model of a universe, and its alignment with the lines of an account, so that the exposure pass looks nothing up.
 * Everything here is derived from a policy in force and an account's lines, cached, and never part of the state.
 */
import type { Instrument } from './domain/instrument.ts';
import type { PolicyInForce } from './policy.ts';
import type { Account, Line } from './state.ts';

/** What the exposure pass needs of an instrument: a small integer and two doubles. */
export interface Factor {
  /** Index in `RiskModel.sectors`. */
  readonly sector: number;
  readonly beta: number;
  readonly idioVariance: number;
  /** Whether the proceeds of a sale come later. */
  readonly settlesLater: boolean;
}
export interface RiskModel {
  /** In the order of the universe. */
  readonly sectors: readonly string[];
  readonly factors: ReadonlyMap<string, Factor>;
  readonly marketVariance: number;
}

/** A policy in force never changes, so its model is made once. */
const models = new WeakMap<PolicyInForce, RiskModel>();

function riskModelOf(inForce: PolicyInForce): RiskModel {
  let model = models.get(inForce);
  if (model === undefined) {
    model = makeModel(inForce);
    models.set(inForce, model);
  }
  return model;
}

function makeModel({ policy, universe }: PolicyInForce): RiskModel {
  const marketVariance = policy.limits.marketSigmaAnnual * policy.limits.marketSigmaAnnual;
  const index = new Map<string, number>();
  const factors = new Map<string, Factor>();
  for (const instrument of universe.values()) {
    const sector = index.get(instrument.sector) ?? index.size;
    index.set(instrument.sector, sector);
    const { beta, settlementDays, symbol } = instrument;
    factors.set(symbol, { sector, beta, idioVariance: idioVarianceOf(instrument, marketVariance), settlesLater: settlementDays > 0 });
  }
  return { sectors: [...index.keys()], factors, marketVariance };
}

/** Variance a year that the market factor does not explain; never less than that of a tenth of the name's own volatility. */
export function idioVarianceOf({ sigmaAnnual, beta }: Instrument, marketVariance: number): number {
  const total = sigmaAnnual * sigmaAnnual;
  return Math.max(total - beta * beta * marketVariance, 0.01 * total);
}

/** The lines of an account side by side with their factors; null where the universe does not know the symbol. */
export interface Columns {
  readonly model: RiskModel;
  readonly lines: readonly Line[];
  readonly factors: readonly (Factor | null)[];
  readonly index: ReadonlyMap<string, number>;
}
const columns = new WeakMap<Account, Columns>();

/** Lines are never removed from an account, so equal numbers of them are equal lines. */
export function columnsOf(account: Account, inForce: PolicyInForce): Columns {
  const model = riskModelOf(inForce);
  const cached = columns.get(account);
  if (cached?.model === model && cached.lines.length === account.lines.size) return cached;
  const lines = [...account.lines.values()];
  const made: Columns = {
    model,
    lines,
    factors: lines.map(({ symbol }) => model.factors.get(symbol) ?? null),
    index: new Map(lines.map(({ symbol }, i) => [symbol, i])),
  };
  columns.set(account, made);
  return made;
}
