import { describe, expect, it } from 'vitest';
import { normalizeRecipient, recipients } from '../src/recipients.ts';
import { MAIL } from './helpers/session.ts';

describe('the form by which persons are found again', () => {
  it.each([
    ['Ada@Example.COM', 'ada@example.com'],
    ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
    ['"A b"@example.com', '"a b"@example.com'],
    ['JÜRGEN@example.com', 'jürgen@example.com'],
  ])('is the same for %s in a payload and in a report', (address, form) => {
    expect(recipients({ ...MAIL, to: address })).toEqual([form]);
    expect(normalizeRecipient(address)).toBe(form);
    expect(normalizeRecipient(` ${address} `)).toBe(form);
    expect(normalizeRecipient(`"Ada, <x>" <${address}>`)).toBe(form);
    expect(normalizeRecipient(form)).toBe(form);
  });

  it('lists each person once', () => {
    expect(
      recipients({ ...MAIL, to: ['Ada@example.com', 'ADA@example.com'], cc: 'ada@EXAMPLE.com' }),
    ).toEqual(['ada@example.com']);
  });

  it.each(['', 'ada', 'ada@', '<>', 'ada@example.com, bob@example.com', 'a\nb@example.com'])(
    'takes %j for no address',
    (text) => {
      expect(normalizeRecipient(text)).toBeUndefined();
    },
  );
});
