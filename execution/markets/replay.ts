import { basename, dirname, join } from 'node:path';
import { plusMs } from '../../risk/domain/time.ts';
import type { Ns } from '../../risk/domain/time.ts';
import type { MarketEvent } from '../market.ts';
import { MarketFileError } from './file-error.ts';
import { beginsWith, nameInZip, regularFiles, ZIP_MAGIC } from './files.ts';
import { parseLeanName, RESOLUTIONS } from './lean.ts';
import { parseLobsterName } from './lobster.ts';
import { mergeByTime } from './merge.ts';
import { newYorkMidnight } from './new-york.ts';
import { eventsOf, instantOf, noCounts } from './readers.ts';
import type { MarketFile, ReplayCounts } from './readers.ts';

/** Files of one day that are open at once, each with its decompressor. */
const FILES_A_DAY_MAX = 1_000;
/** How far into the data `first` may be put to find every symbol quoted. */
const FIRST_WITHIN_MS = 3_600_000;

/** Recorded market data, found and checked by name and place; its rows are read, and refused, as they come. */
export interface ReplaySource {
  /** `lean-tick`, `lean-second`, `lean-minute`, `lobster`, or several joined by `+`. */
  readonly format: string;
  /** All symbols in the data, in order. */
  readonly symbols: readonly string[];
  /**
   * Where a replayed clock stands at first: the first instant at which every symbol of the first day has been quoted on both sides, so
   * that a clock waiting for an accepted command waits where one can be accepted. If that takes more than an hour: the first quote.
   */
  readonly first: Ns;
  /** All events in order of time, from the beginning; each call reads anew. Throws MarketFileError at the first bad row. */
  read(counts: ReplayCounts): AsyncGenerator<MarketEvent[], void>;
}

/** Opens a file or a folder of Lean zips or LOBSTER files. Of a symbol and day in several resolutions the finest is taken. Throws MarketFileError. */
export async function openReplay(path: string): Promise<ReplaySource> {
  const files = finest(await recognise(await regularFiles(path)));
  const days = byDay(files);
  if (days.length === 0) throw new MarketFileError('NO_DATA', basename(path));
  if (days.some((day) => day.length > FILES_A_DAY_MAX)) throw new MarketFileError('TOO_MANY_FILES', basename(path));
  async function* read(counts: ReplayCounts): AsyncGenerator<MarketEvent[], void> {
    for (const day of days) yield* mergeByTime(day.map((file) => eventsOf(file, counts)));
  }
  const first = await firstQuoted(read(noCounts()), quotedSymbols(days[0] ?? []));
  if (first === null) throw new MarketFileError('NO_DATA', basename(path));
  return { format: [...new Set(files.map(formatOf))].sort().join('+'), symbols: [...new Set(files.map((file) => file.symbol))].sort(), first, read };
}

const formatOf = (file: MarketFile): string => (file.format === 'lean' ? `lean-${file.resolution}` : file.format);

/** The files that are market data. A zip that cannot be opened is refused; one with something else in it is passed over. */
async function recognise(paths: readonly string[]): Promise<MarketFile[]> {
  const all = new Set(paths);
  const files: MarketFile[] = [];
  for (const path of paths) {
    const file = /\.zip$/i.test(path) || (paths.length === 1 && (await beginsWith(path, ZIP_MAGIC))) ? await leanFile(path) : lobsterFile(path, all);
    if (file !== null) files.push(file);
  }
  return files;
}

async function leanFile(path: string): Promise<MarketFile | null> {
  const name = parseLeanName(await nameInZip(path));
  return name === null ? null : { ...name, format: 'lean', path, midnight: midnightOf(name.date, path) };
}

function lobsterFile(path: string, all: ReadonlySet<string>): MarketFile | null {
  const name = parseLobsterName(basename(path));
  if (name?.kind !== 'message') return null;
  const book = join(dirname(path), basename(path).replace('_message_', '_orderbook_'));
  return { ...name, format: 'lobster', path, midnight: midnightOf(name.date, path), book: all.has(book) ? book : null };
}

function midnightOf(date: string, path: string): Ns {
  const midnight = newYorkMidnight(date);
  if (midnight === null) throw new MarketFileError('NO_DATA', basename(path));
  return midnight;
}

const rankOf = (file: MarketFile): number => (file.format === 'lean' ? 1 + RESOLUTIONS.indexOf(file.resolution) : 0);

/** Of each symbol and day the finest there is, in order of day, symbol, and prints before quotes: a trade met the quote before it. */
function finest(files: readonly MarketFile[]): MarketFile[] {
  const best = new Map<string, number>();
  const key = (file: MarketFile): string => `${file.date} ${file.symbol}`;
  for (const file of files) best.set(key(file), Math.min(best.get(key(file)) ?? Infinity, rankOf(file)));
  return files.filter((file) => rankOf(file) === best.get(key(file)))
    .sort((a, b) => compare(key(a), key(b)) || compare(b.kind, a.kind) || compare(a.path, b.path));
}
const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

function byDay(files: readonly MarketFile[]): MarketFile[][] {
  const days = new Map<string, MarketFile[]>();
  for (const file of files) days.set(file.date, [...(days.get(file.date) ?? []), file]);
  return [...days.values()];
}

const quotedSymbols = (day: readonly MarketFile[]): Set<string> => new Set(day.filter((file) => file.kind !== 'trade').map((file) => file.symbol));

/** The rule of `first`; null when there is no quote at all. Empties `missing`. */
async function firstQuoted(batches: AsyncGenerator<MarketEvent[], void>, missing: Set<string>): Promise<Ns | null> {
  let first: Ns | null = null;
  for await (const batch of batches) {
    for (const event of batch) {
      if (event.kind !== 'quote') continue;
      const at = instantOf(event);
      first ??= at;
      if (at > plusMs(first, FIRST_WITHIN_MS)) return first;
      if (event.quote.bidQty > 0n && event.quote.askQty > 0n) missing.delete(event.quote.symbol);
      if (missing.size === 0) return at;
    }
  }
  return first;
}
