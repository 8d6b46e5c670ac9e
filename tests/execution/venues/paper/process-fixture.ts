import { connect } from 'node:net';
import type { VenueListener, VenueReport } from '../../../../execution/venue.ts';
import type { ChildOrder } from '../../../../risk/domain/order.ts';
import type { Approved, Receipt } from '../../../../risk/domain/proof.ts';
import { spawnPaperProcess, type PaperProcess, type SpawnOptions } from '../../../../execution/venues/paper/spawn.ts';
import { LineCutter } from '../../../../execution/venues/paper/wire.ts';
import { CONFIG, INSTRUMENTS } from './fixture.ts';

export const PROCESS: SpawnOptions['config'] = { id: 'PAPER', paper: CONFIG, marketSeed: '7', instruments: [...INSTRUMENTS.values()] };
export const spawnIn = (dataDir: string, changes: Partial<SpawnOptions['config']> = {}): Promise<PaperProcess> =>
  spawnPaperProcess({ dataDir, config: { ...PROCESS, ...changes } });

export const approved = (order: ChildOrder): Approved<ChildOrder> => order as Approved<ChildOrder>;
export const receipt = (seq: number): Receipt => ({ log: 'TEST', seq, hash: 'ab'.repeat(32) }) as unknown as Receipt;

/** A listener that keeps everything, and tells when something has come true. */
export class Heard implements VenueListener {
  readonly reports: VenueReport[] = [];
  readonly states: ('up' | 'down')[] = [];
  readonly faults: string[] = [];
  #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  report(report: VenueReport): void {
    this.reports.push(report);
    this.#look();
  }
  connection(state: 'up' | 'down'): void {
    this.states.push(state);
    this.#look();
  }
  readonly onFault = (reason: string): void => {
    this.faults.push(reason);
    this.#look();
  };

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ holds, resolve });
      this.#look();
    });
  }

  #look(): void {
    this.#waiting = this.#waiting.filter(({ holds, resolve }) => {
      if (!holds()) return true;
      resolve();
      return false;
    });
  }
}

/** A bare connection: writes what it is given, and gives the lines that came when it ends or `count` of them have come. */
export function talk(socketPath: string, text: string | Buffer, count = Infinity): Promise<string[]> {
  const socket = connect(socketPath);
  const cutter = new LineCutter();
  const lines: string[] = [];
  return new Promise((resolve) => {
    socket.on('error', (error) => { lines.push(error.message); }); // the venue may close before all is written
    socket.on('data', (chunk) => {
      lines.push(...(cutter.take(chunk) ?? []));
      if (lines.length >= count) socket.destroy();
    });
    socket.on('close', () => { resolve(lines); });
    socket.write(text);
  });
}
