import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addTallies, closedJobs, closesAttempt, NO_TALLIES } from '../../../src/engine/decisions/tallies.ts';
import { tallies } from '../../helpers/arbitraries.ts';

describe('tallies', () => {
  it('E10: add up the same in whatever order and grouping', () => {
    fc.assert(
      fc.property(tallies, tallies, tallies, (a, b, c) => {
        expect(addTallies(addTallies(a, b), c)).toEqual(addTallies(a, addTallies(b, c)));
        expect(addTallies(a, b)).toEqual(addTallies(b, a));
        expect(addTallies(a, NO_TALLIES)).toEqual(a);
      }),
    );
  });

  it('E10: count every closed job once', () => {
    fc.assert(
      fc.property(tallies, tallies, (a, b) => {
        expect(closedJobs(addTallies(a, b))).toBe(closedJobs(a) + closedJobs(b));
      }),
    );
    expect(
      closedJobs({ succeeded: 1, failed: 2, unknown: 4, cancelled: 8, retried: 16, postponed: 32 }),
    ).toBe(63);
  });

  it.each(['succeeded', 'failed', 'unknown', 'cancelled', 'retried', 'postponed'] as const)(
    'E1: %s closes an attempt',
    (kind) => expect(closesAttempt(kind)).toBe(true),
  );

  it.each(['attempted', 'released', 'reopened', 'resolved', 'late'] as const)(
    'E1: %s does not close an attempt',
    (kind) => expect(closesAttempt(kind)).toBe(false),
  );
});
