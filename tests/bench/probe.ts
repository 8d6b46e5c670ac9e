/**
 * Preloaded into a server under test (`--import`): answers its parent's questions about the process, over the channel between them.
 * The server itself knows nothing of it.
 */
export type ProbeQuestion = 'usage' | 'collected' | 'watch' | 'blocks';

export interface Usage {
  readonly cpuUs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}
/** A turn in which the event loop did nothing else. `end`: milliseconds since the epoch. */
export interface Block {
  readonly end: number;
  readonly ms: number;
}

const BLOCK_MS_MIN = 0.2;

let isWatching = false;
let last = 0;
let blocks: Block[] = [];

/** Runs once in every round of the event loop: the time between two runs is how long everybody else waited. */
function round(): void {
  const now = performance.now();
  if (now - last >= BLOCK_MS_MIN) blocks.push({ end: performance.timeOrigin + now, ms: now - last });
  last = now;
  if (isWatching) setImmediate(round);
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return { cpuUs: user + system, rssBytes: rss, heapBytes: heapUsed };
}

const ANSWERS: Record<ProbeQuestion, () => unknown> = {
  usage,
  /** After everything that nobody holds is gone. */
  collected() {
    globalThis.gc?.();
    return usage();
  },
  watch() {
    isWatching = true;
    blocks = [];
    last = performance.now();
    setImmediate(round);
    return true;
  },
  blocks() {
    isWatching = false;
    return blocks;
  },
};

process.on('message', (question: ProbeQuestion) => process.send?.(ANSWERS[question]()));
process.channel?.unref();
