import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobKeyOf } from '../../../src/engine/intake/job-key.ts';
import type { JobPayload } from '../../../src/plugin/index.ts';

const keyOf = (payload: unknown, ...paths: string[]): string | null =>
  jobKeyOf('batch', paths.length === 0 ? ['v'] : paths)(payload as JobPayload);

describe('the key of a job', () => {
  it.each([
    ['strings', 'a', 'a'],
    ['numbers, however they are written', 1, JSON.parse('1.0')],
    ['zeros of either sign', 0, -0],
    ['objects with their names in another order', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ['objects in lists', [{ a: 1, b: 2 }], [{ b: 2, a: 1 }]],
    ['objects with names that are numbers', { 2: 'x', 10: 'y', a: 1 }, { a: 1, 10: 'y', 2: 'x' }],
  ])('E13: is the same for equal %s', (_what, one, other) => {
    expect(keyOf({ v: one, other: 1 })).toBe(keyOf({ v: other, other: 2 }));
    expect(keyOf({ v: one })).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['letters of another case', 'a', 'A'],
    ['spaces around', 'a', 'a '],
    ['a number and its text', 1, '1'],
    ['true and its text', true, 'true'],
    ['zero and false', 0, false],
    ['lists in another order', [1, 2], [2, 1]],
    ['an empty list and an empty object', [], {}],
    ['composed and decomposed characters', '\u00e9', 'e\u0301'],
  ])('E13: differs for %s', (_what, one, other) => {
    expect(keyOf({ v: one })).not.toBe(keyOf({ v: other }));
  });

  it('E13: is null for a job that has no value at any of the paths', () => {
    for (const payload of [{}, { v: null }, { v: '' }, { v: undefined }]) {
      expect(keyOf(payload)).toBeNull();
      expect(keyOf(payload, 'v', 'w.x')).toBeNull();
    }
    expect(keyOf({ v: 0 })).not.toBeNull();
    expect(keyOf({ v: false })).not.toBeNull();
  });

  it('E13: takes what is missing, null and empty as the same where another path has a value', () => {
    const keys = [{}, { w: null }, { w: '' }].map((rest) => keyOf({ v: 'a', ...rest }, 'v', 'w'));
    expect(new Set(keys).size).toBe(1);
    expect(keyOf({ w: 'a' }, 'v', 'w')).not.toBe(keyOf({ v: 'a' }, 'v', 'w'));
  });

  it('E13: does not mix up values that lie side by side', () => {
    const texts = fc.constantFrom('', ',', '"', '","', 'a', 'a,b', '\n');
    fc.assert(
      fc.property(fc.tuple(texts, texts), fc.tuple(texts, texts), ([v, w], [x, y]) => {
        const same = keyOf({ v, w }, 'v', 'w') === keyOf({ v: x, w: y }, 'v', 'w');
        expect(same).toBe(v === x && w === y);
      }),
    );
  });

  it('E13: follows names and positions, but only those of the payload itself', () => {
    const payload = { variables: { customerId: 'c' }, to: ['x', 'y'] };
    expect(keyOf(payload, 'variables.customerId')).not.toBeNull();
    expect(keyOf(payload, 'to.1')).not.toBeNull();
    for (const path of ['to.length', 'to.2', 'constructor', 'variables.toString', 'variables.customerId.0'])
      expect(keyOf(payload, path)).toBeNull();
  });

  it('E13: tells nothing about another batch', () => {
    expect(jobKeyOf('other', ['v'])({ v: 'a' })).not.toBe(keyOf({ v: 'a' }));
  });
});
