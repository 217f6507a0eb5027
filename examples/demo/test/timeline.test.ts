import { expect, it } from 'vitest';
import type { Result } from '../src/api.ts';
import { retriedJob, timelineTable } from '../src/timeline.ts';

it('picks the job that made it with the fewest attempts above one', () => {
  const result = (id: string, state: string, attempts: number) => ({ id, state, attempts }) as Result;
  const jobs = [
    result('once', 'succeeded', 1),
    result('never', 'failed', 2),
    result('third', 'succeeded', 3),
  ];
  expect(retriedJob([...jobs, result('second', 'succeeded', 2)])?.id).toBe('second');
  expect(retriedJob(jobs.slice(0, 2))).toBeUndefined();
});

it('tells what happened, and how long after the beginning', () => {
  const event = (kind: string, attempt: number, at: string, data: Record<string, string> | null = null) => ({
    kind,
    attempt,
    at: `2026-11-25T12:00:${at}Z`,
    data,
  });
  const events = [
    event('attempted', 1, '00.000'),
    event('retried', 1, '00.070', { message: 'The server refused the message (451 4.7.1)' }),
    event('attempted', 2, '12.310'),
    event('succeeded', 2, '12.360'),
    event('bounced', 2, '13.000'),
  ];
  expect(timelineTable({ id: 'b.0', events })).toEqual([
    ' 0.00 s  attempt 1  attempted  noted before the call, so that no crash can hide it',
    ' 0.07 s  attempt 1  retried    The server refused the message (451 4.7.1): to be tried again',
    '12.31 s  attempt 2  attempted  noted before the call, so that no crash can hide it',
    '12.36 s  attempt 2  succeeded  the receiver has it',
    '13.00 s  attempt 2  bounced',
  ]);
});
