/** What a start says to the person at the terminal: where the gateway is, and what can be typed in another shell as it stands. */
import { DEFAULT_DATA_DIR } from './config.ts';

export function welcome(url: string, dataDir: string): readonly string[] {
  const folder = dataDir === DEFAULT_DATA_DIR ? '' : `DATA_DIR=${quoted(dataDir)} `;
  return [
    `Portcullis is ready at ${url}`,
    `  a token:  TOKEN=$(${folder}npm run -s portcullis -- token --role strategy --sub you --account ACC1)`,
    `  try it:   curl -H "Authorization: Bearer $TOKEN" ${url}/v1/accounts/ACC1`,
  ];
}

/** One word of a shell. */
const quoted = (text: string): string => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`);
