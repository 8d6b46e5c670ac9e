/** Reference cases as a file holds them, and how an answer is held against one. */
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';

const bounds = { abs: Type.Optional(Type.Number({ minimum: 0 })), rel: Type.Optional(Type.Number({ minimum: 0 })) };
const Tolerance = Type.Object(bounds, { additionalProperties: false });
type Tolerance = Static<typeof Tolerance>;
const Word = Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' });
const ReferenceCase = Type.Object({
  id: Word,
  topic: Word,
  title: Type.String({ pattern: '^\\P{Cc}{1,200}$' }),
  inputs: Type.Object({}),
  expected: Type.Object({}),
  /** Of every number; a member of another name is the tolerance of the expected key of that name. */
  tolerance: Type.Object(bounds, { additionalProperties: Tolerance }),
});
export type ReferenceCase = Static<typeof ReferenceCase>;
const CaseFile = Compile(Type.Object({ cases: Type.Array(ReferenceCase, { minItems: 1 }) }));

/** The cases of a file. Throws SyntaxError where it is no JSON and TypeError where it is not of the form, naming the first place. */
export function readCases(text: string): readonly ReferenceCase[] {
  const file: unknown = JSON.parse(text);
  if (CaseFile.Check(file)) return file.cases;
  const [fault] = CaseFile.Errors(file);
  throw new TypeError(`${fault?.instancePath ?? ''} ${fault?.message ?? 'is malformed'}`.trim());
}

/** Where `got` leaves what a case expects; empty where it conforms. Keys that begin with `naive` warn the reader and are not compared. */
export function differences({ expected, tolerance }: Pick<ReferenceCase, 'expected' | 'tolerance'>, got: unknown): readonly string[] {
  const { abs = 0, rel = 0, ...others } = tolerance;
  const leaves = leavesOf(expected, [], { abs, rel }, new Map(Object.entries<Tolerance>(others)));
  if (leaves.length === 0) return ['nothing is expected'];
  return leaves.flatMap(({ path, want, within }) => {
    const have = path.reduce(memberOf, got);
    return conforms(want, have, within) ? [] : [`${path.join('.')} is ${shown(have)}, expected ${shown(want)}`];
  });
}

interface Leaf {
  readonly path: readonly string[];
  readonly want: unknown;
  readonly within: Tolerance;
}

/** What is to be compared, an array's length among it. */
function leavesOf(want: unknown, path: readonly string[], within: Tolerance, byKey: ReadonlyMap<string, Tolerance>): readonly Leaf[] {
  if (typeof want !== 'object' || want === null) return [{ path, want, within }];
  const members = Object.entries(want).filter(([key]) => !key.startsWith('naive'))
    .flatMap(([key, member]) => leavesOf(member, [...path, key], byKey.get(key) ?? within, byKey));
  return Array.isArray(want) ? [{ path: [...path, 'length'], want: want.length, within: {} }, ...members] : members;
}

/** |have − want| ≤ abs + rel·|want| between numbers; identity between others, and where JSON overflowed to an infinity. */
function conforms(want: unknown, have: unknown, { abs = 0, rel = 0 }: Tolerance): boolean {
  if (typeof want !== 'number' || typeof have !== 'number' || !Number.isFinite(want)) return want === have;
  return Math.abs(have - want) <= abs + rel * Math.abs(want);
}

const memberOf = (value: unknown, key: string): unknown =>
  (typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined);
const shown = (value: unknown): string => (value === undefined ? 'not offered' : typeof value === 'number' ? String(value) : JSON.stringify(value));
