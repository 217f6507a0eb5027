import { describe, expect, it } from 'vitest';
import { SHOP_SHARES } from '../src/orders.ts';
import { MAIL_SHARES } from '../src/recipients.ts';
import { countOf, kindAt } from '../src/spread.ts';

describe.each([
  ['mails', MAIL_SHARES],
  ['shops', SHOP_SHARES],
])('the shares of the %s', (_what, shares: Readonly<Record<string, number>>) => {
  it('are met exactly in each 200', () => {
    for (const [kind, share] of Object.entries(shares)) {
      expect(countOf(shares, kind, 200)).toBe(share);
      expect(countOf(shares, kind, 2_000)).toBe(share * 10);
    }
  });

  it('bring every kind among the first 200, and trouble early', () => {
    const kinds = Array.from({ length: 200 }, (_, index) => kindAt(shares, index));
    expect(new Set(kinds)).toEqual(new Set(Object.keys(shares)));
    expect(new Set(kinds.slice(0, 40)).size).toBeGreaterThan(1);
  });
});

it('refuses shares that do not add up', () => {
  expect(() => countOf({ one: 100 }, 'one', 200)).toThrow('add up to less');
});
