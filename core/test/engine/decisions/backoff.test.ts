import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, DEFAULT_RETRY, mergeRetry } from '../../../src/engine/decisions/backoff.ts';
import { policies } from '../../helpers/arbitraries.ts';

const almostOne = 0.999_999_999;

describe('the backoff', () => {
  it.each([
    [1, 999],
    [2, 1_999],
    [3, 3_999],
    [5, 15_999],
    [40, 3_599_999],
  ])('E4: after %i spent attempts is below %i ms', (spent, most) => {
    expect(backoffMs(DEFAULT_RETRY, spent, almostOne)).toBe(most);
    expect(backoffMs(DEFAULT_RETRY, spent, 0)).toBe(0);
  });

  it('E4: is a whole number from 0 to base * 2^(spent - 1), never above the cap', () => {
    const spent = fc.integer({ min: 1, max: 1_000 });
    fc.assert(
      fc.property(
        policies,
        spent,
        fc.double({ min: 0, max: almostOne, noNaN: true }),
        (policy, n, random) => {
          const waitMs = backoffMs(policy, n, random);
          expect(Number.isSafeInteger(waitMs)).toBe(true);
          expect(waitMs).toBeGreaterThanOrEqual(0);
          expect(waitMs).toBeLessThanOrEqual(policy.capMs);
          expect(waitMs).toBeLessThanOrEqual(policy.baseMs * 2 ** (n - 1));
        },
      ),
    );
  });

  it('E4: grows with the attempts for the same draw', () => {
    const draw = fc.double({ min: 0, max: almostOne, noNaN: true });
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 60 }), draw, (policy, spent, random) => {
        expect(backoffMs(policy, spent + 1, random)).toBeGreaterThanOrEqual(backoffMs(policy, spent, random));
      }),
    );
  });
});

describe('a merged retry policy', () => {
  it('takes the later word on each value and the defaults for the rest', () => {
    expect(mergeRetry({ maxAttempts: 9, baseMs: 5 }, undefined, { baseMs: 7 })).toEqual({
      ...DEFAULT_RETRY,
      maxAttempts: 9,
      baseMs: 7,
    });
  });
});
