import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chunkSizeFor } from '../../../src/engine/decisions/chunk-size.ts';

it.each([
  { batchSize: 1, usual: 500, jobs: 500 },
  { batchSize: 1, usual: 2, jobs: 2 },
  { batchSize: 50, usual: 500, jobs: 500 },
  { batchSize: 100, usual: 500, jobs: 1_000 },
  { batchSize: 30, usual: 500, jobs: 480 },
  { batchSize: 500, usual: 500, jobs: 2_000 },
  { batchSize: 10_000, usual: 500, jobs: 10_000 },
])(
  'a chunk for calls of $batchSize has $jobs jobs where others have $usual',
  ({ batchSize, usual, jobs }) => {
    expect(chunkSizeFor(batchSize, usual)).toBe(jobs);
  },
);

it('a chunk has whole calls, one at least, and no more than four times the usual number unless one call has', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: 1, max: 2_000 }),
      (batchSize, usual) => {
        const size = chunkSizeFor(batchSize, usual);
        expect(size % batchSize).toBe(0);
        expect(size).toBeGreaterThanOrEqual(batchSize);
        expect(size).toBeLessThanOrEqual(Math.max(batchSize, usual * 4));
      },
    ),
  );
});
