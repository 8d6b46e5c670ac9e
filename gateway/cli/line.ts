/**
 * What is said of an error: one line, no stack. `fetch` and connections to several addresses hide what happened in a cause or a list.
 */
export function lineOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error.cause;
  const hidden = error.message === '' || error.message === 'fetch failed';
  const said = hidden && inner !== undefined ? `${error.message === '' ? '' : `${error.message}: `}${lineOf(inner)}` : error.message;
  return said.replaceAll(/\s+/g, ' ').trim();
}
