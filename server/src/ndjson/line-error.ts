/** Codes of a line that cannot be taken; `docs/errors.md` lists them. */
export const LINE_CODES = [
  'malformed_json',
  'forbidden_key',
  'not_an_object',
  'too_deep',
  'invalid_utf8',
  'invalid_encoding',
  'line_too_long',
  'too_few_cells',
  'too_many_cells',
  'stray_quote',
  'quote_not_closed',
  'nul_character',
  'not_csv',
] as const;

/** What is wrong with a line. */
export type LineCode = (typeof LINE_CODES)[number];

/** A line that cannot be taken, before any schema was asked. */
export class LineError extends Error {
  override readonly name = 'LineError';
  /** From 1; blank lines count. In a CSV: where the row begins. */
  readonly line: number;
  readonly code: LineCode;
  /** JSON pointer into the payload, where one field is to blame; else empty. */
  readonly path: string;

  constructor(line: number, code: LineCode, message: string, path = '') {
    super(message);
    this.line = line;
    this.code = code;
    this.path = path;
  }
}
