/**
 * What an account is exposed to, in one pass over its lines, in doubles.
 *
 * There are two ways to look at what is reserved. *Released*: what plans have not released yet is not there, and whatever was released
 * may fill or not. *Planned*: plans will be done, and of the rest whatever was released may fill or not. Worst case per symbol: hi is the
 * position, times its mark, with every buy filled that may fill, lo the one with every such sell; its worst is the larger in size.
 * One-factor model of the universe:
 *   variance = (Σ βᵢ vᵢ)² σm² + Σ vᵢ² δᵢ²,   δᵢ² = max(σᵢ² − βᵢ² σm², (σᵢ / 10)²)
 * with the market part at the worse of "all buys fill" and "all sells fill" and each vᵢ at its worst: a bound over every way to fill.
 */
import { toNumber, type Decimal } from './domain/decimal.ts';
import type { Side } from './domain/order.ts';
import type { Ns } from './domain/time.ts';
import { tradedAt, unsettledAt } from './books.ts';
import { columnsOf, type Columns, type Factor } from './factors.ts';
import type { PolicyInForce } from './policy.ts';
import type { Account, Line } from './state.ts';

export type View = 'released' | 'planned';

/** A what-if on one symbol: quantity added to (or, negative, taken from) what is reserved and planned, and the mark it is valued at; null = the recorded one. */
export interface Change {
  readonly mark: number | null;
  readonly buyQty: number;
  readonly sellQty: number;
  readonly buyPlanned: number;
  readonly sellPlanned: number;
}
/** `qty` more of one side is reserved, `planned` more of it planned. */
export const changeOf = (side: Side, mark: number | null, qty: number, planned: number): Change =>
  (side === 'buy' ? { mark, buyQty: qty, sellQty: 0, buyPlanned: planned, sellPlanned: 0 } : { mark, buyQty: 0, sellQty: qty, buyPlanned: 0, sellPlanned: planned });
const NO_CHANGES: ReadonlyMap<string, Change> = new Map();

/** Money in the account's currency. */
export interface Exposure {
  /** Cash + Σ qty × mark; without the what-if's quantities, at its marks. */
  readonly equity: number;
  /** Proceeds of sales that are not settled; by the plans also of what they will sell of what is held. */
  readonly unsettled: number;
  readonly gross: number;
  /** The larger in size of `longNet` and `shortNet`, signed. */
  readonly net: number;
  /** Σ hi: every buy filled that may fill. */
  readonly longNet: number;
  /** Σ lo: every sell filled that may fill. */
  readonly shortNet: number;
  /** Σ worst by sector, in the order of the universe; sectors without a position are 0. Made when it is asked for. */
  readonly sectorGross: ReadonlyMap<string, number>;
  /** Σ worst of one sector; 0 for one that the universe does not know. */
  sectorGrossOf(sector: string): number;
  /** Notional of the open quantities, both sides. */
  readonly openNotional: number;
  /** Traded in the day before, and what is open. */
  readonly turnoverUsed: number;
  /** Σ β v, signed, the worse of the two ways to fill. */
  readonly factor: number;
  /** Both of them: every open order filled that raises the factor, and every one that lowers it. */
  readonly factorHigh: number;
  readonly factorLow: number;
  /** Σ v² δ². */
  readonly idioVariance: number;
  /** Of the account's value over a year, in currency². */
  readonly variance: number;
  /** Symbols held or open that have no mark, or that the universe in force does not know. Not empty: deny. */
  readonly missingMarks: readonly string[];
}

/** The pass's sums, by place in one array of doubles: nothing is allocated per line, and no sum is boxed. (A typed array of this size lies outside the heap.) */
const GROSS = 0;
const LONG = 1;
const SHORT = 2;
const OPEN = 3;
const FACTOR_HIGH = 4;
const FACTOR_LOW = 5;
const IDIO = 6;
const VALUE = 7;
const UNSETTLED = 8;
/** The sectors follow. */
const SECTORS = 9;

/** Whether anything of the account is planned: else both views are one. */
export function hasPlans(account: Account, inForce: PolicyInForce): boolean {
  return columnsOf(account, inForce).lines.some(({ buyPlannedN, sellPlannedN }) => buyPlannedN !== 0 || sellPlannedN !== 0);
}

type Open = Pick<Line, 'qtyN' | 'buyOpenN' | 'sellOpenN' | 'buyPlannedN' | 'sellPlannedN'>;

/** A symbol's position with every buy filled that may fill, and with every such sell. */
export const highIn = ({ qtyN, buyOpenN, buyPlannedN, sellPlannedN }: Open, view: View): number => qtyN + buyOpenN - (view === 'released' ? buyPlannedN : sellPlannedN);
export const lowIn = ({ qtyN, sellOpenN, buyPlannedN, sellPlannedN }: Open, view: View): number => qtyN - sellOpenN + (view === 'released' ? sellPlannedN : buyPlannedN);

/** The account's exposure at `now`, or what it would become with `changes`. Sums run in the order of the lines, then of new symbols. */
export function exposureOf(account: Account, inForce: PolicyInForce, now: Ns, view: View, changes: ReadonlyMap<string, Change> = NO_CHANGES): Exposure {
  const columns = columnsOf(account, inForce);
  const sums = new Array<number>(SECTORS + columns.model.sectors.length).fill(0);
  const missing: string[] = [];
  lay(columns, changes, (change) => change);
  addLines(sums, columns, view, missing);
  lay(columns, changes, () => null);
  for (const [symbol, change] of changes) {
    if (columns.index.has(symbol)) continue;
    const factor = columns.model.factors.get(symbol) ?? null;
    if (!addSymbol(sums, factor, changed(NOTHING, change), view, change.mark ?? 0)) missing.push(symbol);
  }
  return new SummedExposure(sums, columns, missing, [account.cash, unsettledAt(account, now), tradedAt(account, now)]);
}

