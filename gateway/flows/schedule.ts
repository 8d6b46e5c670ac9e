import { draft, SYSTEM } from '../../compliance/records.ts';
import { nextStep, type ScheduleStep } from '../../execution/schedule.ts';
import { formatDecimal, subtract } from '../../risk/domain/decimal.ts';
import { plusMs, type Ns } from '../../risk/domain/time.ts';
import { lastMidOf, readFacts, textOf } from '../facts.ts';
import { cancelInAnyCase } from '../emergency.ts';
import type { House } from '../house.ts';
import { cancelDrafts, cancelsOf } from './cancel.ts';
import { releaseSlice } from './release-slice.ts';

/** A slice that could not be released, because nothing new is taken or for want of room, is tried again after this. */
const RETRY_MS = 1_000;

/**
 * Arms the next timer of a parent: its next slice, or its end. One timer a parent; each firing arms the next, so a parent that was
 * withdrawn or filled simply has no further one. At a restart it is called for every live parent: slices that fell due meanwhile
 * are released at once, as one, unless the parent's time is over. `waiting` is a slice of which some found no room.
 */
export function schedule(house: House, id: string, after: Ns | null = null, waiting: ScheduleStep | null = null): void {
  const parent = house.state.execution.parents.get(id);
  if (parent === undefined || parent.end !== null || parent.expireAt === null) return;
  const { expireAt } = parent;
  const now = house.timers.now();
  const step = now >= expireAt ? null : nextStep(parent, after ?? parent.lastDue, now);
  const retryAt = plusMs(now, RETRY_MS);
  const at = step?.at ?? expireAt;
  if (waiting !== null && retryAt < at) {
    house.timers.at(retryAt, () => {
      if (house.admits()) release(house, id, waiting, true);
      else schedule(house, id, after, waiting);
    });
    return;
  }
  house.timers.at(at, () => {
    if (step === null) expireParent(house, id).catch(house.fail);
    else if (house.admits()) release(house, id, step, false);
    else house.timers.at(plusMs(house.timers.now(), RETRY_MS), () => { schedule(house, id, after); });
  });
}

function release(house: House, id: string, step: ScheduleStep, again: boolean): void {
  releaseSlice(house, id, step, again).then((waits) => { schedule(house, id, step.at, waits ? step : null); }, house.fail);
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
