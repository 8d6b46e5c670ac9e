import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import t from 'tap';
import fc from 'fast-check';
import { formatDecimal } from '../../../risk/domain/decimal.ts';
import { formatInstant } from '../../../risk/domain/time.ts';
import type { Ns } from '../../../risk/domain/time.ts';
import { LEAN, parseLeanName } from '../../../execution/markets/lean.ts';
import type { LeanKind, Resolution } from '../../../execution/markets/lean.ts';
import { LobsterBook, MESSAGE_FIELDS, messageOf, parseLobsterName } from '../../../execution/markets/lobster.ts';
import { newYorkMidnight } from '../../../execution/markets/new-york.ts';
import { LineCutter, parseRow } from '../../../execution/markets/rows.ts';
import type { Field } from '../../../execution/markets/rows.ts';
import { needsShared, shared } from '../../shared.ts';

const MIDNIGHT = newYorkMidnight('20131007')!;

t.test('midnight in New York, through both offsets and the days between them', (t) => {
  const table: [string, string | null][] = [
    ['20131007', '2013-10-07T04:00:00.000000000Z'],
    ['20131104', '2013-11-04T05:00:00.000000000Z'],
    ['20131103', '2013-11-03T05:00:00.000000000Z'], // clocks go back at two: what is traded that day is traded in winter time
    ['20140310', '2014-03-10T04:00:00.000000000Z'],
    ['20140307', '2014-03-07T05:00:00.000000000Z'],
    ['19980102', '1998-01-02T05:00:00.000000000Z'],
    ['20130230', null], ['20131301', null], ['2013100', null], ['201310071', null], ['abcdefgh', null], ['', null],
  ];
  for (const [date, expected] of table) {
    const midnight = newYorkMidnight(date);
    t.equal(midnight === null ? null : formatInstant(midnight), expected, date);
  }
  t.end();
});

t.test('names say what a file holds', (t) => {
  t.strictSame(parseLeanName('20131007_bac_Quote_Tick.csv'), { symbol: 'BAC', date: '20131007', resolution: 'tick', kind: 'quote' });
  t.strictSame(parseLeanName('20131007_brk.b_second_trade.csv'), { symbol: 'BRK.B', date: '20131007', resolution: 'second', kind: 'trade' });
  for (const name of ['20131007_bac_hour_trade.csv', '../20131007_bac_trade_tick.csv', '20131007__trade_tick.csv', 'bac.csv', '']) {
    t.equal(parseLeanName(name), null, name);
  }
  t.strictSame(parseLobsterName('AAPL_2012-06-22_34200000_57600000_message_10.csv'),
    { symbol: 'AAPL', date: '20120622', kind: 'message' });
  t.strictSame(parseLobsterName('excerpt_AAPL_orderbook_10.csv.gz'), { symbol: 'AAPL', date: '20120621', kind: 'orderbook' });
  for (const name of ['message_10.csv', 'AAPL_messages_10.csv', 'AAPL_message_10.zip']) t.equal(parseLobsterName(name), null, name);
  t.end();
});

/** What one line of a Lean file becomes, in words; 'malformed' where it is no row. */
function lean(resolution: Resolution, kind: LeanKind, ...lines: string[]): string[] {
  const { fields, translator } = LEAN[resolution][kind];
  const translate = translator('BAC', MIDNIGHT);
  const row = new Float64Array(fields.length);
  return lines.map((line) => {
    const bytes = Buffer.from(line);
    if (!parseRow(bytes, 0, bytes.length, fields, row)) return 'malformed';
    const event = translate(row);
    if (typeof event === 'string') return event;
    const clock = (at: Ns): string => formatInstant(at).slice(11);
    if (event.kind === 'print') return `${clock(event.print.at)} ${formatDecimal(event.print.qty)}@${formatDecimal(event.print.px)}`;
    const { bidPx, bidQty, askPx, askQty, at } = event.quote;
    return `${clock(at)} ${formatDecimal(bidQty)}@${formatDecimal(bidPx)} ${formatDecimal(askQty)}@${formatDecimal(askPx)}`;
  });
}

