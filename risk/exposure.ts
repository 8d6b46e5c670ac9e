/**
 * What an account is exposed to, in one pass over its lines, in doubles.
 *
 * Worst case per symbol: with every open buy filled the position is hi = (qty + buyOpen) × mark, with every open sell filled it is
 * lo = (qty − sellOpen) × mark; its worst is the larger in size. One-factor model of the universe:
 *   variance = (Σ βᵢ vᵢ)² σm² + Σ vᵢ² δᵢ²,   δᵢ² = max(σᵢ² − βᵢ² σm², (σᵢ / 10)²)
 * with the market part at the worse of "all buys fill" and "all sells fill" and each vᵢ at its worst: a bound over every way to fill.
 */
import { toNumber } from './domain/decimal.ts';
import type { Instrument } from './domain/instrument.ts';
import type { Ns } from './domain/time.ts';
import { tradedAt, unsettledAt } from './books.ts';
import type { PolicyInForce } from './policy.ts';
import type { Account, Line } from './state.ts';

/** A what-if on one symbol: quantity added to (or, negative, taken from) what is reserved, and the mark it is valued at; null = the recorded one. */
export interface Change {
  readonly mark: number | null;
  readonly buyQty: number;
  readonly sellQty: number;
}
export const NO_CHANGES: ReadonlyMap<string, Change> = new Map();

/** Money in the account's currency. */
export interface Exposure {
  /** Cash + Σ qty × mark; without the what-if's quantities, at its marks. */
  readonly equity: number;
  readonly unsettled: number;
  readonly gross: number;
  /** The larger in size of `longNet` and `shortNet`, signed. */
  readonly net: number;
  /** Σ hi: every open buy filled. */
  readonly longNet: number;
  /** Σ lo: every open sell filled. */
  readonly shortNet: number;
  /** Σ worst by sector, in the order of the universe; sectors without a position are 0. */
  readonly sectorGross: ReadonlyMap<string, number>;
  /** Notional of the open quantities, both sides. */
  readonly openNotional: number;
  /** Traded in the day before, and what is open. */
  readonly turnoverUsed: number;
  /** Σ β v, signed, the worse of the two ways to fill; and both: every open order filled that raises it, or that lowers it. */
  readonly factor: number;
  readonly factorHigh: number;
  readonly factorLow: number;
  /** Σ v² δ². */
  readonly idioVariance: number;
  /** Of the account's value over a year, in currency². */
  readonly variance: number;
  /** Symbols held or open that have no mark, or that the universe in force does not know. Not empty: deny. */
  readonly missingMarks: readonly string[];
}

/** What the pass needs of an instrument: small integers and doubles. */
interface Factor {
  readonly sector: number;
  readonly beta: number;
  readonly idioVariance: number;
}
interface Model {
  readonly sectors: readonly string[];
  readonly factors: ReadonlyMap<string, Factor>;
  readonly marketVariance: number;
}

/** A policy in force never changes, so its model is made once. */
const models = new WeakMap<PolicyInForce, Model>();

function modelOf(inForce: PolicyInForce): Model {
  let model = models.get(inForce);
  if (model === undefined) {
    model = makeModel(inForce);
    models.set(inForce, model);
  }
  return model;
}

function makeModel(inForce: PolicyInForce): Model {
  const marketVariance = inForce.policy.limits.marketSigmaAnnual * inForce.policy.limits.marketSigmaAnnual;
  const sectors = [...new Set([...inForce.universe.values()].map((instrument) => instrument.sector))];
  const index = new Map(sectors.map((sector, i) => [sector, i]));
  const factors = new Map<string, Factor>();
  for (const instrument of inForce.universe.values()) {
    factors.set(instrument.symbol, {
      sector: index.get(instrument.sector) as number, beta: instrument.beta, idioVariance: idioVarianceOf(instrument, marketVariance),
    });
  }
  return { sectors, factors, marketVariance };
}

