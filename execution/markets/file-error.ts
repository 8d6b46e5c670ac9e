import { isCleanText } from '../../risk/domain/ids.ts';

/** Why a file of recorded market data is refused. */
export type MarketFileCode =
  | 'NOT_FOUND' | 'NOT_A_FILE' | 'NO_DATA' | 'TOO_MANY_FILES' | 'UNREADABLE' | 'BAD_ARCHIVE' | 'BAD_ROW' | 'LINE_TOO_LONG' | 'OUT_OF_ORDER' | 'ROWS_DIFFER';

const SENTENCES: Record<MarketFileCode, string> = {
  NOT_FOUND: 'there is no such file or folder',
  NOT_A_FILE: 'neither a regular file nor a folder',
  NO_DATA: 'no market data of a known format',
  TOO_MANY_FILES: 'more files than a replay may have',
  UNREADABLE: 'cannot be read',
  BAD_ARCHIVE: 'a broken or foreign archive',
  BAD_ROW: 'not a row of its format',
  LINE_TOO_LONG: 'longer than a line may be',
  OUT_OF_ORDER: 'earlier than the row before it',
  ROWS_DIFFER: 'as many rows are needed in the messages as in the book',
};

/** Names the file and the line, and never echoes what stands there. */
export class MarketFileError extends Error {
  override readonly name = 'MarketFileError';
  readonly code: MarketFileCode;
  readonly file: string;
  readonly line: number | null;

  constructor(code: MarketFileCode, file: string, line: number | null = null, cause?: unknown) {
    const shown = isCleanText(file) ? file : '(unprintable name)';
    super(`${shown}${line === null ? '' : `, line ${line}`}: ${SENTENCES[code]}`, { cause });
    this.code = code;
    this.file = shown;
    this.line = line;
  }
}
