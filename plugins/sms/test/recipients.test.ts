import { expect, it } from 'vitest';
import { normalizeRecipient, recipients } from '../src/recipients.ts';

it.each([
  ['+4915123456789', '+4915123456789'],
  [' +49 (151) 2345-6789 ', '+4915123456789'],
  ['+1 202 555 0123', '+12025550123'],
  ['0151 23456789', undefined],
  ['+49', undefined],
  ['ada', undefined],
  ['', undefined],
])('the number %j is %s in a suppression list', (text, number) => {
  expect(normalizeRecipient(text)).toBe(number);
});

it('has the form of the payloads', () => {
  expect(recipients({ to: '0151 23456789', country: 'DE', body: 'Hello' })).toEqual([
    normalizeRecipient('+49 151 23456789'),
  ]);
});
