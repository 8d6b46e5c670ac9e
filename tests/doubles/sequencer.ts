/** A sequencer with all that happens around it in sight. */
import type { Test } from 'tap';
import type { LogStore, StoredLine } from '../../compliance/journal.ts';
import { NO_HASH } from '../../compliance/seal.ts';
import { createSequencer, type Sequencer, type SequencerEvents, type SequencerOptions } from '../../compliance/sequencer.ts';
import type { Draft, LogRecord } from '../../risk/domain/record.ts';
import { instant } from '../../risk/domain/time.ts';
import type { MemoryStore } from './store.ts';
import { manualTimers, type ManualTimers } from './timers.ts';

export const START = instant('2026-11-20T09:30:00Z');
export const draft = (body: unknown = {}, cause: Draft['cause'] = null): Draft =>
  ({ kind: 'order.decided', v: 1, actor: { id: 'a', role: 'strategy' }, cause, body });

export interface Bench {
  readonly sequencer: Sequencer;
  readonly time: ManualTimers;
  readonly folded: LogRecord[];
  readonly told: string[];
  readonly durable: StoredLine[];
}

export function bench(store: LogStore, more: Partial<SequencerOptions> = {}): Bench {
  const time = manualTimers(START);
  const folded: LogRecord[] = [];
  const told: string[] = [];
  const durable: StoredLine[] = [];
  const events: SequencerEvents = {
    onDurable: (_records, made) => { durable.push(...made); },
    onTrouble: () => { told.push('trouble'); },
    onEmergency: () => { told.push('emergency'); },
    onRecovered: () => { told.push('recovered'); },
    onFatal: (error) => { told.push(`fatal: ${error.message}`); },
    onClockStep: (back) => { told.push(`clock ${String(back)}`); },
  };
  const sequencer = createSequencer({
    log: 'L', head: { size: 0, hash: NO_HASH, at: START }, store, clock: time, timers: time,
    fold: (record) => { folded.push(record); }, subjectOf: () => null, events, ...more,
  });
  return { sequencer, time, folded, told, durable };
}

/** The log is what was folded: no gap, no repeat, each record chained to the one before. */
export function assertLog(t: Test, lines: MemoryStore['lines'], folded: readonly LogRecord[]): void {
  let prev = NO_HASH;
  t.equal(lines.length, folded.length, 'as many stored as folded');
  for (const [i, { canonical, hash, seq }] of lines.entries()) {
    const record = JSON.parse(canonical) as { seq: number; prev: string; body: unknown };
    if (seq !== i || record.seq !== i || record.prev !== prev) t.fail(`the chain breaks at ${i}`);
    t.strictSame(record.body, folded[i]!.body);
    prev = hash;
  }
}
