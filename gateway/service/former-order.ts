/** A direct order that memory has forgotten, from the records that name it: its decisions, and what became of each of its slices. */
import type { OrderFilled, OrderRejected, SliceReleased, SliceWithheld } from '../../execution/records.ts';
import { avgPxOf } from '../../execution/shortfall.ts';
import { ORDER_CHECKS } from '../../risk/checks/index.ts';
import { add, formatDecimal, multiply, parseDecimal, subtract, ZERO, type Decimal } from '../../risk/domain/decimal.ts';
import type { OrderState } from '../../risk/domain/order.ts';
import type { LogRecord } from '../../risk/domain/record.ts';
import type { OrderDecided } from '../../risk/records.ts';
import { unpackVerdicts } from '../../risk/verdicts.ts';
import { textOf } from '../facts.ts';
import type { House } from '../house.ts';
import { receiptView } from './views.ts';

type Decided = LogRecord<string, OrderDecided>;

/** Null where the account has no such order. */
export async function formerView(house: House, account: string, clOrdId: string): Promise<Record<string, unknown> | null> {
  const decisions = (await house.lookUp(`order:${account}/${clOrdId}`)) as readonly Decided[];
  const [first] = decisions;
  if (first === undefined) return null;
  const slices = await Promise.all(decisions.filter(({ body }) => body.decision !== 'denied').map((decided) => sliceOf(house, decided)));
  // What the venue has replaced it by last is the order; what became of others says nothing of its end.
  const standing = slices.findLast((slice) => slice.reports.some(({ kind }) => kind === 'order.replaced')) ?? slices[0];
  const filled = filledOf(slices.flatMap((slice) => slice.reports));
  const { parent, strategy, symbol, side, orderQty, type, limitPx } = standing?.order ?? first.body;
  return {
    clOrdId, parent, account, strategy, targetId: null, symbol, side, orderQty, cumQty: formatDecimal(filled.cumQty), leavesQty: '0', avgPx: textOf(avgPxOf(filled)),
    state: standing === undefined ? 'denied' : endOf(standing.reports, subtract(parseDecimal(orderQty), filled.cumQty)), venue: standing?.order.venue ?? null,
    type, limitPx,
    seq: first.seq, receipt: receiptView(await house.journal.whenDurable(first.seq)),
    verdicts: unpackVerdicts(ORDER_CHECKS, first.body, await house.policyAt(first.seq), symbol),
  };
}

interface Slice {
  readonly order: SliceReleased;
  readonly reports: readonly LogRecord[];
}

/** A direct slice stands right behind its decision, in the same unit. */
async function sliceOf(house: House, { seq }: Decided): Promise<Slice> {
  const [released] = (await house.records(seq + 1, seq + 2)) as readonly LogRecord<string, SliceReleased>[];
  if (released === undefined) throw new Error(`record ${String(seq + 1)} is durable and cannot be read`);
  return { order: released.body, reports: await house.lookUp(`child:${released.body.clOrdId}`) };
}

/** The end that the venue, or the last look before the send, gave it. A refusal is the end only where there is no other; without any it is unknown. */
function endOf(reports: readonly LogRecord[], leavesQty: Decimal): OrderState {
  if (leavesQty <= 0n) return 'filled';
  const ends = reports.flatMap(({ kind, body }): OrderState[] => {
    if (kind === 'order.canceled') return ['canceled'];
    if (kind === 'order.expired') return ['expired'];
    if (kind === 'slice.withheld') return [(body as SliceWithheld).why === 'canceled' ? 'canceled' : 'denied'];
    return kind === 'order.rejected' && (body as OrderRejected).of === 'new' ? ['rejected'] : [];
  });
  return ends.findLast((end) => end !== 'rejected') ?? ends[0] ?? 'unknown';
}

/** What the fills among an order's reports come to. */
function filledOf(reports: readonly LogRecord[]): { readonly cumQty: Decimal; readonly cost: Decimal } {
  const fills = reports.filter((report) => report.kind === 'order.filled').map((report) => report.body as OrderFilled);
  return {
    cumQty: fills.reduce((sum, fill) => add(sum, parseDecimal(fill.lastQty)), ZERO),
    cost: fills.reduce((sum, fill) => add(sum, multiply(parseDecimal(fill.lastQty), parseDecimal(fill.lastPx))), ZERO),
  };
}
