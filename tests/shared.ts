import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Path of recorded data that lies beside the project and is never part of it. */
export const shared = (path: string): string => fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url));

/** Options of a test that needs recorded data: skipped, saying so, where it is absent. */
export const needsShared = (path: string): { skip: string | false } => ({ skip: existsSync(shared(path)) ? false : `../shared/${path} is absent` });
