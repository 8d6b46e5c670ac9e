import fc from 'fast-check';
import t from 'tap';
import { divide, formatDecimal, fromNumber, isDecimalText, microsText, MICROS_MAX, multiply, parseDecimal, toNumber, truncateTo, type Decimal } from '../../../risk/domain/decimal.ts';

const anyDecimal = fc.bigInt({ min: -(10n ** 36n) + 1n, max: 10n ** 36n - 1n }).map((n) => n as Decimal);

t.test('format and parse are inverse', (t) => {
  fc.assert(fc.property(anyDecimal, (d) => parseDecimal(formatDecimal(d)) === d));
  t.end();
});

/** Digit by digit, as a pupil would. */
const written = (d: Decimal): string => {
  const digits = (d < 0n ? -d : d).toString().padStart(19, '0');
  return `${d < 0n ? '-' : ''}${digits.slice(0, -18)}.${digits.slice(-18)}`.replace(/\.?0+$/, '');
};

t.test('millionths are written as String writes the double', (t) => {
  const largest = MICROS_MAX - 1;
  fc.assert(fc.property(fc.oneof(fc.integer({ min: -largest, max: largest }), fc.integer({ min: -2_000_000, max: 2_000_000 })), (n) => microsText(n) === String(n / 1e6)));
  for (const n of [0, -0, 1, -1, 10, 999_999, 1_000_000, 1_000_001, -1_000_010, largest, -largest, largest - 999_999]) t.equal(microsText(n), String(n / 1e6));
  t.end();
});

t.test('short decimals, and those around where they end, are written digit by digit', (t) => {
  const shorts = fc.tuple(fc.bigInt({ min: -(10n ** 15n) - 99n, max: 10n ** 15n + 99n }), fc.constantFrom(10n ** 11n, 10n ** 12n, 10n ** 13n));
  fc.assert(fc.property(shorts, ([n, unit]) => {
    const d = (n * unit) as Decimal;
    return formatDecimal(d) === written(d) && parseDecimal(written(d)) === d;
  }), { numRuns: 2_000 });
  for (const n of [10n ** 15n, 10n ** 15n - 1n, 1n - 10n ** 15n]) t.equal(formatDecimal((n * 10n ** 12n) as Decimal), written((n * 10n ** 12n) as Decimal));
  t.end();
});

t.test('a text that is a decimal comes back in its one form', (t) => {
  for (const [text, form] of [['0', '0'], ['-0', '0'], ['1.50', '1.5'], ['-0.000000000000000001', '-0.000000000000000001'], ['100', '100']] as const) {
    t.equal(formatDecimal(parseDecimal(text)), form);
  }
  t.end();
});

t.test('hostile texts are refused', (t) => {
  for (const text of ['', '-', '+1', '01', '1.', '.5', '1e3', ' 1', '1 ', '1\n', 'NaN', 'Infinity', '1,5', '٣', '1'.repeat(19), `0.${'1'.repeat(19)}`, ['1'], 1, null]) {
    t.notOk(isDecimalText(text), JSON.stringify(text));
  }
  t.throws(() => parseDecimal('1e3'), RangeError);
  t.end();
});

t.test('a product is exact or refused', (t) => {
  t.equal(formatDecimal(multiply(parseDecimal('0.00000001'), parseDecimal('12345.67'))), '0.0001234567');
  t.throws(() => multiply(parseDecimal('0.0000000001'), parseDecimal('0.0000000001')), RangeError);
  t.end();
});

t.test('division rounds half away from zero', (t) => {
  t.equal(formatDecimal(divide(parseDecimal('1'), parseDecimal('3'))), '0.333333333333333333');
  t.equal(formatDecimal(divide(parseDecimal('-2'), parseDecimal('3'))), '-0.666666666666666667');
  t.throws(() => divide(parseDecimal('1'), parseDecimal('0')), RangeError);
  t.end();
});

t.test('doubles cross the border both ways', (t) => {
  fc.assert(fc.property(fc.integer({ min: -1e9, max: 1e9 }), (n) => Math.abs(toNumber(fromNumber(n / 100, 2)) - n / 100) <= Math.abs(n / 100) * Number.EPSILON));
  t.equal(formatDecimal(fromNumber(-0.0000001, 2)), '0');
  t.throws(() => fromNumber(Number.NaN, 2), RangeError);
  t.equal(formatDecimal(truncateTo(parseDecimal('-1.29'), parseDecimal('0.1'))), '-1.2');
  t.end();
});
