import type { Receipt } from '../../risk/domain/proof.ts';
import type { House } from '../house.ts';

/**
 * The proof of a halt or a cancel, or null when the log cannot be written now: these two do not wait for it. What was appended stays
 * queued, and is written once it can be.
 */
export async function receiptOrTrouble(house: House, durable: Promise<Receipt>): Promise<Receipt | null> {
  let ignore = (): void => undefined;
  const trouble = new Promise<null>((resolve) => {
    ignore = house.onUnwritable(() => { resolve(null); });
  });
  try {
    return await Promise.race([durable, trouble]);
  } finally {
    ignore();
  }
}

/** Of a unit of records. */
export const firstOf = async (durable: Promise<readonly Receipt[]>): Promise<Receipt> => (await durable)[0] as Receipt;
