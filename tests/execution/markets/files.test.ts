import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { MarketFileError } from '../../../execution/markets/file-error.ts';
import type { MarketFileCode } from '../../../execution/markets/file-error.ts';
import { noCounts } from '../../../execution/markets/readers.ts';
import { openReplay } from '../../../execution/markets/replay.ts';
import { zipOf } from '../../doubles/zip.ts';

const SECRET = 'TOP-SECRET';
const QUOTES = '20131007_bac_second_quote.csv';
const quoteBar = (ms: number, bid = 138_400): string => `${ms},1,1,1,${bid},700,1,1,1,139500,200`;
const good = zipOf([{ name: QUOTES, text: `${quoteBar(14_400_000)}\n${quoteBar(14_401_000)}\n` }]);
/** An archive whose rows go wrong at line 3, beyond what `first` looks at. */
const rows = (...more: string[]): Buffer => zipOf([{ name: QUOTES, text: [quoteBar(14_400_000), quoteBar(14_401_000), ...more].join('\n') }]);

/** Reads all that is at `path`, and gives the refusal. */
async function refusal(path: string): Promise<MarketFileError> {
  try {
    const source = await openReplay(path);
    for await (const batch of source.read(noCounts())) t.ok(batch.length > 0);
  } catch (error) {
    if (error instanceof MarketFileError) return error;
    throw error;
  }
  throw new Error('it was read');
}

const message = (s: number, id: number): string => `${s}.000000001,1,${id},18,5853300,1`;

/** Every hostile thing: what stands in the folder, what is refused, and on which line. */
const HOSTILE: Record<string, { files: Record<string, Buffer | string>; code: MarketFileCode; line?: number }> = {
  'nothing at all': { files: {}, code: 'NO_DATA' },
  'files of another kind': { files: { 'README.md': 'hello', 'other.zip': zipOf([{ name: 'hello.txt', text: SECRET }]) }, code: 'NO_DATA' },
  'a day that does not exist': { files: { 'a.zip': zipOf([{ name: '20130230_bac_second_quote.csv', text: quoteBar(1) }]) }, code: 'NO_DATA' },
  'no rows': { files: { 'a.zip': zipOf([{ name: QUOTES, text: '' }]) }, code: 'NO_DATA' },
  'prints but no quote': { files: { 'a.zip': zipOf([{ name: '20131007_bac_second_trade.csv', text: '1,2,2,2,2,3' }]) }, code: 'NO_DATA' },
  'an archive cut in the middle': { files: { 'a.zip': good.subarray(0, good.length - 40) }, code: 'BAD_ARCHIVE' },
  'an archive that is text': { files: { 'a.zip': SECRET }, code: 'BAD_ARCHIVE' },
  'an archive of nothing': { files: { 'a.zip': '' }, code: 'BAD_ARCHIVE' },
  'an archive of two files': {
    files: { 'a.zip': zipOf([{ name: QUOTES, text: quoteBar(1) }, { name: 'b.csv', text: quoteBar(1) }]) }, code: 'BAD_ARCHIVE',
  },
  'a name that climbs': { files: { 'a.zip': zipOf([{ name: `../${QUOTES}`, text: quoteBar(1) }]) }, code: 'BAD_ARCHIVE' },
  'an archive with a flipped checksum': { files: { 'a.zip': flipped(rows(quoteBar(20_000_000)), 16) }, code: 'BAD_ARCHIVE' },
  'letters': { files: { 'a.zip': rows(`${SECRET},1,1,1,1,1,1,1,1,1,1`) }, code: 'BAD_ROW', line: 3 },
  'bytes': { files: { 'a.zip': rows('\u0000\u0001\u0002') }, code: 'BAD_ROW', line: 3 },
  'an empty line': { files: { 'a.zip': rows('', quoteBar(14_402_000)) }, code: 'BAD_ROW', line: 3 },
  'an absurd price': { files: { 'a.zip': rows(quoteBar(14_402_000, 1e20)) }, code: 'BAD_ROW', line: 3 },
  'a negative price': { files: { 'a.zip': rows(quoteBar(14_402_000, -5)) }, code: 'BAD_ROW', line: 3 },
  'a missing field': { files: { 'a.zip': rows('14402000,1,1,1,1') }, code: 'BAD_ROW', line: 3 },
  'time going back': { files: { 'a.zip': rows(quoteBar(14_402_000), quoteBar(14_401_999)) }, code: 'OUT_OF_ORDER', line: 4 },
  'a line without end': { files: { 'a.zip': rows('1'.repeat(1_000_000)) }, code: 'LINE_TOO_LONG', line: 3 },
  'a gzip cut in the middle': { files: { 'AAPL_message_10.csv.gz': gzipSync(message(34_200, 1)).subarray(0, 30) }, code: 'BAD_ARCHIVE' },
  'messages and a shorter book': {
    files: { 'AAPL_message_10.csv': `${message(34_200, 1)}\n${message(34_201, 2)}`, 'AAPL_orderbook_10.csv': '5859400,200,5853300,18' },
    code: 'ROWS_DIFFER', line: 2,
  },
  'an order submitted twice': { files: { 'AAPL_message_10.csv': `${message(34_200, 1)}\n${message(34_201, 1)}` }, code: 'BAD_ROW', line: 2 },
  'messages going back': { files: { 'AAPL_message_10.csv': `${message(34_201, 1)}\n${message(34_200, 2)}` }, code: 'OUT_OF_ORDER', line: 2 },
};

