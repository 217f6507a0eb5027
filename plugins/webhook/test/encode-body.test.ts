import { describe, expect, it } from 'vitest';
import { encodeBody } from '../src/encode-body.ts';

describe('the bytes of a body', () => {
  it.each([
    ['a text', 'a text'],
    ['', ''],
    [{ a: ['ä', null] }, '{"a":["ä",null]}'],
    [null, 'null'],
    [false, 'false'],
    [0, '0'],
  ])('of %j are %s, each time', (body, expected) => {
    for (let i = 0; i < 3; i++) expect(encodeBody(body)?.toString()).toBe(expected);
  });

  it('are none if there is no body', () => {
    expect(encodeBody(undefined)).toBeUndefined();
  });

  it('are made once for a body that jobs share, and kept only then', () => {
    let writes = 0;
    const body = {
      toJSON: () => {
        writes += 1;
        return { writes };
      },
    };
    const all = Array.from({ length: 50 }, () => encodeBody(body));
    expect(writes).toBe(2);
    expect(new Set(all).size).toBe(2);
  });

  it('of equal bodies that are not shared do not get mixed up', () => {
    const bodies = [1, 2, 1, 2].map((n) => ({ n }));
    expect(bodies.map((body) => encodeBody(body)?.toString())).toEqual([1, 2, 1, 2].map((n) => `{"n":${n}}`));
  });
});
