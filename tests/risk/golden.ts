/** Golden records: files that hold records as an earlier version wrote them and what the fold must still make of them. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Actor, Json, LogRecord } from '../../risk/domain/record.ts';
import { instant } from '../../risk/domain/time.ts';

interface RecordJson {
  readonly at: string;
  readonly kind: string;
  readonly v: number;
  readonly actor: Actor;
  readonly body: Json;
}
export interface Golden {
  /** File name without `.json`: kind and version of the last record. */
  readonly name: string;
  readonly records: readonly LogRecord[];
  readonly blobs: Readonly<Record<string, string>>;
  readonly dump: Json;
}

const folder = new URL('../../../tests/risk/golden/', import.meta.url);

export const goldens: readonly Golden[] = readdirSync(folder).sort().map((file) => {
  const text = readFileSync(new URL(file, folder), 'utf8');
  const { records, blobs, dump } = JSON.parse(text) as Omit<Golden, 'records'> & { readonly records: readonly RecordJson[] };
  const full = records.map((record, seq): LogRecord => ({ ...record, log: 'g', seq, at: instant(record.at), cause: null }));
  return { name: file.replace(/\.json$/, ''), records: full, blobs, dump };
});
