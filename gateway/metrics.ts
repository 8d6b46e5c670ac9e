/** Metrics: counted from the records themselves, so that they cannot disagree with the log. No label names an account, a strategy, a person or an order. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { LogRecord } from '../risk/domain/record.ts';

export interface Metrics {
  readonly registry: Registry;
  /** Records that have become durable. */
  count(records: readonly LogRecord[]): void;
}

export function createMetrics(values: { readonly logLag: () => number; readonly durable: () => number; readonly ready: () => boolean }): Metrics {
  const registry = new Registry();
  const records = new Counter({ name: 'portcullis_records_total', help: 'Durable records by kind', labelNames: ['kind'], registers: [registry] });
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({ name, help, registers: [registry], collect() { this.set(read()); } });
  };
  gauge('portcullis_log_lag_records', 'Records appended and not yet durable', values.logLag);
  gauge('portcullis_log_size', 'Durable records', values.durable);
  gauge('portcullis_ready', '1 while strategies are served', () => Number(values.ready()));
  return {
    registry,
    count(durable) {
      const byKind = new Map<string, number>();
      for (const { kind } of durable) byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
      for (const [kind, n] of byKind) records.inc({ kind }, n);
    },
  };
}