t.test('quote ticks tell one side a row and keep the other', (t) => {
  t.strictSame(lean('tick', 'quote',
    '14400151,0,0,140200,500,Q,1,0', '14400554.367,138400,700,0,0,P,1,0', '14400555,1,100,0,0,P,1,1', '14400556,138500,700,140100,200,P,800,0',
    '14400557,138500,0,0,0,P,1,0', '14400558,0,0,0,0,P,2000,0'), [
    '08:00:00.151000000Z 0@0 500@14.02', '08:00:00.554367000Z 700@13.84 500@14.02', 'suspicious', '08:00:00.556000000Z 700@13.85 200@14.01',
    '08:00:00.557000000Z 0@0 200@14.01', '08:00:00.558000000Z 0@0 0@0',
  ]);
  t.end();
});

t.test('trade ticks at the market are prints; those reported late, averaged or repeated are not', (t) => {
  t.strictSame(lean('tick', 'trade',
    '14400614,139400,500,P,20002020,0', '1,139400,500,D,0,1', '1,139400,500,D,100000,0', '1,139400,500,N,1000000,0',
    '1,139400,500,N,80,0', '1,0,500,N,1,0', '1,5,0,N,1,0'),
  ['08:00:00.614000000Z 500@13.94', 'suspicious', 'offMarket', 'offMarket', '04:00:00.001000000Z 500@13.94', 'empty', 'empty']);
  t.end();
});

t.test('a bar speaks at its end, with its close', (t) => {
  t.strictSame(lean('second', 'quote', '14400000,138400,138500,138300,138450,700,140200,140200,139500,139500,20000',
    '14401000,,,,,,140200,140200,139500,139500,20000'),
    ['08:00:01.000000000Z 700@13.845 20000@13.95', '08:00:02.000000000Z 0@0 20000@13.95']);
  t.strictSame(lean('minute', 'trade', '15300000,6448000,6448000,6447000,6447500,90'), ['08:16:00.000000000Z 90@644.75']);
  t.end();
});

t.test('anything else is malformed', (t) => {
  const rows = ['', ',', '14400614', '14400614,139400,500,P,1', '14400614,139400,500,P,1,0,0', '14400614,139400,500,P,1,2',
    '14400614,139400,500,P,1,', 'x,139400,500,P,1,0',
    '-1,139400,500,P,1,0', '86400001,139400,500,P,1,0', '1.,139400,500,P,1,0', '.5,139400,500,P,1,0', '1.1234567,139400,500,P,1,0',
    '1e3,139400,500,P,1,0', '1,1.5,500,P,1,0',
    '1,9999999999999999999999,500,P,1,0', '1,1000000000001,500,P,1,0', '1,139400,-500,P,1,0', '1,139400,500,P,g,0',
    '1,139400,500,P,123456789,0', '1, 139400,500,P,1,0',
    '1,139400,500,PPPPPPPPPPPPPPPPP,1,0', '1,NaN,500,P,1,0', '1,,500,P,1,0', '1,139400,500,P,1,0 ', '\u0000'];
  t.strictSame(lean('tick', 'trade', ...rows), rows.map(() => 'malformed'));
  t.end();
});

t.test('a number is read as it was written, and no bytes make the parser throw', (t) => {
  const field: Field = { kind: 'number', decimals: 3, min: -1e12, max: 1e12 };
  const out = new Float64Array(1);
  fc.assert(fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (value) => {
    const [sign, digits] = [value < 0 ? '-' : '', String(Math.abs(value)).padStart(4, '0')];
    const bytes = Buffer.from(`${sign}${digits.slice(0, -3)}.${digits.slice(-3)}`);
    assert.ok(parseRow(bytes, 0, bytes.length, [field], out));
    assert.ok(out[0] === value);
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    for (const resolution of ['tick', 'second'] as const) parseRow(bytes, 0, bytes.length, LEAN[resolution].quote.fields, new Float64Array(11));
  }));
  t.end();
});

