import fc from 'fast-check';
import t from 'tap';
import { parseDecimal as d, toNumber, type Decimal } from '../../risk/domain/decimal.ts';
import { quantityOf, wholeLots } from '../../risk/rounding.ts';

t.test('lots toward the present, a hair excepted', (t) => {
  const rows: readonly (readonly [trade: string, lot: string, lots: string])[] = [
    ['0', '1', '0'], ['1', '1', '1'], ['1.999999', '1', '1'], ['1.9999999995', '1', '2'], ['-1.999999', '1', '-1'], ['-2', '1', '-2'],
    ['-1.9999999995', '1', '-2'],
    ['0.123456789', '0.00000001', '0.12345678'], ['0.99', '1', '0'], ['-0.99', '1', '0'], ['149', '100', '100'],
  ];
  for (const [trade, lot, lots] of rows) t.equal(wholeLots(d(trade), d(lot)), d(lots), `${trade} in lots of ${lot}`);
  t.end();
});

t.test('whole lots stay what they are, and nothing grows by more than a hair', (t) => {
  const lot = fc.constantFrom('1', '100', '0.01', '0.00000001').map(d);
  fc.assert(fc.property(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), lot, (count, size) => wholeLots((count * size) as Decimal, size) === count * size));
  fc.assert(fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), lot, (value, size) => {
    const trade = quantityOf(value);
    const lots = wholeLots(trade, size);
    return lots % size === 0n && (lots === 0n || lots > 0n === trade > 0n)
      && Math.abs(toNumber(lots)) <= Math.abs(toNumber(trade)) * (1 + 1e-13) + toNumber(size) * 1e-9;
  }));
  t.end();
});

t.test('a computed quantity is as exact as its double, and none is too large', (t) => {
  const values = fc.double({ min: -1e15, max: 1e15, noNaN: true });
  fc.assert(fc.property(values, (value) => Math.abs(toNumber(quantityOf(value)) - value) <= Math.max(1e-9, Math.abs(value) * 1e-9)));
  for (const value of [Infinity, 1e300]) t.equal(quantityOf(value), d('1000000000000000'));
  t.end();
});
