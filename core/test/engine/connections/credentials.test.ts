import { describe, expect, test } from 'vitest';
import {
  mergePatch,
  publicPart,
  secretTexts,
  withDefaults,
} from '../../../src/engine/connections/credentials.ts';
import { secret, Type } from '../../../src/plugin/index.ts';

const schema = Type.Object({
  host: Type.String(),
  password: Type.Optional(secret()),
  port: Type.Optional(Type.Integer({ default: 25 })),
  auth: Type.Optional(
    Type.Union([
      Type.Object({ user: Type.String(), token: secret() }),
      Type.Object({ none: Type.Boolean() }),
    ]),
  ),
  keys: Type.Optional(Type.Array(Type.Object({ id: Type.String(), 'a/b': secret() }))),
});

const credentials = {
  host: 'h',
  password: 'p1',
  auth: { user: 'u', token: 't1' },
  keys: [{ id: '1', 'a/b': 'k1' }],
};

describe('credentials', () => {
  test('are shown without their secrets, at any depth, and with the places of these', () => {
    expect(publicPart(credentials, schema)).toEqual({
      fields: { host: 'h', auth: { user: 'u' }, keys: [{ id: '1' }] },
      secrets: ['/password', '/auth/token', '/keys/0/a~1b'],
    });
    expect(secretTexts(credentials, schema)).toEqual(['p1', 't1', 'k1']);
  });

  test('get the defaults of their schema, and stay as they are themselves', () => {
    const given = { host: 'h' };
    expect(withDefaults(schema, given)).toEqual({ host: 'h', port: 25 });
    expect(given).toEqual({ host: 'h' });
  });

  // The examples of RFC 7396, appendix A, as far as objects are patched.
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j patched by %j are %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  test('a patch reaches no prototype', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__": {"polluted": 1}}'));
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });
});
