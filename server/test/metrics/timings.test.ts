import { expect, test } from 'vitest';
import { exposition } from '../../src/metrics/snapshot.ts';
import { Timings } from '../../src/metrics/timings.ts';
import { parseExposition } from '../helpers/exposition.ts';

test('a value on a bound belongs to its bucket, and buckets hold all that is below', async () => {
  const timings = new Timings('a_seconds', 'A.', ['type', 'status'], [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 2]) timings.observe(value, 'sms', 'ok');
  timings.observe(9, 'sms', 'bad');
  const metrics = parseExposition(await exposition([[timings.snapshot()]]));
  const bucket = (le: string, status = 'ok') =>
    metrics.value('a_seconds_bucket', { type: 'sms', status, le });
  expect([bucket('0.1'), bucket('1'), bucket('+Inf')]).toEqual([2, 3, 4]);
  expect([bucket('1', 'bad'), bucket('+Inf', 'bad')]).toEqual([0, 1]);
  expect(metrics.value('a_seconds_sum', { status: 'ok' })).toBeCloseTo(2.65);
  expect(metrics.value('a_seconds_count')).toBe(5);
});

test('without a value there is no series', () => {
  expect(new Timings('a', 'A.', [], [1]).snapshot().values).toEqual([]);
});
