import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonErrorPosition } from '../../src/http/json-position.ts';

test.each([
  ['', 0],
  ['{"a":1,}', 7],
  ['{"a":1 "b":2}', 7],
  ['[1,2', 4],
  ['[1,2}', 4],
  ['{"a":tru}', 5],
  ['{a:1}', 1],
  ['"open', 0],
  ['{"a":"\u0001"}', 5],
  ['{"a":"\\x"}', 5],
  ['1 2', 2],
  ['[01]', 2],
  ['{"a":}', 5],
  [']', 0],
  ['  ', 2],
])('%j is wrong from offset %i on', (text, offset) => {
  expect(jsonErrorPosition(text)?.offset).toBe(offset);
});

test('line and column count from 1', () => {
  expect(jsonErrorPosition('{\n  "a": 1,\n  b\n}')).toEqual({ offset: 14, line: 3, column: 3 });
});

test('it finds nothing in valid JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
      expect(jsonErrorPosition(JSON.stringify(value, null, space))).toBeUndefined();
    }),
  );
});

test('it finds an error exactly where JSON.parse finds one', () => {
  const broken = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', '"', 'x', ':', ']', '\\'))
    .map(
      ([text, at, junk]) =>
        text.slice(0, at % (text.length + 1)) + junk + text.slice((at % (text.length + 1)) + 1),
    );
  fc.assert(
    fc.property(broken, (text) => {
      expect(jsonErrorPosition(text) === undefined).toBe(parses(text));
    }),
    { numRuns: 1_000 },
  );
});

test('a string of millions of characters does not overflow the expression', () => {
  const text = `{"a":"${'x\\n'.repeat(2_000_000)}", b}`;
  expect(jsonErrorPosition(text)?.offset).toBe(text.length - 2);
});

test('deep nesting does not overflow the stack', () => {
  expect(jsonErrorPosition('['.repeat(1_000_000))?.offset).toBe(1_000_000);
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
