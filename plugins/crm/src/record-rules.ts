import type { JsonValue, PayloadProblem } from '@batchsender/core/plugin';
import type { CrmRecord } from './payload.ts';

/** Names of fields go into URLs, CSV headers and JSON: letters, digits and underscores are safe in all of them. */
const FIELD = /^[A-Za-z0-9_]{1,100}$/;

/** Objects in a record, such as a reference by external id or an address: two levels are enough for all providers. */
const MAX_DEPTH = 4;

/** Longest text of a field: Salesforce's long text area has the most (131,072 characters). */
const MAX_TEXT = 131_072;

/** What is wrong with a record's fields. */
export function* recordProblems(record: CrmRecord): Generator<PayloadProblem> {
  for (const [name, value] of Object.entries(record)) yield* fieldProblems(name, value, '/record', 1);
}

function* fieldProblems(
  name: string,
  value: JsonValue,
  at: string,
  depth: number,
): Generator<PayloadProblem> {
  const path = `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  if (!FIELD.test(name) || name === '__proto__') {
    yield {
      path,
      code: 'invalid_field_name',
      message: 'a field name has 1 to 100 letters, digits and underscores: use the API name of the field',
    };
    return;
  }
  yield* valueProblems(value, path, depth);
}

function* valueProblems(value: JsonValue, path: string, depth: number): Generator<PayloadProblem> {
  if (typeof value === 'string' && value.length > MAX_TEXT) {
    yield {
      path,
      code: 'value_too_long',
      message: `a value has at most ${MAX_TEXT} characters: shorten it`,
    };
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH) {
    yield { path, code: 'record_too_deep', message: `a record has at most ${MAX_DEPTH} levels: flatten it` };
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* valueProblems(item, `${path}/${index}`, depth + 1);
    return;
  }
  for (const [name, inner] of Object.entries(value)) yield* fieldProblems(name, inner, path, depth + 1);
}
