import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRetryAfter, RETRY_AFTER_CAP_MS } from '../../src/plugin/index.ts';

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);

describe('parseRetryAfter', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    ['  7 ', 7_000],
    ['-5', 0],
    ['999999999999999999999', RETRY_AFTER_CAP_MS],
    ['Sun, 22 Nov 2026 12:00:30 GMT', 30_000],
    ['Sunday, 22-Nov-26 12:01:00 GMT', 60_000],
    ['Sun Nov 22 12:00:05 2026', 5_000],
    ['Sun, 22 Nov 2026 11:00:00 GMT', 0],
    ['Fri, 31 Dec 2066 12:00:00 GMT', RETRY_AFTER_CAP_MS],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
  ])('reads %j as %i milliseconds', (value, expected) => {
    expect(parseRetryAfter(value, NOW)).toBe(expected);
  });

  it.each([
    undefined,
    null,
    '',
    'soon',
    'tomorrow 5',
    '1.5',
    '1e3',
    '0x10',
    '2026-11-22T12:00:00Z',
    'Sun, 22 Nov 2026 12:00:30',
    'Sun, 22 Foo 2026 12:00:30 GMT',
    'Sun, 45 Nov 2026 12:00:30 GMT',
    'Sun, 22 Nov 2026 25:00:30 GMT',
  ])('takes %j for no answer', (value) => {
    expect(parseRetryAfter(value, NOW)).toBeUndefined();
  });

  it('reads back every date that toUTCString writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_000 }), (seconds) => {
        const text = new Date(NOW + seconds * 1_000).toUTCString();
        expect(parseRetryAfter(text, NOW)).toBe(seconds * 1_000);
      }),
    );
  });

  it('never answers anything but undefined or a wait between 0 and the cap', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = parseRetryAfter(text, NOW);
        expect(ms === undefined || (ms >= 0 && ms <= RETRY_AFTER_CAP_MS)).toBe(true);
      }),
    );
  });
});
