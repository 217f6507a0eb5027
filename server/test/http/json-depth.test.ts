import { expect, test } from 'vitest';
import { isTooDeep, MAX_DEPTH } from '../../src/http/json-depth.ts';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

test('nesting is taken up to the limit', () => {
  expect(isTooDeep(nested(MAX_DEPTH))).toBe(false);
  expect(isTooDeep(nested(MAX_DEPTH + 1))).toBe(true);
  expect(isTooDeep(`${'{"a":'.repeat(MAX_DEPTH + 1)}1${'}'.repeat(MAX_DEPTH + 1)}`)).toBe(true);
});

test('nesting of a million costs no stack', () => {
  expect(isTooDeep(nested(1_000_000))).toBe(true);
});

test('brackets in strings and side by side are no nesting', () => {
  expect(isTooDeep(JSON.stringify({ a: '[{'.repeat(1_000), '[[': '"[\\"[\\' }))).toBe(false);
  expect(isTooDeep(JSON.stringify(Array.from({ length: 1_000 }, () => [{}])))).toBe(false);
});

test('a string that is full of quotes hides nothing behind it', () => {
  expect(isTooDeep(`[${JSON.stringify('\\"'.repeat(500))},${nested(MAX_DEPTH)}]`)).toBe(true);
});
