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

  constructor(line: number, code: LineError['code'], message: string) {
    super(message);
    this.line = line;
    this.code = code;
  }
}
