/** A line that cannot be taken, before any schema was asked. */
export class LineError extends Error {
  override readonly name = 'LineError';
  /** From 1; blank lines count. */
  readonly line: number;
  readonly code:
    | 'malformed_json'
    | 'forbidden_key'
    | 'not_an_object'
    | 'too_deep'
    | 'invalid_utf8'
    | 'line_too_long';
  /** JSON pointer into the payload, where one field is to blame; else empty. */
  readonly path: string;

  constructor(line: number, code: LineError['code'], message: string, path = '') {
    super(message);
    this.line = line;
    this.code = code;
    this.path = path;
  }
}
