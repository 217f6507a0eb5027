import { describe, expect, it } from 'vitest';
import { dedupePaths, dedupeProblems } from '../../../src/engine/intake/dedupe-paths.ts';
import { defineModule, type Module, Type, variables } from '../../../src/plugin/index.ts';

const Payload = Type.Object(
  {
    to: Type.Union([Type.String(), Type.Object({ address: Type.String() }, { additionalProperties: false })]),
    text: Type.String(),
    auth: Type.Object({ user: Type.String() }, { additionalProperties: false }),
    tags: Type.Array(Type.String()),
    body: Type.Unknown(),
    variables: variables(),
  },
  { additionalProperties: false },
);

const module = defineModule({
  type: 'mail',
  title: 'Mail',
  version: 1,
  payload: Payload,
  providers: {},
}) as unknown as Module;

describe('dedupeBy', () => {
  it.each([
    'to',
    'to.address',
    'text',
    'auth.user',
    'tags.0',
    'body.a.b',
    'variables.customerId',
    'variables.__x',
  ])('E13: may be %s', (path) => {
    expect(dedupeProblems(module, path)).toEqual([]);
    expect(dedupeProblems(module, ['to', path])).toEqual([]);
  });

  it.each([
    ['colour', 'unknown_field', "a mail payload has no field 'colour'"],
    ['text.length', 'unknown_field', "a mail payload has no field 'text.length'"],
    ['auth.pass', 'unknown_field', "a mail payload has no field 'auth.pass'"],
    ['toString', 'unknown_field', /has no field/],
    ['__proto__', 'invalid_value', /names of fields/],
    ['variables.__proto__.x', 'invalid_value', /names of fields/],
    ['', 'invalid_value', /names of fields/],
    ['.', 'invalid_value', /names of fields/],
    ['variables.', 'invalid_value', /names of fields/],
    ['x'.repeat(201), 'invalid_value', /at most 200/],
    [7, 'wrong_type', /path/],
    [null, 'wrong_type', /path/],
  ])('E13: may not be %.20j', (path, code, message) => {
    const problem = { code, message: typeof message === 'string' ? message : expect.stringMatching(message) };
    expect(dedupeProblems(module, path)).toEqual([{ path: '/dedupeBy', ...problem }]);
    expect(dedupeProblems(module, ['to', path])).toEqual([{ path: '/dedupeBy/1', ...problem }]);
  });

  it('E13: has one to eight paths', () => {
    expect(dedupeProblems(module, [])).toMatchObject([{ path: '/dedupeBy', code: 'invalid_value' }]);
    expect(dedupeProblems(module, Array(8).fill('to'))).toEqual([]);
    expect(dedupeProblems(module, Array(9).fill('to'))).toMatchObject([{ code: 'invalid_value' }]);
  });

  it('E13: is a list afterwards, or null', () => {
    expect(dedupePaths({})).toBeNull();
    expect(dedupePaths({ dedupeBy: 'to' })).toEqual(['to']);
    expect(dedupePaths({ dedupeBy: ['to', 'text'] })).toEqual(['to', 'text']);
  });
});
