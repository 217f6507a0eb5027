import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonList } from '../../src/plugin/index.ts';

const text = (values: readonly unknown[]) =>
  new TextDecoder('utf-8', { fatal: true }).decode(jsonList(values));

describe('a list as JSON', () => {
  it('is what JSON.stringify makes of it', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        expect(text(values)).toBe(JSON.stringify(values));
      }),
    );
  });

  it.each([
    { what: 'nothing', values: [] },
    { what: 'what JSON has no value for', values: [undefined, () => 1, Number.NaN, new Date(0)] },
    { what: 'half a surrogate pair', values: ['\ud800', { a: '\udc00x' }] },
    { what: 'texts that are longer in UTF-8', values: ['Zürich', '日本', '🙂'] },
  ])('holds $what', ({ values }) => {
    expect(text(values)).toBe(JSON.stringify(values));
  });
});
