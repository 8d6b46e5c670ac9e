/** Medians, ratios, and the table that is printed. */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** A line of the report. Without a goal it is said for its own sake. */
export interface Line {
  readonly name: string;
  readonly unit: string;
  /** Null where there is nothing to divide by. */
  readonly floor: number | null;
  readonly product: number;
  /** What the goal is about: the ratio, or the product's own figure where there is no floor. */
  readonly value: number;
  readonly goal: Goal | null;
}
export interface Goal {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** Floor and product ran one after the other, pair by pair: the ratio is the median of the pairs' ratios, beside both medians. */
export function ratioLine(name: string, unit: string, floor: readonly number[], product: readonly number[], goal: Goal | null): Line {
  const ratios = product.map((value, i) => value / (floor[i] ?? Number.NaN));
  return { name, unit, floor: median(floor), product: median(product), value: median(ratios), goal };
}

export const ownLine = (name: string, unit: string, product: number, goal: Goal | null): Line => ({ name, unit, floor: null, product, value: product, goal });

export const isMet = ({ value, goal }: Line): boolean => value >= (goal?.atLeast ?? -Infinity) && value <= (goal?.atMost ?? Infinity);

const goalText = ({ atLeast, atMost }: Goal): string => (atLeast !== undefined ? `≥ ${String(atLeast)}` : `≤ ${String(atMost)}`);

const figure = (value: number): string => (value >= 1000 ? Math.round(value).toLocaleString('en-US') : value >= 100 ? value.toFixed(0) : value.toFixed(2));

export function tableOf(lines: readonly Line[]): string {
  const rows = lines.map((line) => [
    line.name, line.unit, line.floor === null ? '' : figure(line.floor), figure(line.product), line.floor === null ? '' : figure(line.value),
    line.goal === null ? '' : goalText(line.goal), line.goal === null ? '' : isMet(line) ? 'met' : 'missed',
  ]);
  const all = [['', 'unit', 'floor', 'product', 'ratio', 'goal', ''], ...rows];
  const widths = (all[0] as string[]).map((_, i) => Math.max(...all.map((row) => (row[i] as string).length)));
  return all.map((row) => row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join('  ').trimEnd()).join('\n');
}
