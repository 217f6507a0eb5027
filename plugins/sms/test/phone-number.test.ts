import { describe, expect, it } from 'vitest';
import { parseNumber } from '../src/phone-number.ts';

describe('parseNumber', () => {
  it.each<[to: string, country: string | undefined, e164: string]>([
    ['+4915123456789', undefined, '+4915123456789'],
    ['+49 (0) 151 / 234-567 89', undefined, '+4915123456789'],
    ['0151 23456789', 'DE', '+4915123456789'],
    ['(202) 555-0123', 'US', '+12025550123'],
    ['+33 6 12 34 56 78', 'DE', '+33612345678'],
    [' +12025550123 ', undefined, '+12025550123'],
    ['+15005550006', undefined, '+15005550006'],
  ])('reads %j in %s', (to, country, e164) => {
    expect(parseNumber(to, country)).toBe(e164);
    expect(parseNumber(to, country)).toBe(e164);
  });

  it.each<[to: string, country: string | undefined, field: string, code: string]>([
    ['0151 23456789', undefined, 'to', 'country_missing'],
    ['4917612345678', undefined, 'to', 'country_missing'],
    ['0151 23456789', 'XX', 'country', 'unknown_country'],
    ['+1', undefined, 'to', 'invalid_number'],
    ['+49151', undefined, 'to', 'invalid_number'],
    ['+447700900123', undefined, 'to', 'invalid_number'],
    ['+99912345678', undefined, 'to', 'invalid_number'],
    ['ada', 'DE', 'to', 'invalid_number'],
    ['', 'DE', 'to', 'invalid_number'],
    ['call +4915123456789', 'DE', 'to', 'invalid_number'],
    ['+4915123456789, +4915123456780', undefined, 'to', 'invalid_number'],
    ['+12025550123 ext. 4', undefined, 'to', 'invalid_number'],
    ['12345', 'US', 'to', 'invalid_number'],
    ['+19005550123', undefined, 'to', 'premium_number'],
    ['0900 1234567', 'DE', 'to', 'premium_number'],
  ])('refuses %j in %s', (to, country, field, code) => {
    const parsed = parseNumber(to, country);
    expect(parsed).toMatchObject({ field, code });
    expect(JSON.stringify(parsed)).not.toContain(to || '\0');
  });

  it('keeps two numbers apart that are the same but for their country', () => {
    expect(parseNumber('0151 23456789', 'DE')).toBe('+4915123456789');
    expect(parseNumber('0151 23456789', 'FR')).toMatchObject({ code: 'invalid_number' });
    expect(parseNumber('0151 23456789', 'DE')).toBe('+4915123456789');
  });
});
