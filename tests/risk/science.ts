/** The reference cases that lie beside the project. */
import { existsSync, readFileSync } from 'node:fs';
import { shared } from '../shared.ts';

export interface ScienceCase<I, E> {
  readonly id: string;
  readonly inputs: I;
  readonly expected: E;
  readonly tolerance: { readonly rel: number; readonly abs: number };
}

/** One case by id; null where the file is absent (the test is then skipped). */
export function scienceCase<I, E>(id: string): ScienceCase<I, E> | null {
  if (!existsSync(shared('science-cases.json'))) return null;
  const { cases } = JSON.parse(readFileSync(shared('science-cases.json'), 'utf8')) as { readonly cases: readonly ScienceCase<I, E>[] };
  return cases.find((entry) => entry.id === id) ?? null;
}

/** Whether every number is within the case's tolerance: |got − expected| ≤ abs + rel·|expected|. */
export function within({ rel, abs }: { readonly rel: number; readonly abs: number }, got: readonly number[], expected: readonly number[]): boolean {
  return got.length === expected.length && got.every((value, i) => Math.abs(value - (expected[i] as number)) <= abs + rel * Math.abs(expected[i] as number));
}
