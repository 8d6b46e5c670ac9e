/** The thread that verifies the past: `VerifyJob` in, `Fault` or null out. Its failure is the thread's. */
import { parentPort, workerData } from 'node:worker_threads';
import { verifyPast, type VerifyJob } from './behind.ts';

parentPort?.postMessage({ fault: await verifyPast(workerData as VerifyJob) });
