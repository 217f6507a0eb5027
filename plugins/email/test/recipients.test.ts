import { describe, expect, it } from 'vitest';
import { normalizeRecipient, recipients } from '../src/recipients.ts';

describe('the recipients of a payload', () => {
  it('are the addresses of to, cc and bcc, each once, in lower case', () => {
    const payload = {
      from: 'us@example.com',
      to: ['Ann@Example.com', { address: 'bob@example.com', name: 'Bob' }],
      cc: 'ann@example.com',
      bcc: ['eve@b\u00fccher.example'],
      subject: 'Hello',
      text: 'Hello',
    };
    expect(recipients(payload)).toEqual(['ann@example.com', 'bob@example.com', 'eve@xn--bcher-kva.example']);
  });
});

describe('a recipient as people write it', () => {
  it.each([
    ['ann@example.com', 'ann@example.com'],
    ['Ann@EXAMPLE.com', 'ann@example.com'],
    ['Ann <ann@example.com>', 'ann@example.com'],
    ['<ann@example.com>', 'ann@example.com'],
    ['"Ann, of course" <Ann@example.com>', 'ann@example.com'],
    ['ann@b\u00fccher.example', 'ann@xn--bcher-kva.example'],
    ['ann', undefined],
    ['ann@', undefined],
    ['ann@example.com, bob@example.com', undefined],
    ['', undefined],
  ])('%s is %s', (text, address) => {
    expect(normalizeRecipient(text)).toBe(address);
  });

  it('has the form of the payloads', () => {
    for (const to of ['Ann@Example.COM', 'x.y+z@example.com']) {
      expect(recipients({ from: 'us@example.com', to, subject: 's', text: 't' })).toEqual([
        normalizeRecipient(to),
      ]);
    }
  });
});
