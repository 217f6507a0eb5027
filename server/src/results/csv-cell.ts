const SPECIAL = /[",\r\n]/;
const PLAIN_NUMBER = /^[+-]?\d+(\.\d+)?$/;

/**
 * What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection"), also in full width; or
 * what looks as if it had been made harmless, so that the mark can be taken away again.
 */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;

/**
 * Text that a spreadsheet does not run: a leading quote mark is put before what would begin a
 * formula. Plain numbers stay as they are, `-5` as well as `+4915112345`.
 */
function harmless(text: string): string {
  return FORMULA.test(text) && !PLAIN_NUMBER.test(text) ? `'${text}` : text;
}

/** The text of a cell of ours: without the mark that made it harmless. */
export function unmarked(cell: string): string {
  const text = cell.startsWith("'") ? cell.slice(1) : cell;
  return harmless(text) === cell ? text : cell;
}

/** What is neither quoted nor marked: most of what there is, so that one look at it is enough. */
const ASKS_FOR_CARE = new RegExp(`${SPECIAL.source}|${FORMULA.source}`);

/** A text as a cell of RFC 4180: harmless, and quoted where it must be. */
export function textCell(text: string): string {
  if (!ASKS_FOR_CARE.test(text)) return text;
  const safe = harmless(text);
  return SPECIAL.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A JSON value as a cell: empty for null and for what is missing; objects and lists as JSON. */
export function jsonCell(value: unknown): string {
  if (typeof value === 'string') return textCell(value);
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? `"${quotedJson(value)}"` : String(value);
}

/** What JSON, or the quotes of a cell, would write in another way than it is. */
const ESCAPED = /[^ !#-[\]-\ud7ff\ue000-\uffff]/;

/** JSON as it is inside a quoted cell. Doubling the quotes of a finished text took twice as long. */
function quotedJson(value: unknown): string {
  if (typeof value === 'string') return quotedText(value);
  if (Array.isArray(value)) return `[${value.map(quotedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  let fields = '';
  for (const key of Object.keys(value)) {
    const field = `${quotedText(key)}:${quotedJson((value as Record<string, unknown>)[key])}`;
    fields += fields === '' ? field : `,${field}`;
  }
  return `{${fields}}`;
}

/** A text of JSON as it is inside a quoted cell. */
export const quotedText = (text: string): string =>
  ESCAPED.test(text) ? JSON.stringify(text).replaceAll('"', '""') : `""${text}""`;
