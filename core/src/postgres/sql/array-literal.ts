/** A Postgres array literal of whole numbers. */
export function intArray(values: readonly number[]): string {
  return `{${values.join(',')}}`;
}

/** A Postgres array literal of texts; null stays NULL. */
export function textArray(values: readonly (string | null)[]): string {
  let out = '{';
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (i > 0) out += ',';
    out += value === null || value === undefined ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`;
  }
  return `${out}}`;
}

/**
 * A Postgres array literal of JSON texts; null stays NULL. JSON has no control characters, so JSON escapes in such a text
 * what an array does: quotes and backslashes. It takes a quarter of the time of replacing them.
 */
export function jsonArray(texts: readonly (string | null)[]): string {
  return `{${texts.map((text) => (text === null ? 'NULL' : JSON.stringify(text))).join(',')}}`;
}

/** A Postgres array literal of plain words that need no quoting. */
export function wordArray(values: readonly string[]): string {
  return `{${values.join(',')}}`;
}
