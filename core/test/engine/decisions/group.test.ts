import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupIntoCalls } from '../../../src/engine/decisions/group.ts';

const jobs = fc.array(fc.record({ bytes: fc.nat(100), group: fc.constantFrom('a', 'b', 'c') }), {
  maxLength: 80,
});
const sizes = fc.integer({ min: 1, max: 12 });
const limits = fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined });

describe('jobs grouped into calls', () => {
  it('E2: are each in exactly one call', () => {
    fc.assert(
      fc.property(jobs, sizes, limits, (list, batchSize, batchBytes) => {
        const calls = groupIntoCalls(list, batchSize, batchBytes);
        expect(calls.flat()).toHaveLength(list.length);
        expect(new Set(calls.flat())).toEqual(new Set(list));
        for (const call of calls) expect(call.length).toBeGreaterThan(0);
      }),
    );
  });

  it('share a call only with their group, within both limits', () => {
    fc.assert(
      fc.property(jobs, sizes, limits, (list, batchSize, batchBytes) => {
        for (const call of groupIntoCalls(list, batchSize, batchBytes)) {
          expect(call.length).toBeLessThanOrEqual(batchSize);
          if (batchSize > 1) expect(new Set(call.map((job) => job.group)).size).toBe(1);
          const bytes = call.reduce((sum, job) => sum + job.bytes, 0);
          if (call.length > 1) expect(bytes).toBeLessThanOrEqual(batchBytes ?? Number.POSITIVE_INFINITY);
        }
      }),
    );
  });

  it('keep their order within a group', () => {
    fc.assert(
      fc.property(jobs, sizes, (list, batchSize) => {
        const numbered = list.map((job, index) => ({ ...job, index }));
        const calls = groupIntoCalls(numbered, batchSize);
        for (const group of ['a', 'b', 'c']) {
          const order = calls
            .flat()
            .filter((job) => job.group === group)
            .map((job) => job.index);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
      }),
    );
  });

  it('get a call of their own if they are too large for any', () => {
    const large = { bytes: 900, group: 'a' };
    const small = { bytes: 10, group: 'a' };
    expect(groupIntoCalls([small, large, small, small], 10, 100)).toEqual([[small], [large], [small, small]]);
  });
});
