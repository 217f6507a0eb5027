import { expect, test } from 'vitest';
import type { LineError } from '../../src/ndjson/line-error.ts';
import { parseLine } from '../../src/ndjson/parse-line.ts';

const errorOf = (text: string): LineError => {
  try {
    parseLine(text, 7);
  } catch (error) {
    return error as LineError;
  }
  throw new Error(`${text} was taken`);
};

test('an object is a payload', () => {
  expect(parseLine('{"a":{"b":[1]}}', 1)).toEqual({ a: { b: [1] } });
});

test.each([
  ['5', 'not_an_object'],
  ['null', 'not_an_object'],
  ['"text"', 'not_an_object'],
  ['[{}]', 'not_an_object'],
  ['{"a":}', 'malformed_json'],
  ['{"a":1} {"b":2}', 'malformed_json'],
  ['{"__proto__":{}}', 'forbidden_key'],
  ['{"a":{"constructor":{"prototype":{}}}}', 'forbidden_key'],
  ['\ufeff{"a":1}', 'malformed_json'],
])('%s is refused as %s, with the line', (text, code) => {
  expect(errorOf(text)).toMatchObject({ line: 7, code });
});

test('malformed JSON is named by its column, and not quoted', () => {
  const { message } = errorOf('{"password":"hunter2" x}');
  expect(message).toBe('It is not valid JSON, from column 23 on.');
});