/** What a pass changes, by line; all null between two passes. Made anew for each of a target's 500 slices it would be most of what they allocate. */
const byLine: (Change | null)[] = [];

function lay({ index, lines }: Columns, changes: ReadonlyMap<string, Change>, what: (change: Change) => Change | null): void {
  while (byLine.length < lines.length) byLine.push(null);
  for (const [symbol, change] of changes) {
    const i = index.get(symbol);
    if (i !== undefined) byLine[i] = what(change);
  }
}

const NOTHING: Open = { qtyN: 0, buyOpenN: 0, sellOpenN: 0, buyPlannedN: 0, sellPlannedN: 0 };
const changed = ({ qtyN, buyOpenN, sellOpenN, buyPlannedN, sellPlannedN }: Open, { buyQty, sellQty, buyPlanned, sellPlanned }: Change): Open => ({
  qtyN, buyOpenN: buyOpenN + buyQty, sellOpenN: sellOpenN + sellQty, buyPlannedN: buyPlannedN + buyPlanned, sellPlannedN: sellPlannedN + sellPlanned,
});

function addLines(sums: number[], { lines, factors }: Columns, view: View, missing: string[]): void {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as Columns['lines'][number];
    const factor = factors[i] as Factor | null;
    const change = byLine[i] as Change | null;
    const known = change === null
      ? addSymbol(sums, factor, line, view, line.markN)
      : addSymbol(sums, factor, changed(line, change), view, change.mark ?? line.markN);
    if (!known) missing.push(line.symbol);
  }
}

/** Adds one symbol; false when there is something to value and no mark or no factor to value it by. */
function addSymbol(sums: number[], factor: Factor | null, open: Open, view: View, mark: number): boolean {
  const { qtyN, buyOpenN, sellOpenN } = open;
  if (factor === null || !(mark > 0 && mark < Infinity)) return qtyN === 0 && buyOpenN === 0 && sellOpenN === 0;
  const high = highIn(open, view) * mark;
  const low = lowIn(open, view) * mark;
  const worst = Math.max(Math.abs(high), Math.abs(low));
  const betaHigh = factor.beta * high;
  const betaLow = factor.beta * low;
  plus(sums, GROSS, worst);
  plus(sums, LONG, high);
  plus(sums, SHORT, low);
  plus(sums, OPEN, (buyOpenN + sellOpenN) * mark);
  plus(sums, FACTOR_HIGH, Math.max(betaHigh, betaLow));
  plus(sums, FACTOR_LOW, Math.min(betaHigh, betaLow));
  plus(sums, IDIO, worst * worst * factor.idioVariance);
  plus(sums, VALUE, qtyN * mark);
  if (view === 'planned' && factor.settlesLater) plus(sums, UNSETTLED, Math.min(Math.max(0, qtyN), open.sellPlannedN) * mark);
  plus(sums, SECTORS + factor.sector, worst);
  return true;
}

function plus(sums: number[], place: number, value: number): void {
  sums[place] = (sums[place] as number) + value;
}

type Money = readonly [cash: Decimal, unsettled: Decimal, traded: Decimal];

class SummedExposure implements Exposure {
  readonly #sums: readonly number[];
  readonly #model: Columns['model'];
  readonly equity: number;
  readonly unsettled: number;
  readonly gross: number;
  readonly net: number;
  readonly longNet: number;
  readonly shortNet: number;
  readonly openNotional: number;
  readonly turnoverUsed: number;
  readonly factor: number;
  readonly factorHigh: number;
  readonly factorLow: number;
  readonly idioVariance: number;
  readonly variance: number;
  readonly missingMarks: readonly string[];

  constructor(sums: readonly number[], { model }: Columns, missingMarks: readonly string[], [cash, unsettled, traded]: Money) {
    const sum = (place: number): number => sums[place] as number;
    this.#sums = sums;
    this.#model = model;
    this.equity = toNumber(cash) + sum(VALUE);
    this.unsettled = toNumber(unsettled) + sum(UNSETTLED);
    this.gross = sum(GROSS);
    this.longNet = sum(LONG);
    this.shortNet = sum(SHORT);
    this.net = largerInSize(this.longNet, this.shortNet);
    this.openNotional = sum(OPEN);
    this.turnoverUsed = toNumber(traded) + sum(OPEN);
    this.factorHigh = sum(FACTOR_HIGH);
    this.factorLow = sum(FACTOR_LOW);
    this.factor = largerInSize(this.factorHigh, this.factorLow);
    this.idioVariance = sum(IDIO);
    this.variance = this.factor * this.factor * model.marketVariance + sum(IDIO);
    this.missingMarks = missingMarks;
  }

  get sectorGross(): ReadonlyMap<string, number> {
    return new Map(this.#model.sectors.map((sector) => [sector, this.sectorGrossOf(sector)]));
  }

  sectorGrossOf(sector: string): number {
    const i = this.#model.sectors.indexOf(sector);
    return i === -1 ? 0 : (this.#sums[SECTORS + i] as number);
  }
}

const largerInSize = (a: number, b: number): number => (Math.abs(a) >= Math.abs(b) ? a : b);
