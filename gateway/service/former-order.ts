/** A direct order that memory has forgotten, from the records that name it: its decisions, and what became of each of its slices. */
import type { OrderFilled, OrderRejected, SliceWithheld } from '../../execution/records.ts';
import { avgPxOf } from '../../execution/shortfall.ts';
import { ORDER_CHECKS } from '../../risk/checks/index.ts';
import { add, formatDecimal, multiply, parseDecimal, subtract, ZERO, type Decimal } from '../../risk/domain/decimal.ts';
import type { OrderState } from '../../risk/domain/order.ts';
import type { LogRecord } from '../../risk/domain/record.ts';
import type { OrderDecided } from '../../risk/records.ts';
import { unpackVerdicts } from '../../risk/verdicts.ts';
import { textOf } from '../facts.ts';
import { idOf, type House } from '../house.ts';
import { receiptView } from './views.ts';

type Decided = LogRecord<string, OrderDecided>;

/** Null where the account has no such order. */
export async function formerView(house: House, account: string, clOrdId: string): Promise<Record<string, unknown> | null> {
  const decisions = (await house.lookUp(`order:${account}/${clOrdId}`)) as readonly Decided[];
  const [first] = decisions;
  if (first === undefined) return null;
  const slices = await Promise.all(decisions.filter(({ body }) => body.decision !== 'denied').map(async (decided) => {
    const id = idOf(house.journal.log, decided.seq + 1); // a direct slice stands right behind its decision
    return { decided, reports: await house.lookUp(`child:${id}`) };
  }));
  const reports = slices.flatMap((slice) => slice.reports).sort((a, b) => a.seq - b.seq);
  // What the venue has replaced it by last is the order.
  const { body } = slices.findLast((slice) => slice.reports.some(({ kind }) => kind === 'order.replaced'))?.decided ?? first;
  const filled = filledOf(reports);
  const { parent, strategy, symbol, side, orderQty, type, limitPx } = body;
  return {
    clOrdId, parent, account, strategy, symbol, side, orderQty, cumQty: formatDecimal(filled.cumQty), leavesQty: '0', avgPx: textOf(avgPxOf(filled)),
    state: first.body.decision === 'denied' ? 'denied' : endOf(reports, subtract(parseDecimal(orderQty), filled.cumQty)), venue: venueOf(reports), type, limitPx,
    seq: first.seq, receipt: receiptView(await house.journal.whenDurable(first.seq)),
    verdicts: unpackVerdicts(ORDER_CHECKS, first.body, await house.policyAt(first.seq), symbol),
  };
}

/** The end that the venue, or the last look before the send, gave it. A refusal is the end only where there is no other. */
function endOf(reports: readonly LogRecord[], leavesQty: Decimal): OrderState {
  if (leavesQty <= 0n) return 'filled';
  const ends = reports.flatMap(({ kind, body }): OrderState[] => {
    if (kind === 'order.canceled') return ['canceled'];
    if (kind === 'order.expired') return ['expired'];
    if (kind === 'slice.withheld') return [(body as SliceWithheld).why === 'canceled' ? 'canceled' : 'denied'];
    return kind === 'order.rejected' && (body as OrderRejected).of === 'new' ? ['rejected'] : [];
  });
  return ends.findLast((end) => end !== 'rejected') ?? ends[0] ?? 'filled';
}

const venueOf = (reports: readonly LogRecord[]): string | null =>
  (reports.find(({ kind }) => kind !== 'slice.withheld')?.body as OrderFilled | undefined)?.venue ?? null;

/** What the fills among an order's reports come to. */
export function filledOf(reports: readonly LogRecord[]): { readonly cumQty: Decimal; readonly cost: Decimal } {
  const fills = reports.filter((report) => report.kind === 'order.filled').map((report) => report.body as OrderFilled);
  return {
    cumQty: fills.reduce((sum, fill) => add(sum, parseDecimal(fill.lastQty)), ZERO),
    cost: fills.reduce((sum, fill) => add(sum, multiply(parseDecimal(fill.lastQty), parseDecimal(fill.lastPx))), ZERO),
  };
}
