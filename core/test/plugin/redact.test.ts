import { describe, expect, it } from 'vitest';
import { REDACTED, redact, scrubText, secret, Type } from '../../src/plugin/index.ts';

describe('redact', () => {
  const schema = Type.Object({
    host: Type.String(),
    password: Type.Optional(secret()),
    nested: Type.Optional(Type.Object({ token: secret(), user: Type.String() })),
    list: Type.Optional(Type.Array(Type.Object({ key: secret() }))),
    auth: Type.Optional(
      Type.Union([
        Type.Object({ type: Type.Literal('bearer'), token: secret() }),
        Type.Object({ type: Type.Literal('none'), token: Type.String() }),
      ]),
    ),
    headers: Type.Optional(Type.Record(Type.String(), secret())),
  });

  it('replaces secret fields at any depth and leaves the rest', () => {
    const value = {
      host: 'a.example',
      password: 'p1',
      nested: { token: 'p2', user: 'u' },
      list: [{ key: 'p3' }, { key: 'p4' }],
      auth: { type: 'bearer', token: 'p5' },
      headers: { 'x-key': 'p6' },
    };
    const redacted = redact(value, schema);
    expect(redacted).toEqual({
      host: 'a.example',
      password: REDACTED,
      nested: { token: REDACTED, user: 'u' },
      list: [{ key: REDACTED }, { key: REDACTED }],
      auth: { type: 'bearer', token: REDACTED },
      headers: { 'x-key': REDACTED },
    });
    expect(JSON.stringify(redacted)).not.toMatch(/p[1-6]/);
    expect(value.password).toBe('p1');
  });

  it('hides a secret of any shape, also where one branch of a union says so', () => {
    expect(redact({ password: { a: 'p1' } }, schema)).toEqual({ password: REDACTED });
    expect(redact({ auth: { type: 'none', token: 'p1' } }, schema)).toEqual({
      auth: { type: 'none', token: REDACTED },
    });
  });

  it('copes with values that do not fit the schema', () => {
    for (const value of [null, undefined, 'text', 7, ['x']]) expect(redact(value, schema)).toEqual(value);
    expect(redact({ nested: 'text', password: null }, schema)).toEqual({ nested: 'text', password: null });
  });
});

describe('scrubText', () => {
  it('leaves only scheme and host of URLs', () => {
    expect(scrubText('GET https://user:pw@api.example:8443/a/b?key=1#x failed')).toBe(
      'GET https://api.example:8443 failed',
    );
    expect(scrubText('redis://:secret@cache/0\nis down')).toBe('redis://cache is down');
    expect(scrubText('http://[broken/secret')).toBe('http://…');
  });

  it('cuts long texts', () => {
    expect(scrubText('x'.repeat(1_000))).toHaveLength(300);
  });
});
