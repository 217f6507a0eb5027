import { HttpProblem, type ProblemPlace } from '../http/problem.ts';

/** Codes of what may be wrong with a header; `docs/errors.md` lists them. */
export const COLUMN_CODES = [
  'empty_column',
  'duplicate_column',
  'unknown_column',
  'missing_column',
  'too_many_columns',
  'forbidden_key',
] as const;

/** What is wrong with a column. */
export interface ColumnError {
  readonly code: (typeof COLUMN_CODES)[number];
  readonly message: string;
  /** JSON pointer of the field, where one is to blame. */
  readonly path?: string;
}

/** Most errors that an answer lists. */
const MAX_ERRORS = 100;

/** The answer to a header that cannot be used; `line` is where it stands. */
export function headerProblem(errors: readonly ColumnError[], line: number): HttpProblem {
  const places = errors
    .slice(0, MAX_ERRORS)
    .map(({ code, message, path = '' }): ProblemPlace => ({ line, path, code, message }));
  const detail = `The header in line ${line} cannot be used: ${places[0]?.message} Nothing was stored.`;
  return new HttpProblem('invalid_header', detail, { errors: places });
}