/** A copy with one bit of the checksum flipped in both headers. */
function flipped(zip: Buffer, offset: number): Buffer {
  const copy = Buffer.from(zip);
  const central = copy.indexOf('PK\x01\x02');
  copy[central + offset]! ^= 1;
  return copy;
}

t.test('every hostile file is refused by its code and line, and none of its text comes back', async (t) => {
  for (const [index, [what, { files, code, line }]] of Object.entries(HOSTILE).entries()) {
    const folder = join(t.testdir(), `case${index}`);
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    const error = await refusal(folder);
    t.equal(error.code, code, what);
    t.equal(error.line, line ?? null, what);
    t.notOk(error.message.includes(SECRET) || error.message.includes(folder), 'neither text nor path');
  }
});

t.test('what is no regular file is refused', async (t) => {
  const folder = t.testdir({ 'a.zip': '' });
  t.equal((await refusal(join(folder, 'absent'))).code, 'NOT_FOUND');
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  t.equal((await refusal(pipe)).code, 'NOT_A_FILE');
  t.equal((await refusal('/dev/null')).code, 'NOT_A_FILE');
  const other = join(folder, 'other');
  mkdirSync(other);
  execFileSync('mkfifo', [join(other, 'b.zip')]);
  t.equal((await refusal(other)).code, 'NO_DATA', 'a pipe in a folder is passed over, never opened');
});

t.test('one file is enough, whatever its own name; deep folders are searched; finer data wins', async (t) => {
  const folder = t.testdir({ deep: { er: {} } });
  const alone = join(folder, 'quotes.bin');
  writeFileSync(alone, good);
  t.match(await openReplay(alone), { format: 'lean-second', symbols: ['BAC'] });
  writeFileSync(join(folder, 'deep', 'er', 'a.zip'), readFileSync(alone));
  const tick = zipOf([{ name: '20131007_bac_Quote_Tick.csv', text: '14400151,138400,100,0,0,Q,1,0' }]);
  writeFileSync(join(folder, 'deep', 'b.zip'), tick);
  const source = await openReplay(folder);
  t.equal(source.format, 'lean-tick');
  const counts = noCounts();
  for await (const batch of source.read(counts)) t.equal(batch.length, 1);
  t.equal(counts.rows, 1);
});
