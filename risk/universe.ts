/**
 * The universe: every instrument that may be traded, from the YAML that officers write, and to and from the JSON that is hashed.
 * The file has groups: what a group shares is said once, and each name is one row of the columns below.
 */
import { formatDecimal, isMultiple, type Decimal } from './domain/decimal.ts';
import { isSymbol } from './domain/ids.ts';
import type { Instrument } from './domain/instrument.ts';
import type { Json } from './domain/record.ts';
import { decimal, integer, list, number, object, oneOf, PolicyError, readYaml, text, title, unique, type Read } from './reader.ts';

const UNIVERSE_BYTES_MAX = 1024 * 1024;
const INSTRUMENTS_MAX = 20_000;
/** lot × price must be exact at scale 18. */
const DECIMALS_MAX = 18;

type Shared = Pick<Instrument, keyof typeof SHARED>;
type Columns = Pick<Instrument, keyof typeof COLUMNS>;
type Fields = { readonly [K in keyof Instrument]: Read<Instrument[K]> };

/** The longest that an instrument can take to settle. */
export const SETTLEMENT_DAYS_MAX = 10;

const SHARED = {
  assetClass: oneOf('equity', 'crypto'),
  currency: text((value): value is string => typeof value === 'string' && /^[A-Z]{3,5}$/.test(value), 'a currency code such as USD'),
  lotSize: decimal({ zero: false }),
  tickSize: decimal({ zero: false }),
  settlementDays: integer({ min: 0, max: SETTLEMENT_DAYS_MAX }),
} satisfies Partial<Fields>;

/** The columns of a row, in this order. */
const COLUMNS = {
  symbol: text(isSymbol, 'a symbol ([A-Z0-9][A-Z0-9./-]*, at most 32)'),
  name: title,
  sector: title,
  referencePx: decimal({ zero: false }),
  advQty: number({ min: 0, max: 1e15, above: true }),
  sigmaAnnual: number({ min: 0, max: 10, above: true }),
  beta: number({ min: -10, max: 10 }),
  spreadBps: number({ min: 0, max: 1000 }),
} satisfies Partial<Fields>;

const FIELDS: Fields = { ...COLUMNS, ...SHARED };
const COLUMN_NAMES = Object.keys(COLUMNS);
const instrument: Read<Instrument> = object<Instrument>(FIELDS);

interface Group {
  readonly about: string;
  readonly shared: Shared;
  readonly rows: readonly (readonly unknown[])[];
}
const row = list<unknown>((value) => value, { min: COLUMN_NAMES.length, max: COLUMN_NAMES.length });
const group: Read<Group> = object<Group>({
  about: title, shared: object<Shared>(SHARED), rows: list(row, { min: 1, max: INSTRUMENTS_MAX }),
});
const file: Read<{ readonly groups: readonly Group[] }> = object<{ readonly groups: readonly Group[] }>({ groups: list(group, { min: 1, max: 1000 }) });

/** The universe from the text of its YAML file, in the order of its rows. Throws `PolicyError`. */
export function parseUniverse(yaml: string): ReadonlyMap<string, Instrument> {
  const { groups } = file(readYaml(yaml, UNIVERSE_BYTES_MAX), '');
  const paths: string[] = [];
  const instruments = groups.flatMap(({ shared, rows }, g) =>
    rows.map((cells, r) => {
      const path = `groups[${g}].rows[${r}]`;
      paths.push(path);
      return checked({ ...columnsOf(cells, path), ...shared }, path);
    }));
  return bySymbol(instruments, (i) => paths[i] as string);
}

const columns = object<Columns>(COLUMNS);
const columnsOf = (cells: readonly unknown[], path: string): Columns =>
  columns(Object.fromEntries(COLUMN_NAMES.map((name, i) => [name, cells[i]])), path);

/** The universe from its JSON, as `universeJson` makes it; throws `PolicyError`. */
export function universeFromJson(json: unknown): ReadonlyMap<string, Instrument> {
  const read = list(instrument, { min: 1, max: INSTRUMENTS_MAX })(json, '');
  return bySymbol(read.map((entry, i) => checked(entry, `[${i}]`)), (i) => `[${i}]`);
}

/** The universe as plain JSON, decimals as strings: `contentHash` of it is the universe's hash. */
export function universeJson(universe: ReadonlyMap<string, Instrument>): Json {
  return [...universe.values()].map((entry) => ({
    ...entry, lotSize: formatDecimal(entry.lotSize), tickSize: formatDecimal(entry.tickSize), referencePx: formatDecimal(entry.referencePx),
  }));
}

function checked(entry: Instrument, path: string): Instrument {
  if (decimalsOf(entry.lotSize) + decimalsOf(entry.tickSize) > DECIMALS_MAX) {
    throw new PolicyError('OUT_OF_RANGE', `${path}.lotSize`, `the decimals of lotSize and tickSize together are more than ${DECIMALS_MAX}`);
  }
  if (!isMultiple(entry.referencePx, entry.tickSize)) throw new PolicyError('INCONSISTENT', `${path}.referencePx`, 'must be a whole number of ticks');
  return entry;
}

const decimalsOf = (value: Decimal): number => formatDecimal(value).split('.')[1]?.length ?? 0;

function bySymbol(instruments: readonly Instrument[], pathOf: (i: number) => string): ReadonlyMap<string, Instrument> {
  if (instruments.length > INSTRUMENTS_MAX) throw new PolicyError('OUT_OF_RANGE', 'groups', `more than ${INSTRUMENTS_MAX} instruments`);
  unique(instruments.map(({ symbol }) => symbol), pathOf);
  return new Map(instruments.map((entry) => [entry.symbol, entry]));
}
