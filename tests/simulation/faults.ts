/** Every way in which the surroundings may fail, counted: a fault that never fires has proved nothing. */
export const FAULTS = [
  // the venue and the wire to it
  'lostAck', 'lostReport', 'lateAck', 'duplicateReport', 'reorderedReport', 'duplicateOrder', 'overtakingCancel', 'disconnect', 'lostSend', 'lostCancel',
  'unknownOutcome', 'orderAbsent',
  // the store
  'storeRefused', 'storePersisted', 'storeLate', 'storePrefix', 'storeSlow', 'storeDown', 'emergency', 'readRefused',
  // the house
  'crash', 'crashBeforeSend', 'crashAfterSend', 'crashWhileStarting', 'crashInEmergency', 'lostTail', 'snapshotRestart', 'clockStep', 'quoteMissing',
  'withheldAtLastLook',
] as const;
export type Fault = (typeof FAULTS)[number];

export type Fired = Record<Fault, number>;

export const nothingFired = (): Fired => Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Fired;

export function addFired(into: Fired, more: Readonly<Fired>): void {
  for (const fault of FAULTS) into[fault] += more[fault];
}
