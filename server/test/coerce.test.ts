import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { coerce, coerceRecord } from '../src/coerce.ts';

test.each([
  [Type.String(), '5', '5'],
  [Type.Integer(), '5', 5],
  [Type.Number(), '1.5', 1.5],
  [Type.Boolean(), 'yes', true],
  [Type.Boolean(), '0', false],
  [Type.Array(Type.String()), 'a,b', ['a', 'b']],
  [Type.Array(Type.String()), '["a,b"]', ['a,b']],
  [Type.Object({ a: Type.Number() }), '{"a":1}', { a: 1 }],
  [Type.Union([Type.Integer(), Type.Boolean()]), 'true', true],
])('%j takes %s as %j', (schema, text, value) => {
  expect(coerce(schema, text)).toEqual(value);
});

test.each(['many', '5.5', '', ' 5', '0x10', '1e3'])('%j is no integer and stays text', (text) => {
  expect(coerce(Type.Integer(), text)).toBe(text);
});

test.each([
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  [
    ['a,b', 'c'],
    ['a', 'b', 'c'],
  ],
  [
    ['a', 5],
    ['a', 5],
  ],
])('a parameter that was given as %j is the list %j', (value, list) => {
  expect(coerceRecord({ state: Type.Array(Type.String()) }, { state: value })).toEqual({ state: list });
});

test('a parameter that is no list stays what it is when it is given twice', () => {
  expect(coerceRecord({ limit: Type.Integer() }, { limit: ['1', '2'] })).toEqual({ limit: ['1', '2'] });
});
