/** The thread that makes one snapshot: `SnapshotJob` in, `StateSnapshotted` out. Its failure is the thread's. */
import { parentPort, workerData } from 'node:worker_threads';
import { takeSnapshot, type SnapshotJob } from './behind.ts';

parentPort?.postMessage(await takeSnapshot(workerData as SnapshotJob));
