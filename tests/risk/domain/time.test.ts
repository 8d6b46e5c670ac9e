import fc from 'fast-check';
import t from 'tap';
import { formatInstant, parseInstant, type Ns } from '../../../risk/domain/time.ts';

/** From the epoch to the end of 9999, in nanoseconds. */
const anyInstant = fc.bigInt(0n, 253_402_300_799_999_999_999n).map((ns) => ns as Ns);
/** As Date, which knows the calendar and milliseconds, prints it. */
const reference = (at: Ns): string => `${new Date(Number(at / 1_000_000n)).toISOString().slice(0, -1)}${String(at % 1_000_000n).padStart(6, '0')}Z`;

t.test('an instant has the text that the calendar gives it, and that text is the instant', (t) => {
  fc.assert(fc.property(anyInstant, (at) => formatInstant(at) === reference(at) && parseInstant(reference(at)) === at), { numRuns: 1_000 });
  t.end();
});

t.test('instants of two days in turn', (t) => {
  for (const text of ['2026-11-20T23:59:59.999999999Z', '2026-11-21T00:00:00.000000000Z', '2026-11-20T00:00:00.000000001Z', '2024-02-29T12:00:00.000000000Z']) {
    for (let twice = 0; twice < 2; twice++) t.equal(formatInstant(parseInstant(text)!), text);
  }
  t.end();
});

t.test('fewer digits are the same instant', (t) => {
  const at = parseInstant('2026-11-20T09:30:00.500000000Z');
  for (const text of ['2026-11-20T09:30:00.5Z', '2026-11-20T09:30:00.50Z', '2026-11-20T09:30:00.500000Z']) t.equal(parseInstant(text), at);
  t.equal(parseInstant('2026-11-20T09:30:00Z'), parseInstant('2026-11-20T09:30:00.0Z'));
  t.end();
});

t.test('what is no instant', (t) => {
  const not: readonly unknown[] = [
    '', '2026-11-20', '2026-11-20T09:30Z', '2026-11-20T09:30:00', '2026-11-20T09:30:00z', '2026-11-20 09:30:00Z', '2026-11-20T09:30:00+00:00', '2026-11-20T09:30:00.Z',
    '2026-11-20T09:30:00.0000000000Z', '2026-02-30T00:00:00Z', '2026-02-29T00:00:00Z', '2026-13-01T00:00:00Z', '2026-00-10T00:00:00Z', '2026-01-00T00:00:00Z',
    '2026-11-20T24:00:00Z', '2026-11-20T23:60:00Z', '2026-11-20T23:59:60Z', '2026-11-20T29:00:00Z', '+002026-11-20T00:00:00Z', '2026-11-20T09:30:00Z\n', 1, null, undefined, {},
  ];
  for (const text of not) t.equal(parseInstant(text), null, String(text));
  t.end();
});
