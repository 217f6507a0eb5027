import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { validationProblems } from '../../src/http/validation-problems.ts';
import { oneOfStrings, strict } from '../../src/schemas/common.ts';

const Schema = strict({
  type: Type.String({ minLength: 1 }),
  'a/b': Type.Optional(Type.Integer()),
  mode: Type.Optional(Type.Union([Type.Literal('on'), Type.Literal('off')])),
  state: Type.Optional(oneOfStrings(['x', 'y'])),
  either: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});

const problemsOf = (value: unknown): unknown => validationProblems(Value.Errors(Schema, value));

test('a missing field is named', () => {
  expect(problemsOf({})).toEqual([
    { path: '/type', code: 'missing_field', message: 'The field "type" is missing.' },
  ]);
});

test('each unknown field is named once, with its pointer escaped', () => {
  expect(problemsOf({ type: 'a', 'x/y': 1, 'm~n': 2 })).toEqual([
    { path: '/x~1y', code: 'unknown_field', message: 'There is no field "x/y" here.' },
    { path: '/m~0n', code: 'unknown_field', message: 'There is no field "m~n" here.' },
  ]);
});

test('a wrong type is named without the value', () => {
  expect(problemsOf({ type: 'a', 'a/b': 'secret' })).toEqual([
    { path: '/a~1b', code: 'wrong_type', message: 'It must be of type integer.' },
  ]);
});

test('a union of constants lists them, once', () => {
  const expected = [{ path: '/mode', code: 'invalid_value', message: 'It must be one of "on", "off".' }];
  expect(problemsOf({ type: 'a', mode: 'maybe' })).toEqual(expected);
});

test('an enumeration lists its values', () => {
  expect(problemsOf({ type: 'a', state: 'z' })).toEqual([
    { path: '/state', code: 'invalid_value', message: 'It must be one of "x", "y".' },
  ]);
});

test('a union of shapes is one problem', () => {
  expect(problemsOf({ type: 'a', either: 5 })).toEqual([
    { path: '/either', code: 'invalid_value', message: 'It fits none of the allowed shapes.' },
  ]);
});

test('hundreds of unknown fields are still named as such', () => {
  const value = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, index]));
  expect(problemsOf({ type: 'a', ...value })).toContainEqual({
    path: '/x0',
    code: 'unknown_field',
    message: 'There is no field "x0" here.',
  });
});