t.test('lines are the same however the file is cut into chunks', (t) => {
  const line = fc.stringMatching(/^[a-z,]{0,12}$/);
  fc.assert(fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.array(fc.nat(20), { maxLength: 30 }), (lines, ending, cuts) => {
    const text = lines.map((one) => one + ending).join('');
    const seen: string[] = [];
    const take = (got: ReturnType<LineCutter['add']>): void => {
      assert.ok(got !== 'long');
      for (let i = 0; got !== null && i < got.bounds.length; i += 2) {
        assert.equal(got.first + i / 2, seen.length + 1, 'numbered from 1');
        seen.push(Buffer.from(got.bytes.subarray(got.bounds[i], got.bounds[i + 1])).toString());
      }
    };
    const cutter = new LineCutter();
    let from = 0;
    for (const cut of cuts) take(cutter.add(Buffer.from(text.slice(from, (from += cut)))));
    take(cutter.add(Buffer.from(text.slice(from))));
    take(cutter.end());
    assert.deepEqual(seen, lines);
  }));
  t.equal(new LineCutter().add(Buffer.alloc(5000, 48)), 'long');
  t.equal(new LineCutter().add(Buffer.from(`${'0'.repeat(5000)}\n`)), 'long');
  t.end();
});

t.test('messages alone give a book that never crosses and is never better than the true one', needsShared('realdata/lobster'), (t) => {
  const rows = (kind: string): string[] => gunzipSync(readFileSync(shared(`realdata/lobster/excerpt_AAPL_${kind}_10.csv.gz`))).toString().trim().split('\n');
  const books = rows('orderbook').map((line) => line.split(',').map(Number));
  const book = new LobsterBook();
  const row = new Float64Array(MESSAGE_FIELDS.length);
  let equal = 0;
  for (const [index, line] of rows('message').entries()) {
    const bytes = Buffer.from(line);
    assert.ok(parseRow(bytes, 0, bytes.length, MESSAGE_FIELDS, row));
    assert.ok(book.apply(messageOf(row)));
    const { bidPx, bidQty, askPx, askQty } = book.top();
    const [trueAsk = 0, trueAskQty = 0, trueBid = 0, trueBidQty = 0] = books[index]!;
    assert.ok(bidQty === 0 || bidPx <= trueBid);
    assert.ok(askQty === 0 || askPx >= trueAsk);
    assert.ok(bidQty === 0 || askQty === 0 || bidPx < askPx);
    if (bidPx === trueBid) assert.ok(bidQty <= trueBidQty);
    if (askPx === trueAsk) assert.ok(askQty <= trueAskQty);
    if (bidPx === trueBid && bidQty === trueBidQty && askPx === trueAsk && askQty === trueAskQty) equal++;
  }
  t.equal(books.length, 999);
  t.comment(`the very best of the true book after ${equal} of 999 messages`);
  t.ok(equal > 500);
  t.end();
});

t.test('a book refuses an id submitted twice, and forgets what has gone', (t) => {
  const book = new LobsterBook();
  const message = (type: number, id: number, size: number, px: number, direction: number) => ({ ns: 0, type, id, size, px, direction });
  t.ok(book.apply(message(1, 7, 100, 5_000_000, 1)));
  t.notOk(book.apply(message(1, 7, 100, 5_000_000, 1)));
  t.ok(book.apply(message(1, 8, 50, 5_010_000, 1)));
  t.ok(book.apply(message(1, 9, 30, 5_020_000, -1)));
  t.strictSame(book.top(), { bidPx: 5_010_000, bidQty: 50, askPx: 5_020_000, askQty: 30 });
  book.apply(message(4, 8, 50, 5_010_000, 1));
  book.apply(message(2, 7, 40, 5_000_000, 1));
  book.apply(message(3, 9, 30, 5_020_000, -1));
  book.apply(message(4, 1234, 10, 5_020_000, -1));
  t.strictSame(book.top(), { bidPx: 5_000_000, bidQty: 60, askPx: 0, askQty: 0 });
  t.end();
});
