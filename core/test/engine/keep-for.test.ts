import { expect, it } from 'vitest';
import { keepFor } from '../../src/engine/keep-for.ts';

it('asks once for many that ask together, and again for those that come later', async () => {
  let reads = 0;
  const kept = keepFor(60_000, async () => ++reads);
  expect(await Promise.all([kept(), kept(), kept()])).toEqual([1, 1, 1]);
  const short = keepFor(0, async () => ++reads);
  expect([await short(), await short()]).toEqual([2, 3]);
});

it('does not keep an error', async () => {
  let reads = 0;
  const kept = keepFor(60_000, async () => {
    reads += 1;
    if (reads === 1) throw new Error('away');
    return reads;
  });
  await expect(kept()).rejects.toThrow('away');
  expect(await kept()).toBe(2);
});
