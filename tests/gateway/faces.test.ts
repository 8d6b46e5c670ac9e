import t from 'tap';
import { marketAgeMs } from '../../gateway/faces.ts';
import type { Market, Quote } from '../../execution/market.ts';
import { parseDecimal } from '../../risk/domain/decimal.ts';
import { plusMs } from '../../risk/domain/time.ts';
import { START, testHouse } from '../doubles/house.ts';
import { fixedMarket, type FixedMarket } from '../doubles/market.ts';
import { sample } from '../risk/sample.ts';

const SYMBOLS = [...sample.universe.keys()];
const FIRST = SYMBOLS[0]!;
const LAST = SYMBOLS.at(-1)!;
const px = parseDecimal('100');

const quoteAt = (symbol: string, ms: number): Quote => ({ symbol, bidPx: px, bidQty: px, askPx: px, askQty: px, at: plusMs(START, ms) });

/** Notes which symbols it is asked for. */
function asked(market: FixedMarket): FixedMarket & { readonly symbols: string[] } {
  const symbols: string[] = [];
  const quote: Market['quote'] = (symbol) => {
    symbols.push(symbol);
    return market.quote(symbol);
  };
  return { ...market, quote, symbols };
}

t.test('the market is as old as its newest quote', async (t) => {
  const market = fixedMarket();
  const { house, time } = await testHouse({ market });
  t.equal(marketAgeMs(house), null, 'no quote has come');
  time.set(plusMs(START, 10_000));
  market.set(quoteAt(LAST, 7_000));
  t.equal(marketAgeMs(house), 3_000, 'data that lacks the first symbol');
  market.set(quoteAt(FIRST, 2_000));
  t.equal(marketAgeMs(house), 3_000, 'the first symbol is older');
  market.set(quoteAt(FIRST, 8_000));
  t.equal(marketAgeMs(house), 2_000);
});

t.test('a market that lives is asked for one quote, however large the universe', async (t) => {
  const market = asked(fixedMarket(SYMBOLS.map((symbol) => quoteAt(symbol, 0))));
  const { house, time } = await testHouse({ market });
  time.set(plusMs(START, 999));
  market.symbols.length = 0;
  t.equal(marketAgeMs(house), 999);
  t.same(market.symbols, [FIRST]);
  time.set(plusMs(START, 1_000));
  t.equal(marketAgeMs(house), 1_000);
  t.same(market.symbols.slice(1), SYMBOLS, 'one that does not is searched for its newest');
});
