/** Runs reference cases against production: what `npm run conform` prints, and its exit status. */
import { readFileSync } from 'node:fs';
import { ADAPTERS, type Adapter } from './adapters.ts';
import { differences, readCases, type ReferenceCase } from './cases.ts';

export interface Report {
  readonly lines: readonly string[];
  /** 0: all passed; 1: something failed; 2: there is no file to run. */
  readonly status: 0 | 1 | 2;
}

/**
 * The cases of the file at `path` whose topic was asked for. Without `asked` all those that have an adapter; the known topics that have
 * none yet are named on a line of their own. A topic that nobody knows fails, wherever it comes from.
 */
export function conform(path: string, asked: readonly string[] | null): Report {
  let cases: readonly ReferenceCase[];
  try {
    cases = readCases(readFileSync(path, 'utf8'));
  } catch (error) {
    return { lines: [`no cases in ${path}: ${messageOf(error)}`], status: 2 };
  }
  const topics = [...new Set(asked ?? cases.map(({ topic }) => topic))];
  const leftOut = asked === null ? topics.filter((topic) => ADAPTERS.get(topic) === null) : [];
  const outcomes = topics.filter((topic) => !leftOut.includes(topic)).flatMap((topic) => outcomesOf(topic, cases));
  const failed = outcomes.filter(({ fault }) => fault !== null).length;
  return {
    lines: [
      ...outcomes.map(({ name, fault }) => (fault === null ? `pass ${name}` : `FAIL ${name}: ${fault}`)),
      ...(leftOut.length === 0 ? [] : [`left out, no adapter: ${leftOut.join(', ')}`]),
      `${outcomes.length - failed} passed, ${failed} failed`,
    ],
    status: failed === 0 && outcomes.length > 0 ? 0 : 1,
  };
}

interface Outcome {
  readonly name: string;
  readonly fault: string | null;
}

function outcomesOf(topic: string, cases: readonly ReferenceCase[]): readonly Outcome[] {
  const adapter = ADAPTERS.get(topic);
  if (adapter === undefined) return [{ name: topic, fault: `unknown topic; known are ${[...ADAPTERS.keys()].join(', ')}` }];
  const own = cases.filter((entry) => entry.topic === topic);
  if (own.length === 0) return [{ name: topic, fault: 'no case in the file' }];
  return own.map((entry) => ({ name: `${entry.id} ${topic}, ${entry.title}`, fault: adapter === null ? 'no adapter' : faultOf(entry, adapter) }));
}

function faultOf(entry: ReferenceCase, adapter: Adapter): string | null {
  try {
    const found = differences(entry, adapter(entry.inputs as never));
    return found.length === 0 ? null : found.join('; ');
  } catch (error) {
    return messageOf(error);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
