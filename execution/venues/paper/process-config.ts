/** What a paper process is told at its start: one JSON file, written by whoever spawns it, read once. */
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { formatDecimal, isDecimalText, parseDecimal } from '../../../risk/domain/decimal.ts';
import type { Instrument } from '../../../risk/domain/instrument.ts';
import { WordJson } from './codec.ts';
import type { PaperConfig } from './terms.ts';

export interface ProcessConfig {
  /** The venue's id. */
  readonly id: string;
  readonly paper: PaperConfig;
  /** Seed of its synthetic market: the gateway's own, so that both see the same quotes. */
  readonly marketSeed: string;
  readonly instruments: readonly Instrument[];
  readonly socketPath: string;
  readonly journalPath: string;
}

const closed = { additionalProperties: false } as const;
const DecimalJson = Type.Refine(Type.String(), isDecimalText);
const Latency = Type.Number({ minimum: 0 });
const ConfigJson = Type.Object({
  id: WordJson,
  paper: Type.Object({ latencyMs: Latency, makerFeeBps: Type.Number(), takerFeeBps: Type.Number(), repegLatencyMs: Latency, seed: Type.Integer() }, closed),
  marketSeed: Type.String(),
  instruments: Type.Array(Type.Object({
    symbol: WordJson, name: Type.String(), sector: Type.String(), assetClass: Type.Union([Type.Literal('equity'), Type.Literal('crypto')]),
    currency: Type.String(), lotSize: DecimalJson, tickSize: DecimalJson, settlementDays: Type.Number(), referencePx: DecimalJson,
    advQty: Type.Number(), sigmaAnnual: Type.Number(), beta: Type.Number(), spreadBps: Type.Number(),
  }, closed)),
  socketPath: Type.String({ minLength: 1 }),
  journalPath: Type.String({ minLength: 1 }),
}, closed);
const configJson = Compile(ConfigJson);

export function formatProcessConfig(config: ProcessConfig): string {
  const instruments = config.instruments.map((instrument) => ({
    ...instrument, lotSize: formatDecimal(instrument.lotSize), tickSize: formatDecimal(instrument.tickSize), referencePx: formatDecimal(instrument.referencePx),
  }));
  return JSON.stringify({ ...config, instruments } satisfies Static<typeof ConfigJson>);
}

/** Throws on anything but a configuration. */
export function parseProcessConfig(text: string): ProcessConfig {
  const value: unknown = JSON.parse(text);
  if (!configJson.Check(value)) throw new Error('paper process: not a configuration');
  const instruments = value.instruments.map((instrument) => ({
    ...instrument, lotSize: parseDecimal(instrument.lotSize), tickSize: parseDecimal(instrument.tickSize), referencePx: parseDecimal(instrument.referencePx),
  }));
  return { ...value, instruments };
}
