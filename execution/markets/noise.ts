/**
 * Hashed value noise: a function of (key, octave, time) that any process computes alike, without a state to carry over.
 * Integers and + − × ÷ √ only, so that the doubles agree to the bit on every machine.
 */

/** FNV-1a of a text's UTF-16 units: the key under which a symbol's numbers are drawn. */
export function keyOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Uniform in [0, 1) from a key, a stream's number and an index below 2^53 (the finaliser of MurmurHash3 over both halves). */
export function draw(key: number, stream: number, index: number): number {
  let hash = key ^ Math.imul(stream + 1, 0x9e3779b1);
  hash = mix(hash ^ (index >>> 0));
  hash = mix(hash ^ Math.imul(Math.floor(index / 2 ** 32) + 1, 0x85ebca6b));
  return (hash >>> 0) / 2 ** 32;
}

function mix(input: number): number {
  let hash = input;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Noise in [−1, 1], linear between a drawn value at each whole `position`. */
function valueNoise(key: number, stream: number, position: number): number {
  const cell = Math.floor(position);
  const from = draw(key, stream, cell);
  const to = draw(key, stream, cell + 1);
  return 2 * (from + (to - from) * (position - cell)) - 1;
}

/** Periods of the octaves in seconds: from one to three days, each four times the one before. */
const PERIODS_S = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144] as const;
const SECONDS_PER_YEAR = 365 * 86_400;
/** Brings the mean square of daily changes to that of a random walk of one unit per √year; measured, and held by a test. */
const SCALE = 1.25;
const AMPLITUDES = PERIODS_S.map((period) => SCALE * Math.sqrt(period / SECONDS_PER_YEAR));

/**
 * A bounded random walk of about one unit per √year at every scale from a second to a day, around 0: an octave's amplitude grows
 * with √period, as the spread of a walk does. `seconds` since the epoch.
 */
export function boundedWalk(key: number, seconds: number): number {
  let sum = 0;
  for (let octave = 0; octave < PERIODS_S.length; octave++) {
    sum += (AMPLITUDES[octave] ?? 0) * valueNoise(key, octave, seconds / (PERIODS_S[octave] ?? 1));
  }
  return sum;
}
