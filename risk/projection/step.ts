/* eslint-disable @typescript-eslint/no-non-null-assertion -- typed arrays of checked length, indexed by their own loops */
/**
 * The bounded Newton step: min ½pᵀHp − gᵀp, where a signed multiplier may go back to its floor and no further. Block principal
 * pivoting (Júdice and Pires 1994): guess which entries sit at their floor, solve for the others, exchange all that disagree; when
 * that stops helping, exchange one at a time (Murty's rule), which ends for a positive definite H.
 */

export interface StepProblem {
  /** H, row by row, symmetric positive definite. */
  readonly matrix: Float64Array;
  readonly gradient: Float64Array;
  /** +1: p ≥ floor; −1: p ≤ floor; 0: no bound. */
  readonly sides: Int8Array;
  readonly floors: Float64Array;
}

const PATIENCE = 3;

/** The minimiser, or null when H is not positive definite in doubles or the pivots do not settle. */
export function boundedStep(problem: StepProblem): Float64Array | null {
  const size = problem.gradient.length;
  const held = new Uint8Array(size);
  const rounds = 50 + 4 * size;
  let best = size + 1;
  let patience = PATIENCE;
  for (let round = 0; round < rounds; round++) {
    const step = solveHeld(problem, held);
    if (step === null) return null;
    const wrong = disagreeing(problem, held, step);
    if (wrong.length === 0) return step;
    if (wrong.length < best) {
      best = wrong.length;
      patience = PATIENCE;
    } else {
      patience--;
    }
    for (const k of patience >= 0 ? wrong : wrong.slice(-1)) held[k] = 1 - held[k]!;
  }
  return null;
}

/** Entries on the wrong side: free ones beyond their floor, held ones that would rather leave it. */
function disagreeing({ matrix, gradient, sides, floors }: StepProblem, held: Uint8Array, step: Float64Array): number[] {
  const size = gradient.length;
  const slack = 1e-14 * gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
  const wrong: number[] = [];
  for (let k = 0; k < size; k++) {
    if (sides[k] === 0) continue;
    if (held[k] === 0) {
      if (sides[k]! * (step[k]! - floors[k]!) < 0) wrong.push(k);
      continue;
    }
    let slope = -gradient[k]!;
    for (let l = 0; l < size; l++) slope += matrix[k * size + l]! * step[l]!;
    if (sides[k]! * slope < -slack) wrong.push(k);
  }
  return wrong;
}

/** Solves for the free entries with the held ones at their floors. */
function solveHeld({ matrix, gradient, floors }: StepProblem, held: Uint8Array): Float64Array | null {
  const size = gradient.length;
  const free: number[] = [];
  for (let k = 0; k < size; k++) if (held[k] === 0) free.push(k);
  const step = floors.map((floor, k) => (held[k] === 0 ? 0 : floor));
  const right = Float64Array.from(free, (k) => {
    let sum = gradient[k]!;
    for (let l = 0; l < size; l++) if (held[l] !== 0) sum -= matrix[k * size + l]! * step[l]!;
    return sum;
  });
  const block = new Float64Array(free.length * free.length);
  for (const [a, k] of free.entries()) for (const [b, l] of free.entries()) block[a * free.length + b] = matrix[k * size + l]!;
  if (!solveCholesky(block, right)) return null;
  for (const [a, k] of free.entries()) step[k] = right[a]!;
  return step;
}

/** Solves matrix·x = right in place (both are overwritten, `right` by x); false where the matrix is not positive definite. */
function solveCholesky(matrix: Float64Array, right: Float64Array): boolean {
  const size = right.length;
  for (let j = 0; j < size; j++) {
    for (let i = j; i < size; i++) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= matrix[i * size + k]! * matrix[j * size + k]!;
      if (i === j && !(sum > 0)) return false;
      matrix[i * size + j] = i === j ? Math.sqrt(sum) : sum / matrix[j * size + j]!;
    }
  }
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) right[i]! -= matrix[i * size + k]! * right[k]!;
    right[i]! /= matrix[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) right[i]! -= matrix[k * size + i]! * right[k]!;
    right[i]! /= matrix[i * size + i]!;
  }
  return true;
}
