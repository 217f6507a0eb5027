import type { JobPayload } from '@batchsender/core/plugin';
import { parse } from 'secure-json-parse';
import { FORBIDDEN_KEY, isForbiddenKey } from '../http/json-body.ts';
import { isTooDeep, TOO_DEEP } from '../http/json-depth.ts';
import { jsonErrorPosition } from '../http/json-position.ts';
import { LineError } from './line-error.ts';

/** Parses one line to a payload. @throws LineError. */
export function parseLine(text: string, line: number): JobPayload {
  let value: unknown;
  try {
    // A byte order mark that is not at the upload's start: the parser would take it off silently,
    // and the text would no longer be JSON for the database.
    if (text.charCodeAt(0) === 0xfeff) throw new SyntaxError('byte order mark');
    value = parse(text);
  } catch (error) {
    throw lineError(text, line, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LineError(line, 'not_an_object', 'Each line must be one JSON object: the payload of a job.');
  }
  if (isTooDeep(text)) throw new LineError(line, 'too_deep', TOO_DEEP);
  return value as JobPayload;
}

function lineError(text: string, line: number, cause: unknown): LineError {
  if (isForbiddenKey(cause)) {
    return new LineError(line, 'forbidden_key', FORBIDDEN_KEY);
  }
  const column = jsonErrorPosition(text)?.column;
  return new LineError(
    line,
    'malformed_json',
    `It is not valid JSON${column ? `, from column ${column} on` : ''}.`,
  );
}
