import { draft, SYSTEM } from '../../compliance/records.ts';
import { nextStep, stepAt, type ScheduleStep } from '../../execution/schedule.ts';
import { formatDecimal, subtract } from '../../risk/domain/decimal.ts';
import { plusMs } from '../../risk/domain/time.ts';
import { lastMidOf, readFacts, textOf } from '../facts.ts';
import { cancelInAnyCase } from '../emergency.ts';
import type { House } from '../house.ts';
import { cancelDrafts, cancelsOf } from './cancel.ts';
import { releaseSlice } from './release-slice.ts';

/** A slice that could not be released because nothing new is taken is tried again after this. */
const RETRY_MS = 1_000;

/** The step that was dealt with last; whether some of it waits for room; and after how long it is asked for again. */
interface Last {
  readonly step: ScheduleStep;
  readonly waits: boolean;
  readonly againMs: number;
}

/**
 * Arms the next timer of a parent: its next slice; what still waits of the last one, and of the very last also what its venue left
 * unfilled; or its end. One timer a parent; each firing arms the next, so a parent that was withdrawn or filled simply has no further one.
 * At a restart it is called for every live parent: slices that fell due meanwhile are released at once, as one, unless the parent's time
 * is over; and what may have waited before is asked for again.
 */
export function schedule(house: House, id: string, last: Last | null = null): void {
  const parent = house.state.execution.parents.get(id);
  if (parent === undefined || parent.end !== null || parent.expireAt === null) return;
  const { expireAt, lastDue } = parent;
  const before = last ?? (lastDue === null ? null : lastOf(stepAt(parent, lastDue)));
  const now = house.timers.now();
  const next = now >= expireAt ? null : nextStep(parent, before?.step.at ?? lastDue, now);
  const againAt = before !== null && (before.waits || next === null) ? plusMs(now, before.againMs) : expireAt;
  const whenAdmitted = (act: () => void) => (): void => {
    if (house.admits()) act();
    else house.timers.at(plusMs(house.timers.now(), RETRY_MS), () => { schedule(house, id, last); });
  };
  if (before !== null && againAt < (next?.at ?? expireAt)) house.timers.at(againAt, whenAdmitted(() => { release(house, id, before.step, before); }));
  else if (next !== null) house.timers.at(next.at, whenAdmitted(() => { release(house, id, next, null); }));
  else house.timers.at(expireAt, () => { expireParent(house, id).catch(house.fail); });
}

const lastOf = (step: ScheduleStep | null): Last | null => (step === null ? null : { step, waits: true, againMs: RETRY_MS });

/** `before`: what is asked for again, ever more seldom: a purchase that waits for a slow sale is not to go out unit by unit. */
function release(house: House, id: string, step: ScheduleStep, before: Last | null): void {
  releaseSlice(house, id, step, before !== null).then((waits) => {
    schedule(house, id, { step, waits, againMs: 2 * (before?.againMs ?? RETRY_MS / 2) });
  }, house.fail);
}

/** The end of a parent's horizon: what is left is not traded, and is the opportunity part of its shortfall. What still works is cancelled. */
async function expireParent(house: House, id: string): Promise<void> {
  // read
  const parent = house.state.execution.parents.get(id);
  if (parent === undefined || parent.end !== null) return;
  const facts = readFacts(house, [parent.symbol]);

  // decide: a cancel only ever reduces
  const cancels = cancelsOf([parent], 'the end of the horizon');

  // record
  const expired = draft('parent.expired', SYSTEM, parent.decidedSeq, {
    account: parent.account, clOrdId: id, endPx: textOf(lastMidOf(facts, parent.symbol)),
    leavesQty: formatDecimal(subtract(parent.orderQty, parent.cumQty)), parent: id, strategy: parent.strategy, symbol: parent.symbol,
  });
  const { durable } = house.journal.append([expired, ...cancelDrafts(cancels, 'first')]);

  // act: a cancel does not wait for a log that cannot be written
  await cancelInAnyCase(house, cancels, durable);
  await durable;
}
