/**
 * The execution state as JSON and back, exactly, for snapshots. One structural code for everything but ids: a bigint is {"$": "123"}, a Map
 * {"entries": [[key, value], …]} in its order, which is part of the state. Objects of the state have no such keys of their own.
 */
import type { Json } from '../risk/domain/record.ts';
import type { Child, ExecutionState, Parent } from './state.ts';

/** The whole state as plain JSON. Equal states in equal order give equal JSON. */
export function dumpExecution(state: ExecutionState): Json {
  const { parents, finishedLegs, targets, finishedParents, finishedTargets, ids, idsSince, venues, forgotten } = state;
  const packed: Packed = { old: [...ids.old], young: [...ids.young] };
  const rest = encode({ parents, finishedLegs, targets, finishedParents, finishedTargets, idsSince, venues, forgotten });
  return { ...(rest as { readonly [part: string]: Json }), ids: packed };
}

/** The state that `dumpExecution` wrote. The snapshot's hash is checked before this is called, so the shape is taken as given. */
export function loadExecution(json: Json): ExecutionState {
  const { ids, ...rest } = json as unknown as { readonly [part: string]: Json; readonly ids: Packed };
  const state = decode(rest) as Omit<ExecutionState, 'children' | 'finishedChildren' | 'ids'>;
  const { young, old } = state.finishedParents;
  return {
    ...state, children: childrenOf(state.parents, state.finishedLegs), finishedChildren: { young: childrenOf(young), old: childrenOf(old) },
    ids: { old: new Map(ids.old), young: new Map(ids.young) },
  };
}

/** Ids are by far the most. As rows, two million of the longest (130 bytes each) are within the longest string (512 MiB). */
type PackedId = readonly [key: string, seq: number];
type Packed = Readonly<Record<'old' | 'young', readonly PackedId[]>>;

/** The index over the children of parents, in the order of their release. */
function childrenOf(...parents: readonly ReadonlyMap<string, Parent>[]): Map<string, Child> {
  const children = parents.flatMap((map) => [...map.values()]).flatMap((parent) => parent.children).sort((a, b) => a.seq - b.seq);
  return new Map(children.map((child) => [child.order.clOrdId, child]));
}

function encode(value: unknown): Json {
  if (typeof value === 'bigint') return { $: value.toString() };
  if (value instanceof Map) return { entries: [...value].map(([key, entry]) => [key as string, encode(entry)]) };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, encode(part)]));
  return value as Json;
}

function decode(json: Json): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(decode);
  const object = json as { readonly [key: string]: Json };
  if (typeof object['$'] === 'string') return BigInt(object['$']);
  if (Array.isArray(object['entries'])) return new Map((object['entries'] as readonly (readonly [string, Json])[]).map(([key, entry]) => [key, decode(entry)]));
  return Object.fromEntries(Object.entries(object).map(([key, part]) => [key, decode(part)]));
}
