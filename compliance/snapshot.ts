/** Snapshots of the fold: what a start loads instead of folding the whole log. They can always be made again, so none is trusted. */
import { dumpExecution, loadExecution } from '../execution/dump.ts';
import type { Json } from '../risk/domain/record.ts';
import { formatInstant, instant } from '../risk/domain/time.ts';
import { dumpRisk, loadRisk } from '../risk/dump.ts';
import { canonicalize } from './canonical.ts';
import { dumpCompliance, loadCompliance } from './dump.ts';
import type { State } from './fold.ts';
import type { Head } from './seal.ts';

export interface Snapshot {
  readonly state: State;
  readonly head: Head;
}

interface Body {
  readonly head: { readonly size: number; readonly hash: string; readonly at: string };
  readonly risk: Json;
  readonly execution: Json;
  readonly compliance: Json;
}

/** The text of a snapshot: canonical, so that equal states give equal texts. */
export function formatSnapshot({ state, head }: Snapshot): string {
  return canonicalize({
    compliance: dumpCompliance(state.compliance), execution: dumpExecution(state.execution), head: { at: formatInstant(head.at), hash: head.hash, size: head.size },
    risk: dumpRisk(state.risk),
  });
}

/** The inverse. The caller has compared the text's hash with the one that the log recorded, so the shape is taken as given. */
export function parseSnapshot(text: string): Snapshot {
  const { head, risk, execution, compliance } = JSON.parse(text) as Body;
  return {
    state: { compliance: loadCompliance(compliance), execution: loadExecution(execution), risk: loadRisk(risk) },
    head: { ...head, at: instant(head.at) },
  };
}
