import { HttpProblem } from '../http/problem.ts';
import type { LineError } from './line-error.ts';

/** The answer to an upload that fails for one line. */
export function lineProblem({ line, path, code, message }: LineError): HttpProblem {
  const place = path === '' ? `Line ${line}` : `Line ${line}, ${path}`;
  return new HttpProblem(
    code === 'line_too_long' ? 'line_too_long' : 'invalid_line',
    `${place}: ${message} Nothing was stored.`,
    { errors: [{ line, path, code, message }] },
  );
}
