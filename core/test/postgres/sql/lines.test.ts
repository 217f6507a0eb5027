import { describe, expect, it } from 'vitest';
import { lines } from '../../../src/postgres/sql/lines.ts';

describe('the lines of a parameter', () => {
  it.each([
    { what: 'nothing', texts: [] },
    { what: 'one text', texts: ['{"a":1}'] },
    { what: 'several', texts: ['1', '2', '3'] },
    { what: 'empty ones', texts: ['', '', 'x', ''] },
    { what: 'what is longer in UTF-8', texts: ['"Zürich"', '"日本"', '"🙂"', '"€"'] },
  ])('are the texts in UTF-8: $what', ({ texts }) => {
    expect(lines(texts).toString('utf8')).toBe(texts.join('\n'));
  });

  it('hold a million characters', () => {
    const texts = Array.from({ length: 1_000 }, (_, index) => `${index}`.padEnd(1_000, 'é'));
    expect(lines(texts).equals(Buffer.from(texts.join('\n')))).toBe(true);
  });
});
