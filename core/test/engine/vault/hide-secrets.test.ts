import { expect, test } from 'vitest';
import { hideIn, hideInMessage, hiding } from '../../../src/engine/vault/hide-secrets.ts';

const hide = hiding(['s3cret', 's3cret-longer', 'a "quoted"\nkey', 'p w/d=', 'abc']);

test('secrets are taken out of texts, also as they stand in JSON and in URLs', () => {
  expect(hide?.('s3cret s3cret-longer abc')).toBe('[redacted] [redacted] abc');
  expect(hide?.(JSON.stringify({ key: 'a "quoted"\nkey' }))).toBe('{"key":"[redacted]"}');
  expect(hide?.(`https://x/?p=${encodeURIComponent('p w/d=')}`)).toBe('https://x/?p=[redacted]');
});

test('they are taken out of all strings of a value, which keeps its shape', () => {
  expect(hideIn({ code: 's3cret', list: ['x', { at: 's3cret' }], n: 1, none: null }, hide)).toEqual({
    code: '[redacted]',
    list: ['x', { at: '[redacted]' }],
    n: 1,
    none: null,
  });
  expect(hideInMessage({ status: 'failed', message: 'no s3cret' }, hide as NonNullable<typeof hide>)).toEqual(
    {
      status: 'failed',
      message: 'no [redacted]',
    },
  );
});

test('there is nothing to hide without secrets, or if they are so short that any text has them', () => {
  expect([hiding([]), hiding(['abc'])]).toEqual([undefined, undefined]);
});