/** Variance a year that the market factor does not explain; never less than that of a tenth of the name's own volatility. */
export function idioVarianceOf(instrument: Instrument, marketVariance: number): number {
  const total = instrument.sigmaAnnual * instrument.sigmaAnnual;
  return Math.max(total - instrument.beta * instrument.beta * marketVariance, 0.01 * total);
}

/** Running sums of the pass. One object a pass: nothing is allocated per line. */
class Sums {
  equity: number;
  gross = 0;
  longNet = 0;
  shortNet = 0;
  openNotional = 0;
  factorHigh = 0;
  factorLow = 0;
  idioVariance = 0;
  readonly missing: string[] = [];
  readonly sectors: Float64Array;
  readonly model: Model;

  constructor(model: Model, cash: number) {
    this.model = model;
    this.equity = cash;
    this.sectors = new Float64Array(model.sectors.length);
  }

  /** Adds one symbol: position, open buys, open sells, in units. */
  add(symbol: string, qty: number, buyOpen: number, sellOpen: number, mark: number): void {
    const factor = this.model.factors.get(symbol);
    if (!(mark > 0 && mark < Infinity) || factor === undefined) {
      if (qty !== 0 || buyOpen !== 0 || sellOpen !== 0) this.missing.push(symbol);
      return;
    }
    const high = (qty + buyOpen) * mark;
    const low = (qty - sellOpen) * mark;
    const worst = Math.max(Math.abs(high), Math.abs(low));
    const betaHigh = factor.beta * high;
    const betaLow = factor.beta * low;
    this.equity += qty * mark;
    this.gross += worst;
    this.longNet += high;
    this.shortNet += low;
    this.openNotional += (buyOpen + sellOpen) * mark;
    this.factorHigh += Math.max(betaHigh, betaLow);
    this.factorLow += Math.min(betaHigh, betaLow);
    this.idioVariance += worst * worst * factor.idioVariance;
    this.sectors[factor.sector] = (this.sectors[factor.sector] as number) + worst;
  }

  addLine(line: Line): void {
    this.add(line.symbol, line.qtyN, line.buyOpenN, line.sellOpenN, line.markN);
  }

  addChanged(line: Line, change: Change): void {
    this.add(line.symbol, line.qtyN, line.buyOpenN + change.buyQty, line.sellOpenN + change.sellQty, change.mark ?? line.markN);
  }
}

/** The account's exposure at `now`, or what it would become with `changes`. Sums run in the order of the lines, then of new symbols. */
export function exposureOf(account: Account, inForce: PolicyInForce, now: Ns, changes: ReadonlyMap<string, Change> = NO_CHANGES): Exposure {
  const model = modelOf(inForce);
  const sums = new Sums(model, toNumber(account.cash));
  if (changes.size === 0) for (const line of account.lines.values()) sums.addLine(line);
  else {
    for (const line of account.lines.values()) {
      const change = changes.get(line.symbol);
      if (change === undefined) sums.addLine(line);
      else sums.addChanged(line, change);
    }
    for (const [symbol, change] of changes) if (!account.lines.has(symbol)) sums.add(symbol, 0, change.buyQty, change.sellQty, change.mark ?? 0);
  }
  return exposureFrom(sums, toNumber(unsettledAt(account, now)), toNumber(tradedAt(account, now)));
}

function exposureFrom(sums: Sums, unsettled: number, traded: number): Exposure {
  const { equity, gross, longNet, shortNet, openNotional, factorHigh, factorLow, idioVariance, model } = sums;
  const factor = largerInSize(factorHigh, factorLow);
  return {
    equity, unsettled, gross, longNet, shortNet, openNotional, factor, factorHigh, factorLow, idioVariance,
    net: largerInSize(longNet, shortNet),
    sectorGross: new Map(model.sectors.map((sector, i) => [sector, sums.sectors[i] as number])),
    turnoverUsed: traded + openNotional,
    variance: factor * factor * model.marketVariance + idioVariance,
    missingMarks: sums.missing,
  };
}

const largerInSize = (a: number, b: number): number => (Math.abs(a) >= Math.abs(b) ? a : b);
