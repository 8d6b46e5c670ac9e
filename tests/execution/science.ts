import { readFileSync } from 'node:fs';
import { shared } from '../shared.ts';

/** A reference case of `science-cases.json`; the inputs are read by each adapter. */
export interface ScienceCase<I = Readonly<Record<string, never>>> {
  readonly id: string;
  readonly topic: string;
  readonly inputs: I;
  readonly expected: unknown;
  readonly tolerance: Tolerance & Readonly<Record<string, Tolerance | number>>;
}
interface Tolerance {
  readonly abs?: number;
  readonly rel?: number;
}

export const casesOf = <I>(topic: string): readonly ScienceCase<I>[] => {
  const { cases } = JSON.parse(readFileSync(shared('science-cases.json'), 'utf8')) as { readonly cases: readonly ScienceCase<I>[] };
  return cases.filter((c) => c.topic === topic);
};

/** Paths at which `got` differs from what a case expects by more than its tolerance. */
export const differences = ({ expected, tolerance }: ScienceCase, got: unknown): readonly string[] => {
  const compare = (path: string, want: unknown, have: unknown, within: Tolerance): readonly string[] => {
    if (typeof want === 'object' && want !== null) {
      return Object.entries(want).flatMap(([key, part]) => {
        const own = tolerance[key];
        return compare(`${path}.${key}`, part, (have as Record<string, unknown> | undefined)?.[key], typeof own === 'object' ? own : within);
      });
    }
    const near = typeof want === 'number' && typeof have === 'number' && Math.abs(have - want) <= (within.abs ?? 0) + (within.rel ?? 0) * Math.abs(want);
    return near || want === have ? [] : [`${path}: ${String(have)}, expected ${String(want)}`];
  };
  return compare('', expected, got, tolerance);
};
