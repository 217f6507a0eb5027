import { encodingName } from '../csv/decoder.ts';
import { delimiterOf } from '../csv/delimiter.ts';
import { HttpProblem, type ProblemPlace } from '../http/problem.ts';

/** How a CSV file is to be read, as far as the caller says. */
export interface CsvOptions {
  readonly delimiter?: string;
  readonly encoding?: string;
  /** Field by column. */
  readonly map: ReadonlyMap<string, string>;
}

/** Parameters that say how a CSV is read; others begin with `map.`. */
const MAP = 'map.';

/** Reads the parameters of an upload; those that are for no CSV are left alone. @throws HttpProblem `invalid_query`. */
export function csvOptions(parameters: Readonly<Record<string, unknown>>): CsvOptions {
  const { delimiter, encoding } = parameters as { delimiter?: string; encoding?: string };
  const map = new Map<string, string>();
  for (const [name, field] of Object.entries(parameters)) {
    if (name.startsWith(MAP)) map.set(name.slice(MAP.length).trim(), String(field).trim());
  }
  return {
    map,
    ...(delimiter === undefined ? {} : { delimiter: checkDelimiter(delimiter) }),
    ...(encoding === undefined ? {} : { encoding: checkEncoding(encoding) }),
  };
}

/** @throws HttpProblem `invalid_query` if a parameter for CSV comes with another format. */
export function refuseCsvOptions(parameters: Readonly<Record<string, unknown>>): void {
  const name = Object.keys(parameters).find(
    (one) => one === 'delimiter' || one === 'encoding' || one.startsWith(MAP),
  );
  if (name !== undefined) throw invalidParameter(name, 'It is for text/csv only.');
}

function checkDelimiter(text: string): string {
  const delimiter = delimiterOf(text);
  if (delimiter !== undefined) return delimiter;
  throw invalidParameter(
    'delimiter',
    'It must be one character, or comma, semicolon, tab or pipe, and no quote.',
  );
}

function checkEncoding(label: string): string {
  const encoding = encodingName(label);
  if (encoding !== undefined) return encoding;
  throw invalidParameter(
    'encoding',
    'It is not known. Use for example utf-8, utf-16le, windows-1252 or iso-8859-2.',
  );
}

/** The problem of a parameter of an upload. */
export function invalidParameter(name: string, message: string): HttpProblem {
  const errors: ProblemPlace[] = [{ path: `/${name}`, code: 'invalid_value', message }];
  return new HttpProblem('invalid_query', `The query is not valid: /${name}: ${message}`, { errors });
}
