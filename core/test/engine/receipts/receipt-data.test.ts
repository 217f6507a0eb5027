import { describe, expect, it } from 'vitest';
import { receiptData } from '../../../src/engine/receipts/receipt-data.ts';

const clean = (text: string): unknown => JSON.parse(receiptData({ text }, undefined) ?? '{}').text;

describe('the data of a receipt', () => {
  it.each([
    ['<ann@example.com>: user unknown', '<[address]>: user unknown'],
    ['ann.o+x@sub.example.co and "b c"@d.e', '[address] and "b c"@d.e'],
    ['to +14155550100 and +44 20 7946 0958', 'to [number] and [number]'],
    ['https://t.example/u/ann%40example.com?sig=1', 'https://t.example'],
    ['smtp;550 5.1.1 RecipientNotFound', 'smtp;550 5.1.1 RecipientNotFound'],
    ['2026-11-29T08:00:00Z', '2026-11-29T08:00:00Z'],
    ['SM0123456789abcdef', 'SM0123456789abcdef'],
  ])('%s is kept as %s', (text, kept) => {
    expect(clean(text)).toBe(kept);
  });

  it('is null if there is nothing to keep', () => {
    for (const data of [undefined, null, {}, 'text', 7, ['a']])
      expect(receiptData(data, undefined)).toBeNull();
    expect(receiptData(undefined, new Date(Number.NaN))).toBeNull();
  });

  it('has the time of the provider', () => {
    const at = new Date('2026-11-29T08:00:00Z');
    expect(receiptData({ code: 1, at: 'mine' }, at)).toBe('{"at":"mine","code":1}');
    expect(receiptData(null, at)).toBe('{"at":"2026-11-29T08:00:00.000Z"}');
  });

  it('says so if it was too large, and keeps the time', () => {
    const at = new Date(0);
    const large = { list: Array.from({ length: 1_000 }, (_, n) => `entry ${n}`) };
    expect(receiptData(large, at)).toBe('{"at":"1970-01-01T00:00:00.000Z","truncated":true}');
  });

  it('leaves out what is too deep, and what is no JSON', () => {
    const deep = { a: { b: { c: { d: { e: 1 } } } } };
    expect(receiptData({ deep, call: () => 1, big: 1n }, undefined)).toBe('{"deep":{"a":{"b":{}}}}');
    expect(receiptData({ text: '\ud800' }, undefined)).toBe('{"text":"\ufffd"}');
  });
});
