import fc from 'fast-check';
import t from 'tap';
import { divide, formatDecimal, fromNumber, isDecimalText, multiply, parseDecimal, toNumber, truncateTo, type Decimal } from '../../../risk/domain/decimal.ts';

const anyDecimal = fc.bigInt({ min: -(10n ** 36n) + 1n, max: 10n ** 36n - 1n }).map((n) => n as Decimal);

t.test('format and parse are inverse', (t) => {
  fc.assert(fc.property(anyDecimal, (d) => parseDecimal(formatDecimal(d)) === d));
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
